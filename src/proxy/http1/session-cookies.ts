/**
 * Keeps a client's session with one target group, or one target, by cookies. What a cookie says is encrypted and signed
 * (AES-256-GCM) for one load balancer, with a key of the day that all nodes have: a client learns nothing from it,
 * cannot make one, and may come in by any node. Names and attributes of the cookies are those of an Application Load
 * Balancer ("Sticky sessions for your Application Load Balancer").
 */
import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto';
import type { Clock } from '#io/clock.ts';
import type { Random } from '#io/random.ts';
import type { RequestFacts } from '#routing/request.ts';
import { equalsIgnoringCase } from './bytes.ts';
import type { ResponseHead } from './response-head.ts';

/** What is kept: the target of a group, by itself or beside a cookie of the application, or the group of a rule. */
export type Bond = 'target' | 'application' | 'group';

/**
 * Both cookies say the same; browsers send the second one across sites, too. They take `Secure` from listeners with TLS
 * alone, so AWS does not send it from others either.
 */
const names: Readonly<Record<Bond, readonly [plain: string, crossSite?: string]>> = {
  target: ['AWSALB', 'AWSALBCORS'],
  application: ['AWSALBAPP-0'],
  group: ['AWSALBTG', 'AWSALBTGCORS'],
};
const none: readonly Session[] = [];

/** What clients are told, whatever the duration: how long a session lasts is in what they cannot read. */
const expiresMs = 7 * 86_400_000;
/** A session begins anew with each answer; so often what is sent is made anew. */
const freshMs = 60_000;
const rememberedMax = 10_000;
/** So many sessions with target groups fit into one cookie; browsers take 4 KB. */
const sessionsMax = 20;
const dayMs = 86_400_000;
const dayBytes = 2;
const nonceBytes = 12;
const tagBytes = 16;
const valuePattern = /^[A-Za-z0-9_-]{40,3500}$/;

/** What one session is kept with, and since when. */
export interface Session {
  readonly value: string;
  readonly atMs: number;
}

export class SessionCookies {
  readonly #key: Buffer;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #keys = new Map<number, Buffer>();
  /** What cookies said that were read before. */
  readonly #read = new Map<string, readonly Session[]>();
  readonly #made = new Map<string, { readonly lines: Buffer; readonly atMs: number }>();

  /** `key`: 32 bytes. */
  constructor(key: Buffer, clock: Clock, random: Random) {
    this.#key = key;
    this.#clock = clock;
    this.#random = random;
  }

  /** Whom the request's cookie names; undefined without one, and when it is none of ours or has expired. */
  find(
    bond: Exclude<Bond, 'application'>,
    scope: string,
    durationSeconds: number,
    request: RequestFacts,
  ): string | undefined {
    const [session] = this.sessions(bond, scope, request);
    return session !== undefined && this.lasts(session, durationSeconds) ? session.value : undefined;
  }

  /** All that the request's cookie says: of an application's there is one for each target group. */
  sessions(bond: Bond, scope: string, request: RequestFacts): readonly Session[] {
    const [plain, crossSite] = names[bond];
    // "The value in AWSALBCORS will take precedence."
    for (const name of crossSite === undefined ? [plain] : [crossSite, plain]) {
      const given = cookieIn(request, name);
      const sessions = given === undefined ? none : this.#open(`${bond}/${scope}`, given);
      if (sessions.length > 0) return sessions;
    }
    return none;
  }

  lasts({ atMs }: Session, durationSeconds: number): boolean {
    return atMs + durationSeconds * 1_000 >= this.#clock.wallMs();
  }

  /** The field lines that have the client name `value` with its next requests, and what it named besides. */
  lines(bond: Bond, scope: string, value: string, others: readonly Session[] = none): Buffer {
    const nowMs = this.#clock.wallMs();
    const session = { value, atMs: nowMs };
    // What a client has with several target groups is its own, and not asked for again.
    if (others.length > 0) return this.#make(bond, scope, [session, ...others].slice(0, sessionsMax));
    const known = `${bond}/${scope}/${value}`;
    const made = this.#made.get(known);
    if (made !== undefined && nowMs - made.atMs < freshMs) return made.lines;
    const lines = this.#make(bond, scope, [session]);
    if (this.#made.size >= rememberedMax) this.#made.clear();
    this.#made.set(known, { lines, atMs: nowMs });
    return lines;
  }

  #make(bond: Bond, scope: string, sessions: readonly Session[]): Buffer {
    const [plain, crossSite] = names[bond];
    const nowMs = this.#clock.wallMs();
    const sealed = this.#seal(`${bond}/${scope}`, sessions.map(({ value, atMs }) => `${atMs}/${value}`).join('\n'));
    const rest = `${sealed}; Expires=${new Date(nowMs + expiresMs).toUTCString()}; Path=/`;
    const second = crossSite === undefined ? '' : `Set-Cookie: ${crossSite}=${rest}; SameSite=None\r\n`;
    return Buffer.from(`Set-Cookie: ${plain}=${rest}\r\n${second}`, 'latin1');
  }

