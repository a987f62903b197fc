/**
 * Whether this engine and the oracle disagree about bytes in the direction that does harm. To refuse more is allowed.
 * To accept what the oracle refuses, or to read in another way what both accept, is not: then the next server may see
 * another message than the one that was routed.
 */
import { METHODS } from 'node:http';
import { type EngineReading, readResponse } from './test-engine-reading.ts';
import type { MessageReading, ResponseOracle, StreamReading } from './test-llhttp.ts';

/** What is wrong with the engine's reading; undefined when nothing is. */
export function difference(engine: EngineReading, oracle: StreamReading): string | undefined {
  for (const [index, message] of engine.messages.entries()) {
    const same = oracle.messages[index];
    if (same === undefined) {
      if (stopsByItself(oracle) || hasUnknownMethod(message, oracle) || closesByProxyField(engine, oracle))
        return undefined;
      return `message ${index} is none to the oracle, which says ${oracle.refusal ?? 'nothing'}`;
    }
    const differing = differingParts(message, same, engine.refusal !== undefined);
    if (differing !== undefined) return `message ${index}: ${differing}`;
  }
  // Refused, or there is nothing more to read: what the oracle makes of the rest is of no consequence.
  if (engine.refusal !== undefined || engine.isOver || stopsByItself(oracle)) return undefined;
  if (oracle.messages.length > engine.messages.length) return 'the oracle sees another message behind them';
  // Nothing of a head goes anywhere before it is complete, so a fault in it may be found then; a body passes at once.
  const isInBody = engine.messages.at(-1)?.isComplete === false;
  return oracle.refusal !== undefined && isInBody ? `the oracle refuses the body with ${oracle.refusal}` : undefined;
}

/** The same of an answer to a request with this method; llhttp must be done with the engine's last byte, not before. */
export async function answerDifference(
  oracle: ResponseOracle,
  bytes: Buffer,
  method: string,
  read: typeof readResponse = readResponse,
): Promise<string | undefined> {
  const engine = read(bytes, { method });
  if (!engine.isOver || engine.refusal !== undefined) return difference(engine, await oracle.read(bytes, { method }));
  const exact = difference(engine, await oracle.read(bytes.subarray(0, engine.end), { method }));
  if (exact !== undefined) return exact;
  const short = await oracle.read(bytes.subarray(0, engine.end - 1), { method });
  const isEarly = short.messages.length === engine.messages.length && short.messages.at(-1)?.isComplete === true;
  return isEarly ? 'the oracle was done a byte before' : undefined;
}

/**
 * Whether the engine refuses something that the oracle accepts: allowed, and worth a line in the table of such places.
 */
export function isStricter(engine: EngineReading, oracle: StreamReading): boolean {
  return engine.refusal !== undefined && oracle.refusal === undefined;
}

function differingParts(ours: MessageReading, theirs: MessageReading, isRefused: boolean): string | undefined {
  // Of a body that is refused in the middle, more or less may have passed before.
  const isCutOff = isRefused && !ours.isComplete;
  const pairs = [
    [ours.line, theirs.line],
    [ours.fields, theirs.fields],
    ...(isCutOff ? [] : [[ours.isComplete, theirs.isComplete]]),
    ...(isCutOff ? [] : [[ours.trailers, theirs.trailers]]),
    ...(ours.isComplete ? [[ours.body, theirs.body]] : []),
  ];
  const differing = pairs.find(([mine, other]) => JSON.stringify(mine) !== JSON.stringify(other));
  if (differing !== undefined)
    return `${JSON.stringify(differing[0])} is to the oracle ${JSON.stringify(differing[1])}`;
  // To close is always safe: llhttp keeps HTTP/1.0 connections that ask for both, RFC 9112 section 9.3 closes them. Of
  // answers without a length it decides before it knows that they answer HEAD, and so has no end to wait for.
  const isExcused = hasField(ours, /^proxy-connection$/i) || (isAnswer(ours) && !hasField(ours, framing));
  const closes = ours.keepsAlive && !theirs.keepsAlive && !isExcused;
  return closes ? 'the oracle closes behind it' : undefined;
}

/**
 * Behind a request for an upgrade llhttp waits for its program; this engine reads on when it will not relay that one.
 */
function stopsByItself({ messages }: StreamReading): boolean {
  const last = messages.at(-1);
  return last !== undefined && hasField(last, /^upgrade$/i);
}

/** llhttp takes Proxy-Connection for Connection, which no RFC does: here it is dropped, and says nothing. */
function closesByProxyField(engine: EngineReading, { refusal }: StreamReading): boolean {
  return (
    refusal === 'HPE_CLOSED_CONNECTION' && engine.messages.some((message) => hasField(message, /^proxy-connection$/i))
  );
}

/** llhttp has a list of methods; RFC 9110 section 9.1 lets anybody invent more, and targets have to know them. */
function hasUnknownMethod({ line }: MessageReading, { refusal }: StreamReading): boolean {
  return refusal === 'HPE_INVALID_METHOD' && !METHODS.includes(line.split(' ')[0]!);
}

const framing = /^(?:content-length|transfer-encoding)$/i;

function isAnswer({ line }: MessageReading): boolean {
  return /^\d{3} /.test(line);
}

function hasField({ fields }: MessageReading, name: RegExp): boolean {
  return fields.some((text, index) => index % 2 === 0 && name.test(text));
}
