/**
 * One GET, as the drill's viewers and probers send it: it never throws, is limited in time and size, and tells in a
 * word or two why it failed. A process that was itself too busy to look is not taken for a server that did not answer.
 */
import { type Agent, request } from 'node:http';
import type { LookupFunction } from 'node:net';
import { after, soon } from '#io/timers.ts';

export interface GetOptions {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  /** From the call to the last byte of the answer. */
  readonly timeoutMs: number;
  /** A longer answer is a failure, and is not read to its end. */
  readonly bodyBytesMax: number;
  /** Ends it early; the outcome is then a failure that is of no interest. */
  readonly signal: AbortSignal;
  /** Keeps connections; without one each request has a connection of its own. */
  readonly agent?: Agent;
  /** Asked for the address of a `host` that is a name. */
  readonly lookup?: LookupFunction;
}

export type Got =
  | { readonly kind: 'answer'; readonly status: number; readonly body: Buffer }
  | { readonly kind: 'failure'; readonly reason: string };

/** Resolves when the whole answer is there, or when it is clear that it will not be. */
export function get({ timeoutMs, bodyBytesMax, agent, lookup, ...where }: GetOptions): Promise<Got> {
  return new Promise((resolve) => {
    const outgoing = request({ ...where, method: 'GET', agent: agent ?? false, ...(lookup ? { lookup } : {}) });
    let isFinished = false;
    const finish = (got: Got) => {
      if (isFinished) return;
      isFinished = true;
      timer.stop();
      // A connection whose answer was read to its end is the agent's again by now; any other is of no more use.
      if (got.kind === 'failure') outgoing.destroy();
      resolve(got);
    };
    const fail = (reason: string) => finish({ kind: 'failure', reason });
    // When this process was busy, the answer may have arrived long ago: what has, is read first.
    const timer = after(timeoutMs, () => soon(() => fail(`no answer within ${timeoutMs} ms`)));
    outgoing.on('error', (error: NodeJS.ErrnoException) => fail(error.code ?? error.message));
    outgoing.on('upgrade', () => fail('switched protocols'));
    outgoing.on('response', (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        bytes += chunk.length;
        if (bytes > bodyBytesMax) fail(`an answer of more than ${bodyBytesMax} bytes`);
      });
      response.on('error', () => fail('the answer broke off'));
      response.on('end', () =>
        finish({ kind: 'answer', status: response.statusCode ?? 0, body: Buffer.concat(chunks) }),
      );
    });
    outgoing.end();
  });
}
