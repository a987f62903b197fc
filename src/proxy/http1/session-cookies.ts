/**
 * Keeps a client's session with one target group, or one target, by cookies. What a cookie says is encrypted and signed
 * (AES-256-GCM) for one load balancer, with a key that all nodes have: a client learns nothing from it, cannot make
 * one, and may come in by any node. Names and attributes of the cookies are those of an Application Load Balancer
 * ("Sticky sessions for your Application Load Balancer").
 */
import { createCipheriv, createDecipheriv } from 'node:crypto';
import type { Clock } from '#io/clock.ts';
import type { Random } from '#io/random.ts';
import type { RequestFacts } from '#routing/request.ts';
import { equalsIgnoringCase } from './bytes.ts';
import type { ResponseHead } from './response-head.ts';

/** What is kept: the target of a group, by itself or beside a cookie of the application, or the group of a rule. */
export type Bond = 'target' | 'application' | 'group';

/** Both cookies say the same; browsers send the second one across sites, too. */
const names: Readonly<Record<Bond, readonly [plain: string, crossSite?: string]>> = {
  target: ['AWSALB', 'AWSALBCORS'],
  application: ['AWSALBAPP-0'],
  group: ['AWSALBTG', 'AWSALBTGCORS'],
};

/** A session begins anew with each answer; so often what is sent is made anew. */
const freshMs = 60_000;
const rememberedMax = 10_000;
const nonceBytes = 12;
const tagBytes = 16;
const valuePattern = /^[A-Za-z0-9_-]{40,1024}$/;

interface Content {
  readonly value: string;
  readonly madeAtMs: number;
}

export class SessionCookies {
  readonly #key: Buffer;
  readonly #clock: Clock;
  readonly #random: Random;
  /** What cookies said that were read before; undefined: nothing that can be believed. */
  readonly #read = new Map<string, Content | undefined>();
  readonly #made = new Map<string, { readonly lines: Buffer; readonly atMs: number }>();

  /** `key`: 32 bytes. */
  constructor(key: Buffer, clock: Clock, random: Random) {
    this.#key = key;
    this.#clock = clock;
    this.#random = random;
  }

  /** Whom the request's cookie names; undefined without one, and when it is none of ours or has expired. */
  find(bond: Bond, scope: string, durationSeconds: number, request: RequestFacts): string | undefined {
    const [plain, crossSite] = names[bond];
    const given = cookieIn(request, plain) ?? (crossSite && cookieIn(request, crossSite));
    if (given === undefined) return undefined;
    const content = this.#open(`${bond}/${scope}`, given);
    if (content === undefined || content.madeAtMs + durationSeconds * 1_000 < this.#clock.wallMs()) return undefined;
    return content.value;
  }

  /** The field lines that have the client name `value` with its next requests. */
  lines(bond: Bond, scope: string, durationSeconds: number, value: string): Buffer {
    const nowMs = this.#clock.wallMs();
    const known = `${bond}/${scope}/${durationSeconds}/${value}`;
    const made = this.#made.get(known);
    if (made !== undefined && nowMs - made.atMs < freshMs) return made.lines;
    const [plain, crossSite] = names[bond];
    const sealed = this.#seal(`${bond}/${scope}`, `${nowMs}/${value}`);
    const rest = `${sealed}; Expires=${new Date(nowMs + durationSeconds * 1_000).toUTCString()}; Path=/`;
    const second = crossSite === undefined ? '' : `Set-Cookie: ${crossSite}=${rest}; SameSite=None\r\n`;
    const lines = Buffer.from(`Set-Cookie: ${plain}=${rest}\r\n${second}`, 'latin1');
    if (this.#made.size >= rememberedMax) this.#made.clear();
    this.#made.set(known, { lines, atMs: nowMs });
    return lines;
  }

  #seal(scope: string, text: string): string {
    const nonce = Buffer.from(this.#random.hex(nonceBytes * 2), 'hex');
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce).setAAD(Buffer.from(scope));
    return Buffer.concat([nonce, cipher.update(text), cipher.final(), cipher.getAuthTag()]).toString('base64url');
  }

  #open(scope: string, given: string): Content | undefined {
    const known = `${scope}/${given}`;
    const content = this.#read.get(known);
    if (content !== undefined || this.#read.has(known)) return content;
    const opened = valuePattern.test(given) ? this.#decrypt(scope, Buffer.from(given, 'base64url')) : undefined;
    if (this.#read.size >= rememberedMax) this.#read.clear();
    this.#read.set(known, opened);
    return opened;
  }

  #decrypt(scope: string, sealed: Buffer): Content | undefined {
    if (sealed.length <= nonceBytes + tagBytes) return undefined;
    const decipher = createDecipheriv('aes-256-gcm', this.#key, sealed.subarray(0, nonceBytes), {
      authTagLength: tagBytes,
    });
    decipher.setAAD(Buffer.from(scope)).setAuthTag(sealed.subarray(-tagBytes));
    try {
      const text = Buffer.concat([
        decipher.update(sealed.subarray(nonceBytes, -tagBytes)),
        decipher.final(),
      ]).toString();
      const slash = text.indexOf('/');
      return { madeAtMs: Number(text.slice(0, slash)), value: text.slice(slash + 1) };
    } catch {
      // Of another load balancer or key, or made up.
      return undefined;
    }
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
