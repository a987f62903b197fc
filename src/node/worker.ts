/**
 * A worker: the proxy and nothing else. It obeys its node, and when its node is gone it goes on with the tables that it
 * has, until another node's workers have taken over.
 */

import { connectParent } from '#io/children.ts';
import { systemClock } from '#io/clock.ts';
import { processLog } from '#io/log.ts';
import { LogSpool } from '#io/log-spool.ts';
import { exitProcess } from '#io/process.ts';
import { systemRandom } from '#io/random.ts';
import { watchForSuccessor } from '#io/succession.ts';
import { createProxy } from '#proxy/proxy.ts';
import type { FromWorker, ToWorker } from './messages.ts';

/** How long requests may go on when another node's workers have taken over, and how long idle connections stay open. */
const successionDrainMs = 30_000;
const successionPatienceMs = 20_000;

/** Runs the worker until it is told to drain, or its place is taken. */
export function runWorker(): void {
  let log = processLog('worker');
  let proxy: ReturnType<typeof createProxy> | undefined;
  let spool: LogSpool | undefined;
  let start: Extract<ToWorker, { type: 'start' }> | undefined;
  let draining = false;

  const drain = (timeoutMs: number, patienceMs: number) => {
    if (draining) return;
    draining = true;
    const drained = proxy?.drain(timeoutMs, patienceMs) ?? Promise.resolve();
    void drained.then(() => spool?.close()).then(() => exitProcess(0));
  };

  const receive = async (message: ToWorker): Promise<void> => {
    switch (message.type) {
      case 'start':
        start = message;
        log = processLog(message.name);
        if (message.logFiles !== undefined)
          spool = new LogSpool({ ...message.logFiles, writer: writerName(message.name), clock: systemClock });
        proxy = createProxy({
          clock: systemClock,
          random: systemRandom,
          log,
          cookieKey: message.cookieKey,
          ...(spool && { logSink: spool }),
        });
        return;
      case 'tables': {
        for (const id of message.removed) proxy?.remove(id);
        const failures: [string, string][] = [];
        for (const table of message.tables) {
          const outcome = await proxy?.apply(table);
          if (outcome?.kind === 'failed') failures.push([table.listenerId, outcome.reason]);
        }
        tell({ type: 'applied', version: message.version, failures });
        return;
      }
      case 'stats':
        if (proxy !== undefined) tell({ type: 'stats', id: message.id, stats: proxy.stats(message.targets) });
        return;
      case 'outcomes':
        tell({ type: 'outcomes', id: message.id, outcomes: proxy?.takeOutcomes() ?? [] });
        return;
      case 'drain':
        return drain(message.timeoutMs, 0);
    }
  };

  // Tables are applied in the order in which they were sent, also when one waits for its socket.
  let last = Promise.resolve();
  const parent = connectParent({
    onMessage: (message) => {
      last = last.then(() => receive(message as ToWorker));
    },
    onGone: () => {
      if (start === undefined) return exitProcess(1);
      log.warn('the node is gone; serving goes on with the last tables');
      watchForSuccessor(start.successionPath, start.parentInstance, () => {
        log.info('another node has taken over; draining');
        drain(successionDrainMs, successionPatienceMs);
      });
    },
  });
  const tell = (message: FromWorker) => parent.send(message);
}

/** Tells its files apart from those of other workers, and of those before it. */
function writerName(name: string): string {
  return `${name.replaceAll('/', '-')}-${systemRandom.hex(8)}`;
}
