import assert from 'node:assert/strict';
import test from 'node:test';
import dnsPacket, { type DecodedPacket, type OptAnswer, type Packet } from 'dns-packet';
import fc from 'fast-check';
import { Tables } from '#journal/tables.ts';
import { put } from '#model/change.ts';
import type { Documents } from '#model/documents.ts';
import { answerQuery, type Zone, zoneOf } from './zone.ts';

const apex = 'us-east-1.elb.ballast.internal';
const web = `web-0123456789abcdef.${apex}`;
const idle = `idle-0123456789abcdef.${apex}`;
/** More addresses than are given, under a name as long as they get. */
const wide = `internal-${'w'.repeat(32)}-0123456789abcdef.${apex}`;
const names = new Map<string, readonly string[]>([
  [web, ['127.80.0.1', '127.81.0.1']],
  [idle, []],
  [wide, Array.from({ length: 12 }, (_, index) => `127.80.0.${index}`)],
]);
const zone: Zone = { apex, serial: 7, addressesOf: (name) => names.get(name) };
const overUdp = { turn: 0, transport: 'udp' } as const;

interface Query extends Omit<Partial<Packet>, 'type'> {
  readonly name?: string;
  readonly qtype?: string;
}

function packetOf({ name = web, qtype = 'A', ...rest }: Query): Buffer {
  return dnsPacket.encode({ type: 'query', id: 99, questions: [{ type: qtype as 'A', name }], ...rest });
}

function ask(query: Query, turn = 0, transport: 'udp' | 'tcp' = 'udp'): DecodedPacket | undefined {
  const reply = answerQuery(zone, packetOf(query), { turn, transport });
  return reply === undefined ? undefined : dnsPacket.decode(reply.packet);
}

function edns(more: Partial<OptAnswer> = {}): OptAnswer {
  const plain = { type: 'OPT', name: '.', udpPayloadSize: 4096, flags: 0, flag_do: false, options: [] } as const;
  return { ...plain, options: [], extendedRcode: 0, ednsVersion: 0, ...more };
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
    [{ name: `below.${web}` }, 'NXDOMAIN'],
    [{ qtype: 'AAAA' }, 'NOERROR'],
    [{ name: idle }, 'NOERROR'],
    [{ name: apex }, 'NOERROR'],
  ] as const) {
    const reply = ask(query);
    assert.equal(rcode(reply), expected);
    assert.deepEqual(reply?.answers, []);
    const [soa] = reply?.authorities ?? [];
    assert(soa?.type === 'SOA');
    assert(soa.ttl! <= 5 && soa.data.minimum! <= 5, 'a name that is made next is not denied for long');
    assert.equal(soa.data.serial, 7);
  }
});

test('dns: the apex has an SOA and an NS, and ANY is answered with one kind of record', () => {
  const typesOf = (query: Query) => ask(query)?.answers?.map(({ type }) => type);
  assert.deepEqual(typesOf({ name: apex, qtype: 'SOA' }), ['SOA']);
  assert.deepEqual(typesOf({ name: apex, qtype: 'NS' }), ['NS']);
  assert.deepEqual(typesOf({ name: apex, qtype: 'ANY' }), ['SOA']);
  assert.deepEqual(typesOf({ qtype: 'ANY' }), ['A', 'A']);
});

test('dns: what is not ours is refused, several questions are a format error, other operations are not offered', () => {
  assert.equal(rcode(ask({ name: 'example.com' })), 'REFUSED');
  assert.equal(rcode(ask({ name: `not${apex}` })), 'REFUSED');
  assert.equal(rcode(ask({ questions: [{ type: 'A', name: web, class: 'CH' }] })), 'REFUSED');
  assert.equal(rcode(ask({ questions: [] })), 'FORMERR');
  const question = { type: 'A', name: web } as const;
  assert.equal(rcode(ask({ questions: [question, question] })), 'FORMERR');
  assert.equal(rcode(ask({ flags: 2 << 11 })), 'NOTIMP');
  assert.equal(ask({ name: 'example.com' })?.flag_aa, false);
});

test('dns: EDNS is answered in kind, its later versions with BADVERS, and twice is a format error', () => {
  const options = (reply: DecodedPacket | undefined) =>
    reply?.additionals?.map((record) => (record.type === 'OPT' ? record.extendedRcode : record.type));
  assert.deepEqual(options(ask({ additionals: [edns()] })), [0]);
  assert.deepEqual(options(ask({})), []);
  const later = ask({ additionals: [edns({ ednsVersion: 1 })] });
  // BADVERS is 16: nothing in the header, 1 in the upper bits.
  assert.deepEqual([rcode(later), options(later), later?.answers], ['NOERROR', [1], []]);
  assert.equal(rcode(ask({ additionals: [edns(), edns()] })), 'FORMERR');
});

test('dns: no more than eight addresses are given, and a reply too long for its transport says that it is cut', () => {
  assert.equal(addresses(ask({ name: wide }, 0, 'tcp'))?.length, 8);
  assert.equal(addresses(ask({ name: wide, additionals: [edns()] }))?.length, 8);
  assert.deepEqual(addresses(ask({ name: wide }, 11, 'tcp'))?.slice(0, 2), ['127.80.0.11', '127.80.0.0']);
  for (const additionals of [[], [edns({ udpPayloadSize: 512 })], [edns({ udpPayloadSize: 1 })]]) {
    const cut = ask({ name: wide, additionals });
    assert.deepEqual([cut?.flag_tc, cut?.flag_aa, rcode(cut), addresses(cut)], [true, true, 'NOERROR', []]);
  }
  assert.equal(ask({ name: wide }, 0, 'tcp')?.flag_tc, false);
});

