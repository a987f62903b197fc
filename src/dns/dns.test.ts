import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import { connect } from 'node:net';
import test, { type TestContext } from 'node:test';
import dnsPacket, { type DecodedPacket, type Packet } from 'dns-packet';
import fc from 'fast-check';
import { Tables } from '#journal/tables.ts';
import { put } from '#model/change.ts';
import type { Documents } from '#model/documents.ts';
import { type DnsServer, startDnsServer } from './server.ts';
import { answerQuery, type Zone, zoneOf } from './zone.ts';

const apex = 'us-east-1.elb.ballast.internal';
const web = `web-0123456789abcdef.${apex}`;
const idle = `idle-0123456789abcdef.${apex}`;
const zone: Zone = {
  apex,
  names: new Map([
    [web, ['127.80.0.1', '127.81.0.1']],
    [idle, []],
  ]),
  serial: 7,
};

function ask(query: Partial<Packet> & { name?: string; qtype?: string }, turn = 0): DecodedPacket | undefined {
  const { name = web, qtype = 'A', ...rest } = query;
  const packet = dnsPacket.encode({ type: 'query', id: 99, questions: [{ type: qtype as 'A', name }], ...rest });
  const reply = answerQuery(zone, packet, turn);
  return reply === undefined ? undefined : dnsPacket.decode(reply.packet);
}

const rcode = (reply: DecodedPacket | undefined) => (reply as { rcode?: string } | undefined)?.rcode;
const addresses = (reply: DecodedPacket | undefined) =>
  reply?.answers?.map((answer) => ('data' in answer ? answer.data : ''));

test('dns: a load balancer name is answered with its addresses, in turn, with authority', () => {
  const reply = ask({ flags: dnsPacket.RECURSION_DESIRED });
  assert.deepEqual(addresses(reply), ['127.80.0.1', '127.81.0.1']);
  assert.deepEqual(addresses(ask({}, 1)), ['127.81.0.1', '127.80.0.1']);
  assert.deepEqual(
    [reply?.id, reply?.flag_aa, reply?.flag_rd, reply?.flag_ra, rcode(reply)],
    [99, true, true, false, 'NOERROR'],
  );
  assert.equal(
    reply?.answers?.every((answer) => 'ttl' in answer && answer.ttl === 60),
    true,
  );
});

test('dns: names are found in any case, and the question comes back as it was asked', () => {
  const name = web.replace('web', 'wEB').replace('internal', 'InterNal');
  const reply = ask({ name });
  assert.equal(reply?.questions?.[0]?.name, name);
  assert.equal(reply?.answers?.[0]?.name, name);
});

test('dns: unknown names are NXDOMAIN, other types and idle load balancers are empty, both with the SOA', () => {
  for (const [query, expected] of [
    [{ name: `nobody.${apex}` }, 'NXDOMAIN'],
    [{ qtype: 'AAAA' }, 'NOERROR'],
    [{ name: idle }, 'NOERROR'],
    [{ name: apex }, 'NOERROR'],
  ] as const) {
    const reply = ask(query);
    assert.equal(rcode(reply), expected);
    assert.deepEqual(reply?.answers, []);
    assert.deepEqual(
      reply?.authorities?.map(({ type }) => type),
      ['SOA'],
    );
  }
  assert.equal(ask({ name: apex, qtype: 'SOA' })?.answers?.[0]?.type, 'SOA');
  assert.equal(ask({ name: apex, qtype: 'NS' })?.answers?.[0]?.type, 'NS');
});

test('dns: what is not ours is refused, several questions are a format error, other operations are not offered', () => {
  assert.equal(rcode(ask({ name: 'example.com' })), 'REFUSED');
  assert.equal(rcode(ask({ name: `not${apex}` })), 'REFUSED');
  assert.equal(rcode(ask({ questions: [{ type: 'A', name: web, class: 'CH' }] })), 'REFUSED');
  assert.equal(
    rcode(
      ask({
        questions: [
          { type: 'A', name: web },
          { type: 'A', name: web },
        ],
      }),
    ),
    'FORMERR',
  );
  assert.equal(rcode(ask({ flags: 2 << 11 })), 'NOTIMP');
});

test('dns: EDNS is answered in kind', () => {
  const opt = { type: 'OPT', name: '.', udpPayloadSize: 4096, flags: 0, options: [] } as never;
  assert.deepEqual(
    ask({ additionals: [opt] })?.additionals?.map(({ type }) => type),
    ['OPT'],
  );
  assert.deepEqual(ask({})?.additionals, []);
});

