/**
 * HTTP/1.1 through Ballast, HAProxy and nginx: the same backend, load and work, one after the other in every round, so
 * that what disturbs the machine disturbs all of them. All three set X-Forwarded-For, -Proto and -Port and a trace id,
 * and keep connections to the backend. Proxies have processor 0, the load and the backend processor 1.
 */
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import type { Bench } from './machine.ts';
import { busyMicroseconds, cpuMicroseconds, freePort, median } from './machine.ts';

export interface HttpCase {
  readonly name: string;
  readonly what: string;
  readonly path: string;
  readonly connections: number;
  readonly headers: readonly string[];
  /** What the processor time is divided by. */
  readonly unit: 'request' | 'gigabyte';
  /** Goes where 100 rules are tried instead of one. */
  readonly hasRules?: true;
}

const hostsCount = 25;
const prefixesCount = 4;

/** A hundred rules, each for one host and one prefix of paths. */
export const rules = Array.from({ length: hostsCount * prefixesCount }, (_, index) => ({
  host: `h${Math.floor(index / prefixesCount) + 1}.example.com`,
  prefix: `/app${(index % prefixesCount) + 1}/`,
}));
/** In the middle: half of the others come before it. */
const askedRule = rules[rules.length / 2]!;

const browserHeaders = [
  'User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Safari/537.36',
  'Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8',
  'Accept-Language: en-US,en;q=0.5',
  'Accept-Encoding: gzip, deflate, br',
  'Cookie: session=6b6f4c2a9d1e4f7b8a3c5d7e9f1a2b3c; theme=dark; consent=1',
];

export const httpCases: readonly HttpCase[] = [
  {
    name: 'keep-alive',
    what: 'small requests over 64 connections that stay open',
    path: '/small',
    connections: 64,
    headers: browserHeaders,
    unit: 'request',
  },
  {
    name: 'rules',
    what: 'the same with 100 rules by host and path, of which the 51st applies',
    path: `${askedRule.prefix}small`,
    connections: 64,
    headers: [...browserHeaders, `Host: ${askedRule.host}`],
    unit: 'request',
    hasRules: true,
  },
  {
    name: 'new-connection',
    what: 'a new connection for every small request',
    path: '/small',
    connections: 64,
    headers: [...browserHeaders, 'Connection: close'],
    unit: 'request',
  },
  {
    name: 'download',
    what: 'answers of 4 MiB over 16 connections',
    path: '/large',
    connections: 16,
    headers: browserHeaders,
    unit: 'gigabyte',
  },
];

interface Contender {
  readonly name: string;
  readonly port: number;
  /** Where it has 100 rules. */
  readonly rulesPort: number;
  readonly pid: number;
}

interface Run {
  /** Microseconds a request, or milliseconds a gigabyte. */
  readonly cost: number;
  readonly perSecond: number;
  readonly p99Ms: number;
}

export interface HttpResult {
  readonly case: string;
  readonly unit: HttpCase['unit'];
  readonly rounds: number;
  readonly contenders: readonly ContenderResult[];
}

export interface ContenderResult {
  readonly name: string;
  readonly cost: number;
  /** Median over rounds of its cost over HAProxy's in the same round. */
  readonly ratio: number;
  readonly perSecond: number;
  readonly p99Ms: number;
}

const proxyCpu = 0;
const loadCpu = 1;
/** A run is repeated while others had more of the proxies' processor than this, up to so many times. */
const foreignShareMax = 0.08;
const repeatsMax = 3;
const largeBytes = 4 * 1024 * 1024;

