/** The worker's process as its soak sees it: started, told what to serve, asked how large it is, in turn. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FromWorker, ToWorker } from '#node/messages.ts';
import type { ProxyStats } from '#proxy/proxy.ts';
import { forwardTo, table } from '#proxy/test-proxy.ts';
import type { RoutingTable } from '#routing/table.ts';
import type { Measured, MeasureOrder } from './worker.ts';

export interface Place {
  readonly address: string;
  readonly port: number;
}

export interface WorkerSize {
  readonly memory: NodeJS.MemoryUsage;
  readonly handles: number;
  readonly descriptors: number;
  readonly stats: ProxyStats;
}

/** Of a file of logs: short, so that there are many. */
const logIntervalMs = 5_000;

export class WorkerProcess {
  readonly places: readonly Place[];
  /** Where its logs are written. */
  readonly #folder = mkdtempSync(join(tmpdir(), 'ballast-soak-'));
  readonly #child = fork(join(import.meta.dirname, 'worker.ts'), {
    execArgv: ['--expose-gc'],
    serialization: 'advanced',
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  /** Also when this process is ended in the middle; the worker then ends by itself. */
  readonly #forget = () => rmSync(this.#folder, { recursive: true, force: true });
  #version = 0;

  private constructor(places: readonly Place[]) {
    this.places = places;
    process.once('exit', this.#forget);
    this.#send({
      type: 'start',
      name: 'soak/worker',
      successionPath: join(this.#folder, 'succession'),
      parentInstance: 'soak',
      cookieKey: '5'.repeat(64),
      logFiles: { folder: this.#folder, intervalMs: logIntervalMs },
    });
  }

  /** Starts a worker that is going to listen at a free port of each of these addresses. */
  static async start(addresses: readonly string[]): Promise<WorkerProcess> {
    const places: Place[] = [];
    for (const address of addresses) places.push({ address, port: await freePort(address) });
    return new WorkerProcess(places);
  }

  /**
   * Gives what comes at its places to the targets at these ports of 127.0.0.1, and what is asked of `/refused/` to one
   * that nobody can connect to.
   */
  async serve(targets: readonly number[], closedPort: number): Promise<void> {
    this.#version += 1;
    const tables = this.places.map((place) => tableFor(place, targets, closedPort));
    const answer = await this.#ask({ type: 'tables', version: this.#version, tables, removed: [] }, 'applied');
    if (answer.failures.length > 0) throw new Error(`the worker cannot listen: ${answer.failures.join(', ')}`);
  }

  async size(): Promise<WorkerSize> {
    const { stats } = await this.#ask({ type: 'stats', id: 0, targets: 'all' }, 'stats');
    // A node takes them every second; what nobody takes is kept.
    await this.#ask({ type: 'outcomes', id: 0 }, 'outcomes');
    const { memory, handles } = await this.#ask({ type: 'measure' }, 'measured');
    const descriptors = readdirSync(`/proc/${this.#child.pid}/fd`).length;
    return { memory, handles, descriptors, stats: stats as ProxyStats };
  }

  /** Removes the files of logs that are complete, as whoever delivers them does. */
  takeLogs(): void {
    for (const name of readdirSync(this.#folder)) {
      if (name.endsWith('.log')) rmSync(join(this.#folder, name), { force: true });
    }
  }

  async close(): Promise<void> {
    const isOver = this.#child.exitCode !== null || this.#child.signalCode !== null;
    const ended = isOver ? undefined : once(this.#child, 'exit');
    if (this.#child.connected) this.#send({ type: 'drain', timeoutMs: 0 });
    await ended;
    process.off('exit', this.#forget);
    this.#forget();
  }

  #send(message: ToWorker | MeasureOrder): void {
    this.#child.send(message);
  }

  /** A worker that ends instead of answering is a failure of the soak. */
  async #ask<Type extends (FromWorker | Measured)['type']>(
    message: ToWorker | MeasureOrder,
    type: Type,
  ): Promise<Extract<FromWorker | Measured, { type: Type }>> {
    const over = new AbortController();
    const { signal } = over;
    const gone = once(this.#child, 'exit', { signal }).then(([code, how]) => {
      throw new Error(`the worker ended with ${code ?? how}`);
    });
    try {
      this.#send(message);
      for (;;) {
        const [answer] = await Promise.race([once(this.#child, 'message', { signal }), gone]);
        if (answer.type === type) return answer;
      }
    } finally {
      gone.catch(() => {});
      over.abort();
    }
  }
}

function tableFor({ address, port }: Place, targets: readonly number[], closedPort: number): RoutingTable {
  const refused = { key: 'refused', address: '127.0.0.1', port: closedPort, state: 'healthy' as const };
  const made = table({
    listenerId: address,
    port,
    targets,
    logs: { region: 'eu-soak-1', access: 'access', connection: 'connection' },
    rules: [
      {
        id: 'refused',
        priority: 1,
        conditions: [{ field: 'path-pattern', values: ['/refused/*'], regexes: [] }],
        action: forwardTo(1),
        transforms: [],
      },
    ],
  });
  const none = { id: 'none', name: 'none', algorithm: 'round_robin' as const, targets: [refused], eligible: [0] };
  return { ...made, address, groups: [...made.groups, none] };
}

/** A port on which nobody listened a moment ago. */
export async function freePort(address: string): Promise<number> {
  const server = net.createServer().listen(0, address);
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
