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

/**
 * Sends the lines; undefined among them is none, and a chance to pause. A failure in the middle is the last line. Gives
 * back once all is sent, or the client has gone.
 */
export async function sendLines(
  response: ServerResponse,
  lines: Iterable<object | undefined>,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): Promise<void> {
  response.writeHead(200, { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' });
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
      if (!(await write(response, text))) return;
      text = '';
    }
  } catch (error) {
    log.error(`operator API: a stream broke off: ${(error as Error).stack ?? error}`);
    const said: StreamError = { type: 'error', error: 'reading failed; the log of the control plane says why' };
    await write(response, `${text}${JSON.stringify(said)}\n`);
  } finally {
    iterator.return?.();
  }
  response.end();
}

/** Whether there is still somebody to write for. */
async function write(response: ServerResponse, text: string): Promise<boolean> {
  if (text !== '' && !response.write(text) && !response.destroyed) {
    await Promise.race([once(response, 'drain'), once(response, 'close')]).catch(() => {});
  }
  await new Promise<void>(soon);
  return !response.destroyed;
}
