/**
 * What every benchmark needs of the machine: programs pinned to a processor, their processor time, free ports, and the
 * certainty that nothing is left behind. Linux only: the numbers come from /proc.
 */
import type { ChildProcess } from 'node:child_process';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** Clock ticks of /proc/stat a second, the same on every Linux that this runs on. */
const ticksPerSecond = 100;

/** The Debian packages of the programs that are not installed, by program. */
export function missingPackages(programs: Readonly<Record<string, string>>): string[] {
  const missing = Object.entries(programs).filter(([program]) => !isInstalled(program));
  return [...new Set(missing.map(([, name]) => name))];
}

export function isInstalled(program: string): boolean {
  try {
    execFileSync('which', [program], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Programs and files of one benchmark run; `close` leaves nothing of them. */
export class Bench {
  readonly folder = mkdtempSync(join(tmpdir(), 'ballast-bench-'));
  readonly #children: ChildProcess[] = [];

  constructor() {
    // nginx started by root gives its workers to another user.
    chmodSync(this.folder, 0o755);
  }

  /** Starts a program on one processor; resolves when it accepts connections on `port`. */
  async serve(cpu: number, port: number, command: readonly string[], environment = {}): Promise<number> {
    const child = spawn('taskset', ['-c', String(cpu), ...command], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, ...environment },
    });
    let complaint = '';
    child.stderr!.on('data', (text) => {
      complaint = (complaint + text).slice(-2000);
    });
    this.#children.push(child);
    while (!(await accepts(port))) {
      if (child.exitCode !== null) throw new Error(`${command[0]} did not start: ${complaint}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return child.pid!;
  }

  /** Starts a Node process on one processor, with a channel for messages to it. Says what it says, but for news. */
  fork(cpu: number, command: readonly string[]): ChildProcess {
    const child = spawn('taskset', ['-c', String(cpu), process.execPath, ...command], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      serialization: 'advanced',
    });
    this.#children.push(child);
    createInterface(child.stderr!).on('line', (line) => {
      if (!line.includes(' info ')) console.error(line);
    });
    return child;
  }

  /** Starts a program on one processor, to be talked to by its standard input and output. */
  talkTo(cpu: number, command: readonly string[]): ChildProcess {
    const child = spawn('taskset', ['-c', String(cpu), ...command], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#children.push(child);
    return child;
  }

  /** Ends a program before the others. */
  async end(pid: number): Promise<void> {
    const child = this.#children.find((each) => each.pid === pid)!;
    this.#children.splice(this.#children.indexOf(child), 1);
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill();
    await ended;
  }

  /** Runs a program on one processor to its end and returns what it printed. */
  async run(cpu: number, command: readonly string[]): Promise<string> {
    const child = spawn('taskset', ['-c', String(cpu), ...command], { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#children.push(child);
    let output = '';
    child.stdout.on('data', (text) => {
      output += text;
    });
    const [code] = await once(child, 'close');
    this.#children.splice(this.#children.indexOf(child), 1);
    if (code !== 0) throw new Error(`${command[0]} ended with ${code}`);
    return output;
  }

  async close(): Promise<void> {
    const running = this.#children.filter((child) => child.exitCode === null && child.signalCode === null);
    const ended = running.map((child) => once(child, 'exit'));
    for (const child of running) child.kill();
    await Promise.all(ended);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Processor time in microseconds that a process, its threads and its descendants have used, also those that ended. */
export function cpuMicroseconds(pid: number): number {
  // Behind the name in brackets, which may hold anything: fields 16 and 17 of the line, in ticks.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ');
  let total = ((Number(fields[13]) + Number(fields[14])) / ticksPerSecond) * 1e6;
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    total += Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]) / 1000;
    const children = readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean);
    for (const child of children) total += cpuMicroseconds(Number(child));
  }
  return total;
}

/** Resident memory in bytes of a process and its descendants. */
export function residentBytes(pid: number): number {
  const kilobytes = Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]);
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);
  return kilobytes * 1024 + children.reduce((total, child) => total + residentBytes(Number(child)), 0);
}

/** Time in microseconds that a processor was busy with anything at all. */
export function busyMicroseconds(cpu: number): number {
  const line = readFileSync('/proc/stat', 'utf8').split('\n')[cpu + 1]!;
  const [user, nice, system, , , interrupt, softInterrupt, stolen] = line.split(/\s+/).slice(1).map(Number) as number[];
  const ticks = user! + nice! + system! + interrupt! + softInterrupt! + stolen!;
  return (ticks / ticksPerSecond) * 1e6;
}

export async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

async function accepts(port: number): Promise<boolean> {
  const socket = net.connect({ port, host: '127.0.0.1' });
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
