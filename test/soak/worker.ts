/**
 * The worker that a soak holds under load: the proxy alone in a process of its own. Its parent says over the channel
 * between them what is to be served, and asks how large it is when everything has gone.
 */
import { systemClock } from '#io/clock.ts';
import { silentLog } from '#io/log.ts';
import { systemRandom } from '#io/random.ts';
import type { ProxyStats } from '#proxy/proxy.ts';
import { createProxy } from '#proxy/proxy.ts';
import { table } from '#proxy/test-proxy.ts';

export type SoakOrder =
  /** Listens at these addresses and gives what comes there to these targets; again: with others. */
  | { readonly kind: 'serve'; readonly addresses: readonly string[]; readonly targets: readonly number[] }
  /** Wants a `SoakSize`, measured after everything unreachable is gone. */
  | { readonly kind: 'measure' };

export interface SoakSize {
  readonly kind: 'size';
  readonly memory: NodeJS.MemoryUsage;
  readonly stats: ProxyStats;
}

export interface SoakListening {
  readonly kind: 'listening';
  readonly places: readonly { readonly address: string; readonly port: number }[];
}

const proxy = createProxy({ clock: systemClock, log: silentLog, random: systemRandom });

process.on('message', (order: SoakOrder) => void (order.kind === 'serve' ? serve(order) : measure()));
process.on('disconnect', () => void proxy.drain(0));

async function serve({ addresses, targets }: Extract<SoakOrder, { kind: 'serve' }>): Promise<void> {
  const places: { address: string; port: number }[] = [];
  for (const address of addresses) {
    const outcome = await proxy.apply({ ...table({ listenerId: address, targets }), address });
    if (outcome.kind === 'failed') throw new Error(`cannot listen on ${address}: ${outcome.reason}`);
    places.push({ address, port: outcome.port });
  }
  process.send!({ kind: 'listening', places } satisfies SoakListening);
}

async function measure(): Promise<void> {
  // What a round frees may free more; and the stacks of this turn hold on to some of it.
  for (let round = 0; round < 4; round += 1) {
    globalThis.gc!();
    await new Promise((resolve) => setImmediate(resolve));
  }
  process.send!({ kind: 'size', memory: process.memoryUsage(), stats: proxy.stats() } satisfies SoakSize);
}
