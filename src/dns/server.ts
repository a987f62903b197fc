/**
 * The DNS server's sockets: UDP and TCP on the same port, both bounded. What to answer is decided in `zone.ts`; nothing
 * that a stranger sends, nor the address it seems to come from, may end the process.
 */
import { createSocket, type RemoteInfo, type Socket as UdpSocket } from 'node:dgram';
import { type AddressInfo, createServer, isIPv6, type Server, type Socket } from 'node:net';
import { after } from '#io/timers.ts';
import { answerQuery, type ResponseCode, type Zone } from './zone.ts';

const tcpConnectionsMax = 100;
const tcpQueryMaxMs = 10_000;
const tcpQueryBytesMax = 512;
/** Answers that a TCP client has not read yet. */
const tcpUnsentBytesMax = 64 * 1024;
/** How often another port is tried when 0 was asked for and the TCP port is not free for UDP. */
const portTriesMax = 20;

export interface DnsServerOptions {
  readonly host: string;
  /** 0 picks one that is free for both. */
  readonly port: number;
  /** Asked for each query: what the server knows at the moment. */
  readonly zone: () => Zone;
  /** A TCP client that sends no whole query for so long is hung up on; 10 seconds when not given. */
  readonly tcpQueryMaxMs?: number;
}

/** Queries since the start by the code they were answered with; `ignored` were not queries and got no answer. */
export type QueryCounts = Readonly<Record<ResponseCode | 'ignored', number>>;

export interface DnsServer {
  readonly port: number;
  readonly queries: QueryCounts;
  close(): Promise<void>;
}

/** Listens on UDP and TCP; rejects with the system's error when the address cannot be had. */
export async function startDnsServer(options: DnsServerOptions): Promise<DnsServer> {
  const queries = { NOERROR: 0, FORMERR: 0, NXDOMAIN: 0, NOTIMP: 0, REFUSED: 0, BADVERS: 0, ignored: 0 };
  let turn = 0;
  const answer: Answer = (query, transport) => {
    turn = (turn + 1) % 2 ** 30;
    const reply = answerQuery(options.zone(), query, { turn, transport });
    queries[reply?.code ?? 'ignored'] += 1;
    return reply?.packet;
  };
  for (let tries = 1; ; tries += 1) {
    const clients = new Set<Socket>();
    const tcp = await listenTcp(options.host, options.port, (socket) => {
      clients.add(socket);
      socket.once('close', () => clients.delete(socket));
      serveTcp(socket, options.tcpQueryMaxMs ?? tcpQueryMaxMs, answer);
    });
    const { port } = tcp.address() as AddressInfo;
    try {
      const udp = await listenUdp(options.host, port, answer);
      return { port, queries, close: () => close(tcp, clients, udp) };
    } catch (error) {
      await new Promise((resolve) => tcp.close(resolve));
      if (options.port !== 0 || tries === portTriesMax) throw error;
    }
  }
}

type Answer = (query: Buffer, transport: 'udp' | 'tcp') => Buffer | undefined;

function listenUdp(host: string, port: number, answer: Answer): Promise<UdpSocket> {
  const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
  socket.on('message', (query, from) => serveUdp(socket, query, from, answer));
  return new Promise((resolve, reject) => {
    socket.once('error', (error) => {
      socket.close();
      reject(error);
    });
    socket.bind({ address: host, port, exclusive: true }, () => {
      socket.removeAllListeners('error');
      socket.on('error', () => {});
      resolve(socket);
    });
  });
}

function serveUdp(socket: UdpSocket, query: Buffer, from: RemoteInfo, answer: Answer): void {
  // RFC 768: port 0 says that no reply is wanted. Node throws when it is asked to send there.
  if (from.port === 0) return;
  const reply = answer(query, 'udp');
  // A client that cannot be reached is no concern of ours.
  if (reply !== undefined) socket.send(reply, from.port, from.address, () => {});
}

function listenTcp(host: string, port: number, serve: (socket: Socket) => void): Promise<Server> {
  const server = createServer(serve);
  server.maxConnections = tcpConnectionsMax;
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, exclusive: true }, () => {
      server.off('error', reject);
      server.on('error', () => {});
      resolve(server);
    });
  });
}

/** RFC 7766: each message is preceded by its length in two bytes, and several may follow each other. */
function serveTcp(socket: Socket, queryMaxMs: number, answer: Answer): void {
  let waiting: Buffer = Buffer.alloc(0);
  // Counted from query to query, not from byte to byte: a trickle would hold one of few connections for ever.
  let deadline = after(queryMaxMs, () => socket.destroy());
  socket.once('close', () => deadline.stop());
  socket.on('error', () => {});
  socket.on('data', (bytes: Buffer) => {
    waiting = waiting.length === 0 ? bytes : Buffer.concat([waiting, bytes]);
    while (waiting.length >= 2) {
      const length = waiting.readUInt16BE(0);
      if (length > tcpQueryBytesMax) return socket.destroy();
      if (waiting.length < 2 + length) return undefined;
      const reply = answer(waiting.subarray(2, 2 + length), 'tcp');
      waiting = waiting.subarray(2 + length);
      if (reply === undefined) return socket.destroy();
      const prefix = Buffer.alloc(2);
      prefix.writeUInt16BE(reply.length);
      socket.write(Buffer.concat([prefix, reply]));
      if (socket.writableLength > tcpUnsentBytesMax) return socket.destroy();
      deadline.stop();
      deadline = after(queryMaxMs, () => socket.destroy());
    }
    return undefined;
  });
}

async function close(tcp: Server, clients: ReadonlySet<Socket>, udp: UdpSocket): Promise<void> {
  await new Promise<void>((resolve) => udp.close(resolve));
  await new Promise<void>((resolve) => {
    tcp.close(() => resolve());
    for (const client of clients) client.destroy();
  });
}
