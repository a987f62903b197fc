/**
 * What HTTP/1.1 is measured with: each case is some work, what the processor time of a proxy is divided by, and what
 * Ballast aims at beside the others.
 */

/** The listeners that every proxy has: all to one backend, a hundred rules, WebSocket, and targets that come and go. */
export const listeners = ['plain', 'rules', 'echo', 'churn'] as const;
export type Listener = (typeof listeners)[number];

export type Work =
  /** Requests over `connections`, as fast as they are answered. `uploadBytes`: each with a body of so many. */
  | {
      readonly kind: 'requests';
      readonly path: string;
      readonly connections: number;
      readonly headers: readonly string[];
      readonly uploadBytes?: number;
      /** What is carried each time; the cost is then one of gigabytes. */
      readonly bodyBytes?: number;
      /** The targets change so many times a second meanwhile. */
      readonly changesPerSecond?: number;
    }
  /** Requests that are due at set times, so that one that is slow makes no other wait to be measured. */
  | { readonly kind: 'paced'; readonly path: string; readonly connections: number; readonly perSecond: number }
  /** Messages over `connections` WebSockets, each sent when the one before has come back. */
  | { readonly kind: 'websocket'; readonly connections: number; readonly messageBytes: number }
  /** Connections that have had one request and wait, from `fewConnections` on, which warm up the rest. */
  | { readonly kind: 'idle'; readonly fewConnections: number; readonly connections: number };

export interface Aim {
  /** Ballast's cost over that of these, or of the best of them. */
  readonly over: readonly string[];
  readonly ratioMax: number;
}

export interface HttpCase {
  readonly name: string;
  readonly what: string;
  readonly listener: Listener;
  readonly work: Work;
  readonly unit: 'us/request' | 'us/message' | 'ms/GB' | 'bytes';
  /** Whether HAProxy and nginx take part with larger buffers, too. */
  readonly hasTuned?: true;
  readonly aims: readonly Aim[];
}

const hostsCount = 25;
const prefixesCount = 4;

/** A hundred rules, each for one host and one prefix of paths. */
export const rules = Array.from({ length: hostsCount * prefixesCount }, (_, index) => ({
  host: `h${Math.floor(index / prefixesCount) + 1}.example.com`,
  prefix: `/app${(index % prefixesCount) + 1}/`,
}));
/** In the middle: half of the others come before it. */
export const askedRule = rules[rules.length / 2]!;

export const browserHeaders = [
  'User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Safari/537.36',
  'Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8',
  'Accept-Language: en-US,en;q=0.5',
  'Accept-Encoding: gzip, deflate, br',
  'Cookie: session=6b6f4c2a9d1e4f7b8a3c5d7e9f1a2b3c; theme=dark; consent=1',
];

export const largeBytes = 4 * 1024 * 1024;

const peers = ['HAProxy', 'nginx'];
const tunedPeers = ['HAProxy tuned', 'nginx tuned'];
const keptConnections = { kind: 'requests', path: '/small', connections: 64, headers: browserHeaders } as const;
const fewConnections = { kind: 'requests', connections: 16, headers: browserHeaders } as const;

const aimsForBodies: readonly Aim[] = [
  { over: peers, ratioMax: 0.6 },
  { over: tunedPeers, ratioMax: 1.1 },
];

export const httpCases: readonly HttpCase[] = [
  {
    name: 'keep-alive',
    what: 'small requests over 64 connections that stay open',
    listener: 'plain',
    work: keptConnections,
    unit: 'us/request',
    aims: [{ over: peers, ratioMax: 1 }],
  },
  {
    name: 'rules',
    what: 'the same with 100 rules by host and path, of which the 51st applies',
    listener: 'rules',
    work: {
      ...keptConnections,
      path: `${askedRule.prefix}small`,
      headers: [...browserHeaders, `Host: ${askedRule.host}`],
    },
    unit: 'us/request',
    aims: [{ over: ['HAProxy'], ratioMax: 0.9 }],
  },
  {
    name: 'new-connection',
    what: 'a new connection for every small request',
    listener: 'plain',
    work: { ...keptConnections, headers: [...browserHeaders, 'Connection: close'] },
    unit: 'us/request',
    aims: [{ over: peers, ratioMax: 1.3 }],
  },
  {
    name: 'download',
    what: 'answers of 4 MiB over 16 connections',
    listener: 'plain',
    work: { ...fewConnections, path: '/large', bodyBytes: largeBytes },
    unit: 'ms/GB',
    hasTuned: true,
    aims: aimsForBodies,
  },
  {
    name: 'upload',
    what: 'requests with 4 MiB over 16 connections',
    listener: 'plain',
    work: { ...fewConnections, path: '/upload', bodyBytes: largeBytes, uploadBytes: largeBytes },
    unit: 'ms/GB',
    hasTuned: true,
    aims: aimsForBodies,
  },
  {
    name: 'websocket',
    what: 'WebSocket messages of 64 bytes there and back, one at a time over each of 64 connections',
    listener: 'echo',
    work: { kind: 'websocket', connections: 64, messageBytes: 64 },
    unit: 'us/message',
    aims: [],
  },
  {
    name: 'idle',
    what: 'memory of each of 15,000 connections that have had one request and wait, beyond the first thousand',
    listener: 'plain',
    work: { kind: 'idle', fewConnections: 1_000, connections: 15_000 },
    unit: 'bytes',
    aims: [],
  },
  {
    name: 'churn',
    what: 'small requests while one of four targets goes or comes back ten times a second',
    listener: 'churn',
    work: { ...keptConnections, changesPerSecond: 10 },
    unit: 'us/request',
    aims: [],
  },
  {
    name: 'paced',
    what: 'small requests, 8,000 a second over 64 connections, timed from when each was due',
    listener: 'plain',
    work: { kind: 'paced', path: '/small', connections: 64, perSecond: 8_000 },
    unit: 'us/request',
    aims: [],
  },
];

/** An idle connection holds at most so much, whatever the others need. */
export const idleBytesMax = 4_096;
