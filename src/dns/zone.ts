/**
 * What the DNS server knows, and how it answers: pure, a packet in, a packet or silence out. It is authoritative for
 * `REGION.elb.DOMAIN` and for nothing else, and it echoes a question byte for byte or does not answer it.
 */
import dnsPacket, {
  type Answer,
  type DecodedPacket,
  type OptAnswer,
  type Packet,
  type Question,
  type SoaAnswer,
} from 'dns-packet';
import { findFirst, type View } from '#model/view.ts';

/** As for load balancers at AWS: clients follow a change within a minute. */
const addressTtlSeconds = 60;
/** How long "there is no such name" may be remembered: short, because a load balancer may be made the next second. */
const negativeTtlSeconds = 5;
const headerBytes = 12;
/** A query is one question; anything longer than a plain packet is not one (RFC 1035, section 2.3.4). */
const queryBytesMax = 512;
/** What a client gets over UDP that does not say how much it can take (RFC 1035, section 2.3.4). */
const udpReplyBytesMin = 512;
/** More is not sent over UDP, whatever the client says: it would be cut to pieces on the way, and pieces get lost. */
const udpReplyBytesMax = 1_232;
const tcpReplyBytesMax = 65_535;
const answersMax = 8;
const sectionRecordsMax = 4;

export interface Zone {
  /** `us-east-1.elb.ballast.internal`, in lower case. */
  readonly apex: string;
  /** Rises with the state. */
  readonly serial: number;
  /** The addresses to give for a name in lower case; undefined when no load balancer is called so. */
  addressesOf(name: string): readonly string[] | undefined;
}

/**
 * The names of all load balancers, looked up in the view when they are asked for, so that a change costs nothing here
 * however many there are. An address that leaves is given out while no other serves. One whose node is not connected
 * is left out while another one is there; when none is left, all are given: one that may answer is better than none.
 */
export function zoneOf(view: View, apex: string, isAlive: (nodeId: string) => boolean): Zone {
  return {
    apex,
    get serial() {
      return view.revision;
    },
    addressesOf: (name) => {
      const loadBalancer = findFirst(view, 'loadBalancerByDnsName', name);
      if (loadBalancer === undefined) return undefined;
      const placements = [...view.find('placementsOfLoadBalancer', loadBalancer.id)].map(({ document }) => document);
      const inState = (kind: 'serving' | 'leaving') => placements.filter(({ state }) => state.kind === kind);
      const inService = inState('serving');
      const serving = inService.length > 0 ? inService : inState('leaving');
      const alive = serving.filter(({ nodeId }) => isAlive(nodeId));
      return (alive.length > 0 ? alive : serving).map(({ address }) => address);
    },
  };
}

/** RFC 1035, section 4.1.1; BADVERS is RFC 6891, section 9. */
const responseCodes = { NOERROR: 0, FORMERR: 1, NXDOMAIN: 3, NOTIMP: 4, REFUSED: 5, BADVERS: 16 } as const;

export type ResponseCode = keyof typeof responseCodes;

export interface Reply {
  readonly packet: Buffer;
  readonly code: ResponseCode;
}

/**
 * Answers one query. Undefined, which means silence, for what is not a query: answering rubbish would make us a tool
 * against whoever's address it bears. `turn` decides which address stands first; a reply that is too long for its
 * transport comes without records and with the bit that says so (RFC 2181, section 9), and the client asks over TCP.
 */
export function answerQuery(
  zone: Zone,
  query: Buffer,
  { turn, transport }: { readonly turn: number; readonly transport: 'udp' | 'tcp' },
): Reply | undefined {
  const decoded = decode(query);
  if (decoded === undefined) return undefined;
  const options = (decoded.additionals ?? []).filter((record): record is OptAnswer => record.type === 'OPT');
  const decision = decide(zone, decoded, options, turn);
  const packet = encode(decoded, options, decision);
  const takenBytes = Math.max(options[0]?.udpPayloadSize ?? 0, udpReplyBytesMin);
  const bytesMax = transport === 'tcp' ? tcpReplyBytesMax : Math.min(takenBytes, udpReplyBytesMax);
  if (packet.length <= bytesMax) return { packet, code: decision.code };
  const { code, isAuthoritative } = decision;
  return { packet: encode(decoded, options, { code, isAuthoritative, isTruncated: true }), code };
}

interface Decision {
  readonly code: ResponseCode;
  readonly isAuthoritative: boolean;
  readonly isTruncated?: boolean;
  readonly answers?: Answer[];
  readonly authorities?: Answer[];
}

