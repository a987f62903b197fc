import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import test, { type TestContext } from 'node:test';
import dnsPacket from 'dns-packet';
import { every } from '#io/timers.ts';
import { type DnsServer, type DnsServerOptions, startDnsServer } from './server.ts';
import type { Zone } from './zone.ts';

const apex = 'us-east-1.elb.ballast.internal';
const web = `web-0123456789abcdef.${apex}`;
const wide = `wide-0123456789abcdef.${apex}`;
const names = new Map<string, readonly string[]>([
  [web, ['127.80.0.1', '127.81.0.1']],
  [wide, Array.from({ length: 8 }, (_, index) => `127.80.0.${index}`)],
]);
const zone: Zone = { apex, serial: 7, addressesOf: (name) => names.get(name) };

async function listening(context: TestContext, more: Partial<DnsServerOptions> = {}): Promise<DnsServer> {
  const server = await startDnsServer({ host: '127.0.0.1', port: 0, zone: () => zone, ...more });
  context.after(() => server.close());
  return server;
}

function resolverFor(port: number): Resolver {
  const resolver = new Resolver();
  resolver.setServers([`127.0.0.1:${port}`]);
  return resolver;
}

const queryFor = (name: string, id: number) =>
  dnsPacket.encode({ type: 'query', id, questions: [{ type: 'A', name }] });
const streamQuery = (id: number) =>
  dnsPacket.streamEncode({ type: 'query', id, questions: [{ type: 'A', name: web }] });

test('dns server: a resolver gets answers over UDP, and they are counted by their code', async (context) => {
  const { port, queries } = await listening(context);
  const resolver = resolverFor(port);
  assert.deepEqual((await resolver.resolve4(web)).sort(), ['127.80.0.1', '127.81.0.1']);
  await assert.rejects(resolver.resolve4(`nobody.${apex}`), { code: 'ENOTFOUND' });
  await assert.rejects(resolver.resolve6(web), { code: 'ENODATA' });
  assert.deepEqual(queries, {
    NOERROR: 2,
    FORMERR: 0,
    NXDOMAIN: 1,
    NOTIMP: 0,
    REFUSED: 0,
    BADVERS: 0,
    ignored: 0,
  });
});

test('dns server: over TCP, queries that come byte by byte or together are answered in order', async (context) => {
  const { port } = await listening(context);
  for (const step of [1, 7, 1_000]) {
    const bytes = Buffer.concat([streamQuery(1), streamQuery(2)]);
    const socket = connect(port, '127.0.0.1');
    socket.setNoDelay(true);
    for (let at = 0; at < bytes.length; at += step) socket.write(bytes.subarray(at, at + step));
    const received = await receive(socket, 2);
    socket.destroy();
    assert.deepEqual(
      received.map((packet) => dnsPacket.decode(packet).id),
      [1, 2],
    );
  }
});

/** Waits for so many length-prefixed messages. */
async function receive(socket: Socket, count: number): Promise<Buffer[]> {
  const messages: Buffer[] = [];
  let waiting: Buffer = Buffer.alloc(0);
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    waiting = Buffer.concat([waiting, chunk as Buffer]);
    while (waiting.length >= 2 && waiting.length >= 2 + waiting.readUInt16BE(0)) {
      const end = 2 + waiting.readUInt16BE(0);
      messages.push(waiting.subarray(2, end));
      waiting = waiting.subarray(end);
    }
    if (messages.length >= count) break;
  }
  return messages;
}

test('dns server: an answer that was cut over UDP is whole over TCP', async (context) => {
  const { port } = await listening(context);
  const udp = createSocket('udp4');
  context.after(() => udp.close());
  udp.send(queryFor(wide, 1), port, '127.0.0.1');
  const [cut] = (await once(udp, 'message')) as [Buffer];
  assert.deepEqual([cut.length <= 512, dnsPacket.decode(cut).flag_tc], [true, true]);
  // This resolver, as resolvers do, takes the hint by itself.
  assert.equal((await resolverFor(port).resolve4(wide)).length, 8);
});

