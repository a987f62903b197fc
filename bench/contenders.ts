/**
 * The proxies that are measured, and what is behind them. All set X-Forwarded-For, -Proto and -Port and a trace id,
 * keep connections to the backend, and write no access log; HAProxy and nginx otherwise have their defaults, and once
 * more larger buffers. Proxies have processor 0, the load and everything behind the proxies processor 1.
 */
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { request } from 'node:http';
import net from 'node:net';
import { join } from 'node:path';
import { workerFlags } from '#node/worker-flags.ts';
import { askedRule, type Listener, largeBytes, listeners, rules } from './http-cases.ts';
import { type Bench, freePort, isInstalled } from './machine.ts';
import { type BackendPorts, nginxTargets, type Ports, peerConfigurations } from './peers.ts';

export const proxyCpu = 0;
export const loadCpu = 1;

/** How many targets the listener `churn` has. */
export const churnTargets = 4;

export interface Contender {
  readonly name: string;
  readonly pid: number;
  readonly ports: Ports;
  /** Takes one of the targets of `churn` away, or puts it back. */
  setTarget?(target: number, isThere: boolean): Promise<void> | void;
}

/** A proxy that can be started; some cases begin with a fresh one. */
export interface Program {
  readonly name: string;
  /** With larger buffers than by default. */
  readonly isTuned?: true;
  /** Whether its targets can be taken away and put back while it serves. */
  readonly setsTargets: boolean;
  start(): Promise<Contender>;
}

/** Starts what is behind the proxies and gives the proxies that are installed. */
export async function prepare(bench: Bench): Promise<readonly Program[]> {
  const backends = await startBackends(bench);
  return [
    haproxy(bench, backends, { name: 'HAProxy' }),
    nginx(bench, backends, { name: 'nginx' }),
    haproxy(bench, backends, { name: 'HAProxy tuned', isTuned: true }),
    nginx(bench, backends, { name: 'nginx tuned', isTuned: true }),
    ...(isInstalled('caddy') ? [caddy(bench, backends)] : []),
    ...(isInstalled('envoy') ? [envoy(bench, backends)] : []),
    ballast(bench, backends),
  ];
}

/** Whether it answers as it must, on every listener; says what it serves. */
export async function check({ name, ports }: Contender, say: (line: string) => void): Promise<void> {
  for (const path of ['/small', '/large']) {
    const { status, body } = await get(ports.plain, path, '127.0.0.1');
    if (status !== 200) throw new Error(`${name} answers ${status} to ${path}`);
    say(`${name} serves ${path}, sha256 ${createHash('sha256').update(body).digest('hex').slice(0, 16)}`);
  }
  // Each rule is there, and nothing besides.
  for (const { host, prefix } of rules) {
    const { status } = await get(ports.rules, `${prefix}small`, host);
    if (status !== 200) throw new Error(`${name} answers ${status} for ${host}${prefix}`);
  }
  const { status } = await get(ports.rules, '/app9/small', askedRule.host);
  if (status !== 404) throw new Error(`${name} answers ${status} where no rule applies`);
}

async function startBackends(bench: Bench): Promise<BackendPorts> {
  const [http, echo, ...churn] = (await freePorts(2 + churnTargets)) as [number, number, ...number[]];
  writeFileSync(join(bench.folder, 'large'), Buffer.alloc(largeBytes, 'ballast!'));
  const configuration = peerConfigurations.backend(bench.folder, [http, ...churn]);
  const file = write(bench, 'backend.conf', configuration);
  await bench.serve(loadCpu, http, ['nginx', '-p', bench.folder, '-c', file]);
  await bench.serve(loadCpu, echo, [process.execPath, join(import.meta.dirname, 'echo-backend.ts'), String(echo)]);
  return { http, echo, churn };
}

function haproxy(bench: Bench, backends: BackendPorts, named: Named): Program {
  const start = async (): Promise<Contender> => {
    const ports = await ownPorts();
    const socket = join(bench.folder, `haproxy-${ports.plain}.sock`);
    const text = peerConfigurations.haproxy(ports, backends, { socket, isTuned: named.isTuned === true });
    const file = write(bench, `haproxy-${ports.plain}.cfg`, text);
    const pid = await bench.serve(proxyCpu, ports.plain, ['haproxy', '-db', '-f', file]);
    return {
      name: named.name,
      pid,
      ports,
      setTarget: (target, isThere) =>
        tell(socket, `set server churn/target${target} state ${isThere ? 'ready' : 'maint'}\n`),
    };
  };
  return { ...named, setsTargets: true, start };
}