function decide(zone: Zone, query: DecodedPacket, options: readonly OptAnswer[], turn: number): Decision {
  // The type declarations leave the operation out; the flags hold it (RFC 1035, section 4.1.1).
  if (((query.flags! >> 11) & 0xf) !== 0) return { code: 'NOTIMP', isAuthoritative: false };
  // RFC 6891, sections 6.1.1 and 6.1.3.
  if (options.length > 1) return { code: 'FORMERR', isAuthoritative: false };
  if (options.some(({ ednsVersion }) => ednsVersion !== 0)) return { code: 'BADVERS', isAuthoritative: false };
  const [question, ...more] = query.questions ?? [];
  if (question === undefined || more.length > 0) return { code: 'FORMERR', isAuthoritative: false };
  const name = question.name.toLowerCase();
  const isOurs = name === zone.apex || name.endsWith(`.${zone.apex}`);
  if (!isOurs || question.class !== 'IN') return { code: 'REFUSED', isAuthoritative: false };
  if (name === zone.apex) return decideApex(zone, question);
  const addresses = zone.addressesOf(name);
  if (addresses === undefined) return { code: 'NXDOMAIN', isAuthoritative: true, authorities: [soa(zone)] };
  if (!asks(question, 'A') || addresses.length === 0) return nothing(zone);
  const first = turn % addresses.length;
  const inTurn = [...addresses.slice(first), ...addresses.slice(0, first)].slice(0, answersMax);
  return {
    code: 'NOERROR',
    isAuthoritative: true,
    // Named as it was asked, capitals included: resolvers use them against forged answers.
    answers: inTurn.map((data) => ({ type: 'A', name: question.name, ttl: addressTtlSeconds, data })),
  };
}

function decideApex(zone: Zone, question: Question): Decision {
  if (asks(question, 'SOA')) return { code: 'NOERROR', isAuthoritative: true, answers: [soa(zone)] };
  if (question.type !== 'NS') return nothing(zone);
  return {
    code: 'NOERROR',
    isAuthoritative: true,
    answers: [{ type: 'NS', name: question.name, ttl: addressTtlSeconds, data: `ns.${zone.apex}` }],
  };
}

/** ANY is answered with one kind of record (RFC 8482, section 4.1): all of them would serve amplification only. */
function asks(question: Question, type: 'A' | 'SOA'): boolean {
  return question.type === type || String(question.type) === 'ANY';
}

/** The name is there, what was asked of it is not. */
function nothing(zone: Zone): Decision {
  return { code: 'NOERROR', isAuthoritative: true, authorities: [soa(zone)] };
}

/** RFC 2308: a negative answer carries the zone's SOA, whose minimum says how long it may be kept. */
function soa(zone: Zone): SoaAnswer {
  return {
    type: 'SOA',
    name: zone.apex,
    ttl: negativeTtlSeconds,
    data: {
      mname: `ns.${zone.apex}`,
      rname: `hostmaster.${zone.apex}`,
      serial: zone.serial % 2 ** 32,
      refresh: 3_600,
      retry: 600,
      expire: 86_400,
      minimum: negativeTtlSeconds,
    },
  };
}

function encode(query: DecodedPacket, options: readonly OptAnswer[], decision: Decision): Buffer {
  const code = responseCodes[decision.code];
  const reply: Packet = {
    type: 'response',
    id: query.id!,
    // The library has no name for recursion-desired in an answer but the bit itself: it is copied (RFC 1035, 4.1.1).
    flags:
      (code & 0xf) |
      (decision.isAuthoritative ? dnsPacket.AUTHORITATIVE_ANSWER : 0) |
      (decision.isTruncated ? dnsPacket.TRUNCATED_RESPONSE : 0) |
      (query.flags! & dnsPacket.RECURSION_DESIRED),
    questions: query.questions ?? [],
    answers: decision.answers ?? [],
    authorities: decision.authorities ?? [],
    additionals: options.length > 0 ? [edns(code >> 4)] : [],
  };
  return dnsPacket.encode(reply);
}

/** RFC 6891, section 6.1: the upper bits of the code, and that we take no more than a plain packet. */
function edns(extendedRcode: number): OptAnswer {
  return {
    type: 'OPT',
    name: '.',
    udpPayloadSize: queryBytesMax,
    extendedRcode,
    ednsVersion: 0,
    flags: 0,
    flag_do: false,
    options: [],
  };
}

/** Undefined for what is not a query, is not whole, or could not be echoed as it came. */
function decode(query: Buffer): DecodedPacket | undefined {
  if (query.length < headerBytes || query.length > queryBytesMax) return undefined;
  const isResponse = (query[2]! & 0x80) !== 0;
  if (isResponse) return undefined;
  const [questions, answers, authorities, additionals] = [4, 6, 8, 10].map((at) => query.readUInt16BE(at));
  if (questions! > sectionRecordsMax || answers !== 0 || authorities !== 0 || additionals! > sectionRecordsMax)
    return undefined;
  try {
    const decoded = dnsPacket.decode(query);
    // What the library skips over silently would be answered as if it had been understood.
    if (dnsPacket.decode.bytes !== query.length) return undefined;
    // The library reads names as text: one with a dot or a strange byte inside a label would not come back as it was,
    // nor would a class that it does not know.
    const echo = dnsPacket.encode({ questions: decoded.questions ?? [] }).subarray(headerBytes);
    return echo.equals(query.subarray(headerBytes, headerBytes + echo.length)) ? decoded : undefined;
  } catch {
    return undefined;
  }
}