test('dns server: rubbish over UDP is ignored and counted, and queries among it are answered', async (context) => {
  const { port, queries } = await listening(context);
  const udp = createSocket('udp4');
  context.after(() => udp.close());
  const rubbish = [Buffer.alloc(0), Buffer.from('rubbish'), Buffer.alloc(512, 0xff), Buffer.alloc(2_000)];
  const received: number[] = [];
  udp.on('message', (packet) => received.push(dnsPacket.decode(packet).id!));
  for (const bytes of [...rubbish, queryFor(web, 77)]) udp.send(bytes, port, '127.0.0.1');
  // Datagrams keep their order on the loopback: an answer to rubbish would have come before this one.
  await once(udp, 'message');
  assert.deepEqual(received, [77]);
  assert.equal(queries.ignored, rubbish.length);
});

test('dns server: rubbish over TCP ends its connection, and others are served', async (context) => {
  // So long that only the rubbish itself can be what ends a connection.
  const { port } = await listening(context, { tcpQueryMaxMs: 3_600_000 });
  for (const bytes of ['\xff\xffa length that no query has', '\x00\x07rubbish', '\x00\x00']) {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes, 'latin1'));
    socket.on('error', () => {});
    socket.resume();
    await once(socket, 'close');
  }
  assert.equal((await resolverFor(port).resolve4(web)).length, 2);
});

test('dns server: a TCP client that asks nothing is hung up on', async (context) => {
  const { port } = await listening(context, { tcpQueryMaxMs: 100 });
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  socket.resume();
  await once(socket, 'close');
});

test('dns server: a TCP client that sends a byte now and then is hung up on all the same', async (context) => {
  const { port } = await listening(context, { tcpQueryMaxMs: 200 });
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  socket.resume();
  socket.write(streamQuery(1));
  await once(socket, 'data');
  const promisedBytes = 512;
  socket.write(Buffer.from([promisedBytes >> 8, promisedBytes & 0xff]));
  let sentBytes = 0;
  const trickle = every(10, () => {
    if (!socket.destroyed) socket.write('x', () => (sentBytes += 1));
  });
  context.after(() => trickle.stop());
  // `once` would reject with the reset that hanging up may be.
  await new Promise((resolve) => socket.once('close', resolve));
  assert(sentBytes < promisedBytes, 'not because what was promised had come');
});

test('dns server: a datagram from port 0 gets no answer and does not end the server', async (context) => {
  const { port, queries } = await listening(context);
  const forge = `import socket, struct, sys
query = bytes.fromhex(sys.argv[2])
raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP)
raw.sendto(struct.pack('!HHHH', 0, int(sys.argv[1]), 8 + len(query), 0) + query, ('127.0.0.1', 0))`;
  const { status } = spawnSync('python3', ['-c', forge, String(port), queryFor(web, 1).toString('hex')]);
  if (status !== 0) return context.skip('needs python3 and the right to open a raw socket');
  assert.equal((await resolverFor(port).resolve4(web)).length, 2);
  assert.equal(queries.NOERROR, 1);
});

test('dns server: dig gets the same answers over UDP and TCP', async (context) => {
  if (spawnSync('dig', ['-v']).status !== 0) return context.skip('dig is not installed');
  const { port } = await listening(context);
  for (const transport of ['+notcp', '+tcp']) {
    const dig = spawn('dig', ['@127.0.0.1', '-p', String(port), '+short', '+tries=1', transport, web, 'A']);
    let printed = '';
    dig.stdout.on('data', (text) => {
      printed += text;
    });
    await once(dig, 'close');
    assert.deepEqual(printed.trim().split('\n').sort(), ['127.80.0.1', '127.81.0.1']);
  }
});

test('dns server: a port that is in use is the caller to hear of, whichever half is taken', async (context) => {
  const { port } = await listening(context);
  await assert.rejects(startDnsServer({ host: '127.0.0.1', port, zone: () => zone }), { code: 'EADDRINUSE' });
  const udp = createSocket('udp4');
  await new Promise<void>((resolve) => udp.bind(0, '127.0.0.1', resolve));
  context.after(() => udp.close());
  await assert.rejects(startDnsServer({ host: '127.0.0.1', port: udp.address().port, zone: () => zone }), {
    code: 'EADDRINUSE',
  });
});