function nginx(bench: Bench, backends: BackendPorts, named: Named): Program {
  const start = async (): Promise<Contender> => {
    const ports = await ownPorts();
    const targets = targetsFile(join(bench.folder, `nginx-${ports.plain}.targets`), backends, nginxTargets);
    const place = { folder: bench.folder, targets: targets.path, isTuned: named.isTuned === true };
    const file = write(bench, `nginx-${ports.plain}.conf`, peerConfigurations.nginx(ports, backends, place));
    const pid = await bench.serve(proxyCpu, ports.plain, ['nginx', '-p', bench.folder, '-c', file]);
    return { name: named.name, pid, ports, setTarget: targets.setterFor(pid) };
  };
  return { ...named, setsTargets: true, start };
}

function caddy(bench: Bench, backends: BackendPorts): Program {
  const start = async (): Promise<Contender> => {
    const ports = await ownPorts();
    const file = write(bench, `caddy-${ports.plain}`, peerConfigurations.caddy(ports, backends));
    const command = ['caddy', 'run', '--adapter', 'caddyfile', '--config', file];
    const home = { HOME: bench.folder, XDG_DATA_HOME: bench.folder, XDG_CONFIG_HOME: bench.folder };
    return { name: 'Caddy', pid: await bench.serve(proxyCpu, ports.plain, command, home), ports };
  };
  return { name: 'Caddy', setsTargets: false, start };
}

function envoy(bench: Bench, backends: BackendPorts): Program {
  const start = async (): Promise<Contender> => {
    const ports = await ownPorts();
    const file = write(bench, `envoy-${ports.plain}.json`, peerConfigurations.envoy(ports, backends));
    const command = ['envoy', '--concurrency', '1', '--disable-hot-restart', '--log-level', 'error', '-c', file];
    return { name: 'Envoy', pid: await bench.serve(proxyCpu, ports.plain, command), ports };
  };
  return { name: 'Envoy', setsTargets: false, start };
}

function ballast(bench: Bench, backends: BackendPorts): Program {
  const start = async (): Promise<Contender> => {
    const ports = await ownPorts();
    const worker = join(import.meta.dirname, 'ballast-worker.ts');
    const targets = targetsFile(join(bench.folder, `ballast-${ports.plain}.targets`), backends, (those) =>
      [...those].join(' '),
    );
    const numbers = [...listeners.map((listener) => ports[listener]), backends.http, backends.echo];
    const command = [process.execPath, ...workerFlags, worker, targets.path, ...numbers.map(String)];
    const pid = await bench.serve(proxyCpu, ports.plain, command);
    return { name: 'Ballast', pid, ports, setTarget: targets.setterFor(pid) };
  };
  return { name: 'Ballast', setsTargets: true, start };
}

interface Named {
  readonly name: string;
  readonly isTuned?: true;
}

/** A file that lists the targets of `churn`, for proxies that read it anew at SIGHUP. */
function targetsFile(path: string, { churn }: BackendPorts, format: (ports: Iterable<number>) => string) {
  const there = new Set(churn);
  const write = () => writeFileSync(path, format(there));
  write();
  const setterFor = (pid: number) => (target: number, isThere: boolean) => {
    if (isThere) there.add(churn[target]!);
    else there.delete(churn[target]!);
    write();
    process.kill(pid, 'SIGHUP');
  };
  return { path, setterFor };
}

/** The port of each listener. */
async function ownPorts(): Promise<Ports> {
  const ports = await freePorts(listeners.length);
  return Object.fromEntries(listeners.map((listener, index) => [listener, ports[index]!])) as Record<Listener, number>;
}

function freePorts(count: number): Promise<number[]> {
  return Promise.all(Array.from({ length: count }, () => freePort()));
}

function write(bench: Bench, name: string, text: string): string {
  const path = join(bench.folder, name);
  writeFileSync(path, text);
  return path;
}

/** Sends a line to a socket in the file system and waits for its answer. */
function tell(path: string, line: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(path, () => socket.write(line));
    socket.on('error', reject);
    socket.on('close', () => resolve());
    socket.resume();
  });
}

function get(port: number, path: string, host: string): Promise<{ readonly status: number; readonly body: Buffer }> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, path, headers: { host } }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('end', () => resolve({ status: answer.statusCode!, body: Buffer.concat(chunks) }));
      answer.on('error', reject);
    });
    asked.on('error', reject);
    asked.end();
  });
}
