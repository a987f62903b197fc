/**
 * The real control plane on a store of its own, on one processor and without nodes, as `ballast up` starts it. What it
 * costs is asked of the kernel, from outside.
 */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Credentials } from '#control/keys.ts';
import { readCredentials } from '#daemon/credentials.ts';
import type { FromProcess, Info, ToProcess } from '#daemon/messages.ts';
import { paths } from '#daemon/paths.ts';
import { type Bench, cpuMicroseconds } from './machine.ts';
import { benchAccount, benchEnvironment, benchRegion } from './state.ts';

const entry = join(import.meta.dirname, '..', 'src', 'daemon', 'process.ts');
const preload = join(import.meta.dirname, 'api-memory.ts');
/** It rests when it takes no more of a processor than what it always does behind the scenes. */
const restingShare = 0.15;
const restingMs = 500;

export class ControlPlane {
  readonly #data: string;
  readonly #child: ChildProcess;
  readonly #info: Info;
  /** From when the process was made until it answered. */
  readonly startSeconds: number;

  private constructor(data: string, child: ChildProcess, info: Info, startSeconds: number) {
    this.#data = data;
    this.#child = child;
    this.#info = info;
    this.startSeconds = startSeconds;
  }

  /** Starts it on the first processor; rejects with the reason when it cannot. */
  static async start(bench: Bench, data: string): Promise<ControlPlane> {
    // As the control plane is started where it has one processor.
    const flags = ['--single-threaded-gc', '--expose-gc', '--import', preload];
    const startMs = performance.now();
    const child = bench.fork(0, [...flags, entry]);
    const host = '127.0.0.1';
    const anyPort = { host, port: 0 };
    child.send({
      type: 'start',
      name: 'control-plane',
      supervisor: 'bench',
      settings: {
        role: 'control-plane',
        data,
        api: anyPort,
        operator: anyPort,
        dns: anyPort,
        account: benchAccount,
        region: benchRegion,
        zones: ['us-east-1a', 'us-east-1b', 'us-east-1c'],
        domain: 'elb.ballast.internal',
        environment: benchEnvironment,
        holdAddressesDays: 30,
        vault: paths.vault(data),
        alarmWebhook: undefined,
        maintenance: undefined,
        without: [],
        inventory: undefined,
        ec2Endpoint: undefined,
        s3Folder: undefined,
        s3Endpoint: undefined,
        // What is measured is what it can do, not what it allows.
        requestRatePercent: 0,
        metricsIntervalSeconds: 60,
        operatorKey: 'bench',
        linkToken: 'bench',
      },
    } satisfies ToProcess);
    const [message] = (await Promise.race([once(child, 'message'), once(child, 'exit')])) as [FromProcess | number];
    if (typeof message !== 'object' || message?.type !== 'ready') {
      throw new Error(`the control plane did not start: ${JSON.stringify(message)}`);
    }
    return new ControlPlane(data, child, message.info, (performance.now() - startMs) / 1_000);
  }

  get apiPort(): number {
    return this.#info.apiPort!;
  }

  get pid(): number {
    return this.#child.pid!;
  }

  get credentials(): Credentials {
    return readCredentials(paths.credentials(this.#data))!;
  }

  /** Waits until the vault has everything and nothing is left to be done. */
  async settled(): Promise<void> {
    for (;;) {
      const startMicroseconds = cpuMicroseconds(this.pid);
      await sleep(restingMs);
      const share = (cpuMicroseconds(this.pid) - startMicroseconds) / (restingMs * 1_000);
      if (share < restingShare && (await this.#isVaulted())) return;
    }
  }

  /** What the heap holds once nothing is left in it that nobody needs. */
  async heapBytes(): Promise<number> {
    this.#child.send({ type: 'bench-heap' });
    const [{ heapBytes }] = (await once(this.#child, 'message')) as [{ heapBytes: number }];
    return heapBytes;
  }

  async stop(): Promise<void> {
    const exited = once(this.#child, 'exit');
    this.#child.send({ type: 'stop' } satisfies ToProcess);
    await exited;
  }

  async #isVaulted(): Promise<boolean> {
    const page = await (await fetch(`http://127.0.0.1:${this.#info.operatorPort}/metrics`)).text();
    return /^ballast_vault_lag_revisions 0$/m.test(page);
  }
}