/** Starts everything that the cases need. */
export async function startContenders(bench: Bench, say: (line: string) => void): Promise<readonly Contender[]> {
  const [backend, haproxy, nginx, ballast] = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
  const [haproxyRules, nginxRules, ballastRules] = await Promise.all([freePort(), freePort(), freePort()]);
  writeFileSync(join(bench.folder, 'large'), Buffer.alloc(largeBytes, 'ballast!'));
  const file = (name: string, text: string) => {
    const path = join(bench.folder, name);
    writeFileSync(path, text);
    return path;
  };
  const backendFile = file('backend.conf', backendConfiguration(bench.folder, backend));
  await bench.serve(loadCpu, backend, ['nginx', '-p', bench.folder, '-c', backendFile]);
  const haproxyFile = file('haproxy.cfg', haproxyConfiguration(haproxy, haproxyRules, backend));
  const nginxFile = file('nginx.conf', nginxConfiguration(bench.folder, nginx, nginxRules, backend));
  const worker = join(import.meta.dirname, 'ballast-worker.ts');
  const haproxyCommand = ['haproxy', '-db', '-f', haproxyFile];
  const nginxCommand = ['nginx', '-p', bench.folder, '-c', nginxFile];
  const ballastCommand = [process.execPath, worker, ...[ballast, ballastRules, backend].map(String)];
  const contenders = [
    { name: 'HAProxy', port: haproxy, rulesPort: haproxyRules, command: haproxyCommand },
    { name: 'nginx', port: nginx, rulesPort: nginxRules, command: nginxCommand },
    { name: 'Ballast', port: ballast, rulesPort: ballastRules, command: ballastCommand },
  ];
  const started: Contender[] = [];
  for (const { name, port, rulesPort, command } of contenders) {
    started.push({ name, port, rulesPort, pid: await bench.serve(proxyCpu, port, command) });
    for (const path of ['/small', '/large']) {
      const { status, body } = await get(port, path, '127.0.0.1');
      if (status !== 200) throw new Error(`${name} answers ${status} to ${path}`);
      say(`${name} serves ${path}, sha256 ${createHash('sha256').update(body).digest('hex').slice(0, 16)}`);
    }
    // Each rule is there, and nothing besides.
    for (const { host, prefix } of rules) {
      const { status } = await get(rulesPort, `${prefix}small`, host);
      if (status !== 200) throw new Error(`${name} answers ${status} for ${host}${prefix}`);
    }
    const { status } = await get(rulesPort, '/app9/small', askedRule.host);
    if (status !== 404) throw new Error(`${name} answers ${status} where no rule applies`);
  }
  return started;
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

export async function measure(
  bench: Bench,
  contenders: readonly Contender[],
  httpCase: HttpCase,
  { rounds, seconds }: { readonly rounds: number; readonly seconds: number },
  say: (line: string) => void,
): Promise<HttpResult> {
  const runs = new Map<Contender, Run[]>(contenders.map((contender) => [contender, []]));
  // One round before those that count: code is compiled, connections and buffers are there.
  for (let round = 0; round <= rounds; round += 1) {
    for (const contender of contenders) {
      const run = await runOnce(bench, contender, httpCase, seconds);
      say(`${httpCase.name} ${round}/${rounds} ${contender.name}: ${format(run.cost)} ${unitOf(httpCase.unit)}`);
      if (round > 0) runs.get(contender)!.push(run);
    }
  }
  const first = runs.get(contenders[0]!)!;
  return {
    case: httpCase.name,
    unit: httpCase.unit,
    rounds,
    contenders: contenders.map((contender) => {
      const own = runs.get(contender)!;
      return {
        name: contender.name,
        cost: median(own.map((run) => run.cost)),
        ratio: median(own.map((run, round) => run.cost / first[round]!.cost)),
        perSecond: median(own.map((run) => run.perSecond)),
        p99Ms: median(own.map((run) => run.p99Ms)),
      };
    }),
  };
}

export function unitOf(unit: HttpCase['unit']): string {
  return unit === 'request' ? 'us/request' : 'ms/GB';
}

export function format(value: number): string {
  return value.toFixed(value < 100 ? 2 : 0);
}

async function runOnce(bench: Bench, contender: Contender, httpCase: HttpCase, seconds: number): Promise<Run> {
  for (let repeat = 0; ; repeat += 1) {
    const busyBefore = busyMicroseconds(proxyCpu);
    const before = cpuMicroseconds(contender.pid);
    const output = await bench.run(loadCpu, [
      'wrk',
      '-t1',
      `-c${httpCase.connections}`,
      `-d${seconds}`,
      '--latency',
      ...httpCase.headers.flatMap((header) => ['-H', header]),
      `http://127.0.0.1:${httpCase.hasRules ? contender.rulesPort : contender.port}${httpCase.path}`,
    ]);
    const used = cpuMicroseconds(contender.pid) - before;
    const foreign = busyMicroseconds(proxyCpu) - busyBefore - used;
    if (foreign / (seconds * 1e6) <= foreignShareMax || repeat === repeatsMax) return readRun(output, used, httpCase);
  }
}

function readRun(output: string, usedMicroseconds: number, { unit, name }: HttpCase): Run {
  const complaint = /Non-2xx.*|Socket errors: (?!connect 0, read 0, write 0, timeout 0).*/.exec(output);
  if (complaint !== null) throw new Error(`${name}: ${complaint[0]}`);
  const [, requests, duration] = /(\d+) requests in ([\d.]+)s/.exec(output)!.map(Number) as [number, number, number];
  const [, p99, p99Unit] = /99%\s+([\d.]+)(us|ms|s)/.exec(output)!;
  const amount = unit === 'request' ? requests : (requests * largeBytes) / 1e6;
  return {
    cost: usedMicroseconds / amount,
    perSecond: requests / duration,
    p99Ms: Number(p99) * { us: 0.001, ms: 1, s: 1000 }[p99Unit as 'us' | 'ms' | 's'],
  };
}

function backendConfiguration(folder: string, port: number): string {
  return `daemon off; worker_processes 1; pid ${folder}/backend.pid; error_log ${folder}/backend.log;
events { worker_connections 8192; }
http {
  access_log off; sendfile on; keepalive_requests 1000000000;
  ${temporaryPaths(folder)}
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location ~ ^/(app\\d/)?small$ { default_type text/plain; return 200 "${'0123456789'.repeat(10)}"; }
    location = /large { root ${folder}; }
  }
}
`;
}

function haproxyConfiguration(port: number, rulesPort: number, backend: number): string {
  const settings = `option forwardfor
  unique-id-format Root=1-%Ts-%[uuid()]
  unique-id-header X-Amzn-Trace-Id
  http-request set-header X-Forwarded-Proto http`;
  const uses = rules.map(({ host, prefix }) => `  use_backend out if { hdr(host) -i ${host} } { path_beg ${prefix} }`);
  return `global
  nbthread 1
  maxconn 8192
defaults
  mode http
  timeout connect 10s
  timeout client 60s
  timeout server 60s
frontend in
  bind 127.0.0.1:${port}
  ${settings}
  http-request set-header X-Forwarded-Port ${port}
  default_backend out
frontend in-rules
  bind 127.0.0.1:${rulesPort}
  ${settings}
  http-request set-header X-Forwarded-Port ${rulesPort}
${uses.join('\n')}
  default_backend none
backend none
  http-request return status 404
backend out
  http-reuse always
  server one 127.0.0.1:${backend} pool-max-conn 1024
`;
}

function nginxConfiguration(folder: string, port: number, rulesPort: number, backend: number): string {
  const pass = (listenPort: number) => `
      proxy_pass http://out;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto http;
      proxy_set_header X-Forwarded-Port ${listenPort};
      proxy_set_header X-Amzn-Trace-Id Root=1-$msec-$request_id;
    `;
  const servers = [...new Set(rules.map(({ host }) => host))].map((host) => {
    const own = rules.filter((rule) => rule.host === host);
    const locations = own.map(({ prefix }) => `location ${prefix} {${pass(rulesPort)}}`);
    return `server { listen 127.0.0.1:${rulesPort}; server_name ${host}; ${locations.join('\n')} location / { return 404; } }`;
  });
  return `daemon off; worker_processes 1; pid ${folder}/nginx.pid; error_log ${folder}/nginx.log;
events { worker_connections 8192; }
http {
  access_log off; keepalive_requests 1000000000;
  ${temporaryPaths(folder)}
  upstream out { server 127.0.0.1:${backend}; keepalive 1024; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / {${pass(port)}}
  }
  ${servers.join('\n  ')}
}
`;
}

/** Without these nginx wants to write where only root may. */
function temporaryPaths(folder: string): string {
  return ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${folder}/${name};`)
    .join(' ');
}
