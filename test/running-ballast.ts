/** Starts a real Ballast for black-box tests: its own data folder, free ports, its own addresses; and stops it. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt, randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ElasticLoadBalancingV2Client } from '@aws-sdk/client-elastic-load-balancing-v2';
import type { Report } from '#daemon/report.ts';
import type { Status } from '#model/status.ts';

export const launcher = new URL('../bin/ballast', import.meta.url).pathname;

export class RunningBallast {
  readonly data: string;
  readonly output: () => string;
  readonly #child: ChildProcess;
  readonly #readyFile: string;

  constructor(child: ChildProcess, data: string, readyFile: string, output: () => string) {
    this.#child = child;
    this.data = data;
    this.#readyFile = readyFile;
    this.output = output;
  }

  /** What runs where; process ids follow restarts. */
  get report(): Report {
    return JSON.parse(readFileSync(this.#readyFile, 'utf8')) as Report;
  }

  get credentials(): { accessKeyId: string; secretAccessKey: string } {
    const text = readFileSync(this.report.credentialsFile, 'utf8');
    const value = (name: string) => new RegExp(`^${name} = (.*)$`, 'm').exec(text)![1]!;
    return { accessKeyId: value('aws_access_key_id'), secretAccessKey: value('aws_secret_access_key') };
  }

  client(): ElasticLoadBalancingV2Client {
    const { apiEndpoint, region } = this.report;
    return new ElasticLoadBalancingV2Client({ endpoint: apiEndpoint, region, credentials: this.credentials });
  }

  async status(): Promise<Status> {
    const key = readFileSync(join(this.data, 'operator.key'), 'utf8').trim();
    const response = await fetch(`${this.report.operatorEndpoint}/v1/status`, {
      headers: { authorization: `Bearer ${key}` },
    });
    assert.equal(response.status, 200);
    return (await response.json()) as Status;
  }

  async metrics(): Promise<string> {
    return (await fetch(`${this.report.operatorEndpoint}/metrics`)).text();
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** Stops it as Ctrl-C does, and gives its exit code. */
  async stop(): Promise<number | null> {
    if (!this.hasEnded) {
      this.#child.kill('SIGINT');
      await new Promise((resolve) => this.#child.once('close', resolve));
    }
    rmSync(this.#readyFile, { force: true });
    return this.#child.exitCode;
  }

  interrupt(): void {
    this.#child.kill('SIGINT');
  }

  /** Kills the supervisor alone. */
  async killSupervisor(): Promise<void> {
    process.kill(this.report.pids.supervisor, 'SIGKILL');
    await until(() => this.hasEnded, 'the supervisor ends');
  }
}

export interface StartOptions {
  readonly data?: string;
  readonly addresses?: string;
  readonly flags?: readonly string[];
  /** Runs in the shell that becomes Ballast, as `ulimit -f 100;`. */
  readonly shellPrefix?: string;
}

export function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), 'ballast-test-'));
}

/** A /24 of loopback addresses that hardly any other test has; the node's claim tells when one does. */
export function someAddresses(): string {
  return `127.${randomInt(96, 224)}.${randomInt(1, 255)}.0/24`;
}

/** Starts Ballast and waits until it serves. Rejects with what it printed when it ends before. */
export async function startBallast(options: StartOptions = {}): Promise<RunningBallast> {
  const data = options.data ?? temporaryFolder();
  const readyFile = join(tmpdir(), `ballast-ready-${randomUUID()}.json`);
  const addresses = options.addresses ?? someAddresses();
  const free = ['--api', '127.0.0.1:0', '--operator', '127.0.0.1:0', '--dns', '127.0.0.1:0'];
  const flags = [
    'up',
    '--data',
    data,
    ...free,
    '--addresses',
    addresses,
    '--ready-file',
    readyFile,
    ...(options.flags ?? []),
  ];
  const script = `${options.shellPrefix ?? ''} exec "$0" "$@"`;
  const child = spawn('bash', ['-c', script, process.execPath, launcher, ...flags], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '1' },
  });
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (printed += chunk));
  await until(() => existsSync(readyFile) || child.exitCode !== null, 'Ballast is ready or ends', 30_000);
  if (child.exitCode !== null) throw new Error(`ballast up ended with ${child.exitCode}:\n${printed}`);
  return new RunningBallast(child, data, readyFile, () => printed);
}

/** Runs a command of `ballast`, and gives what it printed. */
export async function ballastCommand(...args: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, [launcher, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (printed += chunk));
  const code = await new Promise((resolve) => child.once('close', resolve));
  assert.equal(code, 0, printed);
  return printed;
}

/** Waits for a condition. The limit only ends a test that would hang. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
  limitMs = 60_000,
): Promise<void> {
  const endMs = Date.now() + limitMs;
  while (Date.now() < endMs) {
    if (await condition()) return;
    await sleep(20);
  }
  assert.fail(`never: ${what}`);
}

export async function rejection(promise: Promise<unknown>): Promise<{ name: string; message: string }> {
  try {
    await promise;
  } catch (error) {
    return error as { name: string; message: string };
  }
  throw new assert.AssertionError({ message: 'it was not refused' });
}
