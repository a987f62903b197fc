/**
 * Log lines for people: time, level, process, sentence. One line an event, to standard error, where the supervisor
 * passes them on. Never a secret, and nothing a stranger sends without being quoted.
 */

export type LogLevel = 'info' | 'warn' | 'error';

export interface Log {
  info(sentence: string): void;
  warn(sentence: string): void;
  error(sentence: string): void;
}

/** A log that names its process, for instance `control-plane` or `node-1`. */
export function processLog(processName: string, write: (line: string) => void = writeStandardError): Log {
  const line = (level: LogLevel) => (sentence: string) =>
    write(`${new Date().toISOString()} ${level} ${processName}: ${printable(sentence)}\n`);
  return { info: line('info'), warn: line('warn'), error: line('error') };
}

export const silentLog: Log = { info: () => {}, warn: () => {}, error: () => {} };

function writeStandardError(line: string): void {
  process.stderr.write(line);
}

/** Control characters would let a stranger's text forge log lines or drive a terminal. */
function printable(sentence: string): string {
  return sentence.replace(/\p{Cc}/gu, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`);
}
