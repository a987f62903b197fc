/**
 * A stream of JSON lines to one client. It is made as fast as it is read and no faster, others get their turn while it
 * is made, and it ends when the client goes away.
 */
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { Clock } from '#io/clock.ts';
import type { Log } from '#io/log.ts';
import { soon } from '#io/timers.ts';
import type { StreamError } from '#model/history.ts';

/** So long a stream works at a time. */
const turnMs = 5;
/** So much is written at a time. */
const charactersPerWriteMax = 64 * 1024;

/** Lines that are there when asked for, or that come in their own time. Undefined is none: a chance to pause. */
export type Lines = Iterable<object | undefined> | AsyncIterable<object | undefined>;

/**
 * Sends the lines. A failure in the middle is the last of them. Gives back once all is sent, or the client has gone,
 * which ends the making of lines too.
 */
export async function sendLines(
  response: ServerResponse,
  lines: Lines,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): Promise<void> {
  response.writeHead(200, { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' });
  try {
    const isSent = Symbol.iterator in lines ? sendReady(response, lines, clock) : sendComing(response, lines);
    if (!(await isSent)) return;
  } catch (error) {
    log.error(`operator API: a stream broke off: ${(error as Error).stack ?? error}`);
    const said: StreamError = { type: 'error', error: 'reading failed; the log of the control plane says why' };
    await write(response, `${JSON.stringify(said)}\n`);
  }
  response.end();
}

/** Many together. Gives back whether the client was there until the end. */
async function sendReady(
  response: ServerResponse,
  lines: Iterable<object | undefined>,
  clock: Clock,
): Promise<boolean> {
  const iterator = lines[Symbol.iterator]();
  let text = '';
  try {
    for (let isDone = false; !isDone; ) {
      const endMs = clock.monotonicMs() + turnMs;
      while (text.length < charactersPerWriteMax && clock.monotonicMs() < endMs) {
        const next = iterator.next();
        isDone = next.done === true;
        if (isDone) break;
        if (next.value !== undefined) text += `${JSON.stringify(next.value)}\n`;
      }
      const now = text;
      text = '';
      if (!(await write(response, now))) return false;
    }
    return true;
  } finally {
    if (text !== '') await write(response, text);
    iterator.return?.();
  }
}

/** Each as it comes. */
async function sendComing(response: ServerResponse, lines: AsyncIterable<object | undefined>): Promise<boolean> {
  for await (const line of lines) {
    if (line !== undefined && !(await write(response, `${JSON.stringify(line)}\n`))) return false;
  }
  return true;
}

/** Whether there is still somebody to write for. */
async function write(response: ServerResponse, text: string): Promise<boolean> {
  if (text !== '' && !response.write(text) && !response.destroyed) {
    const waiting = new AbortController();
    const { signal } = waiting;
    await Promise.race([once(response, 'drain', { signal }), once(response, 'close', { signal })]).catch(() => {});
    waiting.abort();
  }
  await new Promise<void>(soon);
  return !response.destroyed;
}