test('dns: answers, truncated and stretched packets, and rubbish get no answer and do no harm', () => {
  const query = dnsPacket.encode({ type: 'query', id: 1, questions: [{ type: 'A', name: web }] });
  const response = dnsPacket.encode({ type: 'response', id: 1, questions: [{ type: 'A', name: web }] });
  assert.equal(answerQuery(zone, response, 0), undefined);
  for (let length = 0; length < query.length; length += 1)
    assert.equal(answerQuery(zone, query.subarray(0, length), 0), undefined);
  assert.equal(answerQuery(zone, Buffer.concat([query, Buffer.from('more')]), 0), undefined);
  assert.equal(answerQuery(zone, Buffer.concat([query, Buffer.alloc(600)]), 0), undefined);
  // A name that points at itself.
  const loop = Buffer.concat([query.subarray(0, 12), Buffer.from([0xc0, 0x0c, 0, 1, 0, 1])]);
  assert.equal(answerQuery(zone, loop, 0), undefined);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
      answerQuery(zone, Buffer.from(bytes), 0);
    }),
    { numRuns: 2_000 },
  );
  fc.assert(
    fc.property(fc.nat(query.length - 1), fc.nat(255), (at, byte) => {
      const mutated = Buffer.from(query);
      mutated[at] = byte;
      const reply = answerQuery(zone, mutated, 0);
      if (reply !== undefined) assert.equal(dnsPacket.decode(reply.packet).id, mutated.readUInt16BE(0));
    }),
    { numRuns: 2_000 },
  );
});

test('dns: an address whose node is away is left out while another is there, and given when none is', () => {
  const view = new Tables();
  const loadBalancer = { dnsName: web.toUpperCase(), account: '0', name: 'web' } as Documents['load-balancer'];
  const placement = (nodeId: string, address: string, kind: 'serving' | 'pending') =>
    ({
      loadBalancerId: 'lb',
      nodeId,
      zone: 'a',
      address,
      state: kind === 'serving' ? { kind, sinceMs: 0 } : { kind },
    }) as const;
  view.apply(1, [
    put(view, 'load-balancer', 'lb', loadBalancer),
    put(view, 'placement', 'p1', placement('node-1', '127.0.0.1', 'serving')),
    put(view, 'placement', 'p2', placement('node-2', '127.0.0.2', 'serving')),
    put(view, 'placement', 'p3', placement('node-3', '127.0.0.3', 'pending')),
  ]);
  const given = (...alive: string[]) => zoneOf(view, apex, (nodeId) => alive.includes(nodeId)).names.get(web);
  assert.deepEqual(given('node-1', 'node-2'), ['127.0.0.1', '127.0.0.2']);
  assert.deepEqual(given('node-2', 'node-3'), ['127.0.0.2']);
  assert.deepEqual(given(), ['127.0.0.1', '127.0.0.2']);
});

async function listening(context: TestContext): Promise<DnsServer> {
  const server = await startDnsServer({ host: '127.0.0.1', port: 0, zone: () => zone });
  context.after(() => server.close());
  return server;
}

test('dns server: a resolver gets answers over UDP', async (context) => {
  const { port } = await listening(context);
  const resolver = new Resolver();
  resolver.setServers([`127.0.0.1:${port}`]);
  assert.deepEqual((await resolver.resolve4(web)).sort(), ['127.80.0.1', '127.81.0.1']);
  await assert.rejects(resolver.resolve4(`nobody.${apex}`), { code: 'ENOTFOUND' });
  await assert.rejects(resolver.resolve6(web), { code: 'ENODATA' });
});

test('dns server: over TCP, queries that come byte by byte or together are answered in order', async (context) => {
  const { port } = await listening(context);
  const message = (id: number) => dnsPacket.streamEncode({ type: 'query', id, questions: [{ type: 'A', name: web }] });
  for (const step of [1, 7, 1_000]) {
    const bytes = Buffer.concat([message(1), message(2)]);
    const socket = connect(port, '127.0.0.1');
    socket.setNoDelay(true);
    let received = Buffer.alloc(0);
    const done = new Promise<void>((resolve) => {
      socket.on('data', (chunk: Buffer) => {
        received = Buffer.concat([received, chunk]);
        const first = received.length >= 2 ? 2 + received.readUInt16BE(0) : Number.POSITIVE_INFINITY;
        if (received.length > first && received.length === first + 2 + received.readUInt16BE(first)) resolve();
      });
    });
    for (let at = 0; at < bytes.length; at += step) socket.write(bytes.subarray(at, at + step));
    await done;
    socket.destroy();
    assert.equal(dnsPacket.streamDecode(received).id, 1);
    assert.equal(dnsPacket.streamDecode(received.subarray(2 + received.readUInt16BE(0))).id, 2);
  }
});

test('dns server: rubbish over UDP is ignored, rubbish over TCP ends the connection, and others are served', async (context) => {
  const { port } = await listening(context);
  const udp = createSocket('udp4');
  let answered = 0;
  udp.on('message', () => {
    answered += 1;
  });
  for (const bytes of [Buffer.alloc(0), Buffer.from('rubbish'), Buffer.alloc(512, 0xff), Buffer.alloc(2_000)])
    udp.send(bytes, port, '127.0.0.1');
  const socket = connect(port, '127.0.0.1', () => socket.write('\xff\xffrubbish', 'latin1'));
  socket.on('error', () => {});
  await new Promise((resolve) => socket.once('close', resolve));
  const resolver = new Resolver();
  resolver.setServers([`127.0.0.1:${port}`]);
  assert.equal((await resolver.resolve4(web)).length, 2);
  udp.close();
  assert.equal(answered, 0);
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