test('dns: whatever a client claims to take, a reply over UDP stays within what networks carry whole', () => {
  const long = `${'a'.repeat(60)}.${'b'.repeat(60)}.${'c'.repeat(60)}.${'d'.repeat(30)}.${apex}`;
  const many: Zone = { ...zone, addressesOf: () => names.get(wide) };
  const query = packetOf({ name: long, additionals: [edns({ udpPayloadSize: 65_535 })] });
  const over = (transport: 'udp' | 'tcp') => answerQuery(many, query, { turn: 0, transport })!.packet;
  assert(over('tcp').length > 1_232);
  assert(over('udp').length <= 1_232);
  assert.equal(dnsPacket.decode(over('udp')).flag_tc, true);
});

test('dns: answers, truncated and stretched packets, and rubbish get no answer and do no harm', () => {
  const query = packetOf({});
  const silent = (packet: Buffer) => assert.equal(answerQuery(zone, packet, overUdp), undefined);
  silent(dnsPacket.encode({ type: 'response', id: 1, questions: [{ type: 'A', name: web }] }));
  for (let length = 0; length < query.length; length += 1) silent(query.subarray(0, length));
  silent(Buffer.concat([query, Buffer.from('more')]));
  silent(Buffer.concat([query, Buffer.alloc(600)]));
  const withName = (...name: number[]) => Buffer.concat([query.subarray(0, 12), Buffer.from([...name, 0, 1, 0, 1])]);
  silent(withName(0xc0, 0x0c));
  silent(withName(3, 0x61, 0x2e, 0x62, 0));
  silent(withName(1, 0xff, 0));
  const label = [...Buffer.from(`\x3f${'a'.repeat(63)}`)];
  silent(withName(...label, ...label, ...label, ...label, 0));
  const strangeClass = Buffer.from(query);
  strangeClass.writeUInt16BE(0x8001, query.length - 2);
  silent(strangeClass);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
      answerQuery(zone, Buffer.from(bytes), overUdp);
    }),
    { numRuns: 2_000 },
  );
});

test('dns: however a query is mutated, what is answered is echoed byte for byte', () => {
  const query = packetOf({ additionals: [edns()] });
  const mutation = fc.tuple(fc.nat(query.length - 1), fc.nat(255));
  fc.assert(
    fc.property(fc.array(mutation, { minLength: 1, maxLength: 4 }), (mutations) => {
      const mutated = Buffer.from(query);
      for (const [at, byte] of mutations) mutated[at] = byte;
      const reply = answerQuery(zone, mutated, overUdp);
      if (reply === undefined) return;
      assert.equal(reply.packet.readUInt16BE(0), mutated.readUInt16BE(0));
      assert(reply.packet.length <= 1_232);
      const { questions } = dnsPacket.decode(mutated);
      const end = dnsPacket.encode({ questions: questions! }).length;
      assert.deepEqual(reply.packet.subarray(12, end), mutated.subarray(12, end));
    }),
    { numRuns: 3_000 },
  );
});

test('dns: an address whose node is away is left out while another is there, and given when none is', () => {
  const view = new Tables();
  const loadBalancer = { dnsName: web, account: '0', name: 'web' } as Documents['load-balancer'];
  const placement = (nodeId: string, address: string, kind: 'serving' | 'pending') =>
    ({
      loadBalancerId: 'lb',
      nodeId,
      zone: 'a',
      address,
      state: kind === 'serving' ? { kind, sinceMs: 0 } : { kind },
    }) as const;
  view.apply(
    1,
    [
      put(view, 'load-balancer', 'lb', loadBalancer),
      put(view, 'placement', 'lb/p1', placement('node-1', '127.0.0.1', 'serving')),
      put(view, 'placement', 'lb/p2', placement('node-2', '127.0.0.2', 'serving')),
      put(view, 'placement', 'lb/p3', placement('node-3', '127.0.0.3', 'pending')),
    ],
    0,
  );
  const given = (...alive: string[]) => zoneOf(view, apex, (nodeId) => alive.includes(nodeId)).addressesOf(web);
  assert.deepEqual(given('node-1', 'node-2'), ['127.0.0.1', '127.0.0.2']);
  assert.deepEqual(given('node-2', 'node-3'), ['127.0.0.2']);
  assert.deepEqual(given(), ['127.0.0.1', '127.0.0.2']);
});

test('dns: a zone says what its view says now', () => {
  const view = new Tables();
  const current = zoneOf(view, apex, () => true);
  assert.equal(current.addressesOf(web), undefined);
  const loadBalancer = { dnsName: web, account: '0', name: 'web' } as Documents['load-balancer'];
  view.apply(1, [put(view, 'load-balancer', 'lb', loadBalancer)], 0);
  assert.deepEqual([current.serial, current.addressesOf(web)], [1, []]);
});

test('dns: an address that leaves is given only while no other serves', () => {
  const view = new Tables();
  const loadBalancer = { dnsName: web, account: '0', name: 'web' } as Documents['load-balancer'];
  const placed = (nodeId: string, address: string, state: Documents['placement']['state']) =>
    put(view, 'placement', `lb/${nodeId}`, { loadBalancerId: 'lb', nodeId, zone: 'a', address, state });
  const current = zoneOf(view, apex, () => true);
  view.apply(
    1,
    [
      put(view, 'load-balancer', 'lb', loadBalancer),
      placed('node-1', '127.0.0.1', { kind: 'leaving', sinceMs: 0 }),
      placed('node-2', '127.0.0.2', { kind: 'pending' }),
    ],
    0,
  );
  assert.deepEqual(current.addressesOf(web), ['127.0.0.1']);
  view.apply(2, [placed('node-2', '127.0.0.2', { kind: 'serving', sinceMs: 0 })], 0);
  assert.deepEqual(current.addressesOf(web), ['127.0.0.2']);
});