  #seal(scope: string, text: string): string {
    const day = Math.floor(this.#clock.wallMs() / dayMs);
    const nonce = Buffer.from(this.#random.hex(nonceBytes * 2), 'hex');
    const cipher = createCipheriv('aes-256-gcm', this.#keyOf(day), nonce).setAAD(Buffer.from(scope));
    const sealed = [Buffer.from([day >> 8, day]), nonce, cipher.update(text), cipher.final(), cipher.getAuthTag()];
    return Buffer.concat(sealed).toString('base64url');
  }

  #open(scope: string, given: string): readonly Session[] {
    const known = `${scope}/${given}`;
    const sessions = this.#read.get(known);
    if (sessions !== undefined) return sessions;
    const sealed = Buffer.from(valuePattern.test(given) ? given : '', 'base64url');
    // Two texts may stand for the same bytes; only the one that was sent is ours.
    const opened = sealed.toString('base64url') === given ? this.#decrypt(scope, sealed) : none;
    // What nobody here has made may be long, and another one each time: it is not worth the memory.
    if (opened.length === 0) return none;
    if (this.#read.size >= rememberedMax) this.#read.clear();
    this.#read.set(known, opened);
    return opened;
  }

  #decrypt(scope: string, sealed: Buffer): readonly Session[] {
    if (sealed.length <= dayBytes + nonceBytes + tagBytes) return none;
    // The day's last two bytes tell the day: what is older than a week is not believed anyway, and clocks differ a bit.
    const tomorrow = Math.floor(this.#clock.wallMs() / dayMs) + 1;
    const age = (tomorrow - sealed.readUInt16BE(0)) & 0xffff;
    if (age > expiresMs / dayMs + 1) return none;
    const rest = sealed.subarray(dayBytes);
    const decipher = createDecipheriv('aes-256-gcm', this.#keyOf(tomorrow - age), rest.subarray(0, nonceBytes), {
      authTagLength: tagBytes,
    });
    decipher.setAAD(Buffer.from(scope)).setAuthTag(rest.subarray(-tagBytes));
    try {
      const text = Buffer.concat([decipher.update(rest.subarray(nonceBytes, -tagBytes)), decipher.final()]).toString();
      return text.split('\n').map((line) => {
        const slash = line.indexOf('/');
        return { atMs: Number(line.slice(0, slash)), value: line.slice(slash + 1) };
      });
    } catch {
      // Of another load balancer or key, or made up.
      return none;
    }
  }

  /** Another one each day: nobody who saw many cookies has seen many of one key. All nodes come to the same. */
  #keyOf(day: number): Buffer {
    let key = this.#keys.get(day);
    if (key === undefined) {
      // Those of a week and two days are in use.
      if (this.#keys.size > 16) this.#keys.clear();
      key = Buffer.from(hkdfSync('sha256', this.#key, '', `session cookies of day ${day}`, 32));
      this.#keys.set(day, key);
    }
    return key;
  }
}

/** The value of the first cookie with the name (RFC 6265 section 5.4). */
export function cookieIn(request: RequestFacts, name: string): string | undefined {
  for (const field of request.values('cookie')) {
    for (const pair of field.split(';')) {
      const at = pair.indexOf('=');
      if (pair.slice(0, at).trim() === name) return pair.slice(at + 1).trim();
    }
  }
  return undefined;
}

/** Whether an answer sets the cookie (RFC 6265 section 4.1). */
export function setsCookie({ fields }: ResponseHead, bytes: Buffer, base: number, name: string): boolean {
  for (let index = 0; index < fields.count; index += 1) {
    const [nameStart, nameEnd] = [base + fields.lineStart(index), base + fields.nameEnd(index)];
    if (!equalsIgnoringCase(bytes, nameStart, nameEnd, 'set-cookie')) continue;
    const value = bytes.toString('latin1', base + fields.valueStart(index), base + fields.valueEnd(index));
    if (value.slice(0, value.indexOf('=')).trim() === name) return true;
  }
  return false;
}
