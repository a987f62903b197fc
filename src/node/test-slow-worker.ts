/** A worker that puts nothing into service, and takes its time to say that it has. */
import { connectParent } from '#io/children.ts';
import { sleep } from '#io/timers.ts';
import type { FromWorker, ToWorker } from './messages.ts';

const slownessMs = 300;

const parent = connectParent({
  onMessage: async (message) => {
    const wanted = message as ToWorker;
    if (wanted.type !== 'tables') return;
    if (wanted.tables.length > 0) await sleep(slownessMs);
    parent.send({ type: 'applied', version: wanted.version, failures: [] } satisfies FromWorker);
  },
  onGone: () => process.exit(0),
});
