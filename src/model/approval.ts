/**
 * What a person signs who approves something, and how it is read again. The text is signed by the person's own key on
 * the person's own machine, so neither the control plane nor anyone who holds its keys can make one up, and a node can
 * check it without asking anybody.
 */
import { createPublicKey, verify } from 'node:crypto';
import { accept, type Result, refuse } from '#base/result.ts';
import type { Channel } from './change.ts';
import { channels } from './change.ts';
import type { OperatorDocument } from './documents.ts';

/** A statement as it was signed, and the signature (Ed25519, base64url). */
export interface Certificate {
  readonly statement: string;
  readonly signature: string;
}

/** Where a statement holds, and nowhere else. */
export interface Place {
  readonly environment: string;
  readonly region: string;
  readonly storeId: string;
}

export interface Statement extends Place {
  readonly type: 'ballast-approval';
  /** The approval's HexId: nobody makes two of one. */
  readonly id: string;
  /** The operator who signs. */
  readonly approver: string;
  readonly covers: Covers;
  /** How many load balancers may stop serving by it, in all. */
  readonly loadBalancersMax: number;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly reason?: string;
}

export type Covers =
  /** Exactly these changes, or this plan. */
  | { readonly kind: 'digest'; readonly digest: string }
  /** What a principal does through a channel; `ACCOUNT/*` is every principal of an account. */
  | { readonly kind: 'scope'; readonly principal: string; readonly channel: Channel };

/** What is longer was no approval for a moment, and nobody remembers it. */
export const approvalAgeMsMax = 24 * 3_600_000;
const statementCharactersMax = 4_000;

/** Reads a statement; refuses, in a sentence, what none of us has written. */
export function parseStatement(text: string): Result<Statement, string> {
  const no = (what: string) => refuse(`the approval cannot be read: ${what}`);
  if (text.length > statementCharactersMax) return no(`it has ${text.length} characters`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return no('it is not JSON');
  }
  if (!isRecord(value) || value.type !== 'ballast-approval') return no('it is no approval of Ballast');
  for (const name of ['id', 'environment', 'region', 'storeId', 'approver'] as const) {
    if (typeof value[name] !== 'string' || value[name] === '') return no(`it has no ${name}`);
  }
  if (!/^[0-9a-f]{16}$/.test(String(value.id))) return no('its id is not sixteen hexadecimal digits');
  for (const name of ['loadBalancersMax', 'notBeforeMs', 'notAfterMs'] as const) {
    if (!Number.isSafeInteger(value[name]) || (value[name] as number) < 0) return no(`it has no ${name}`);
  }
  if (value.reason !== undefined && typeof value.reason !== 'string') return no('its reason is no text');
  if (!isCovers(value.covers)) return no('it does not say what it covers');
  const statement = value as unknown as Statement;
  if (statement.notAfterMs - statement.notBeforeMs > approvalAgeMsMax) {
    return no(`it holds for longer than ${approvalAgeMsMax / 3_600_000} hours`);
  }
  return accept(statement);
}

/** Whether the operator's key has signed it. */
export function isSignedBy({ statement, signature }: Certificate, operator: OperatorDocument): boolean {
  try {
    const key = createPublicKey({ key: Buffer.from(operator.publicKey, 'base64url'), format: 'der', type: 'spki' });
    return verify(null, Buffer.from(statement), key, Buffer.from(signature, 'base64url'));
  } catch {
    // A key or a signature that is none has signed nothing.
    return false;
  }
}

/** Whether a text is an Ed25519 public key in the form that documents have it in. */
export function isPublicKey(text: string): boolean {
  try {
    const key = createPublicKey({ key: Buffer.from(text, 'base64url'), format: 'der', type: 'spki' });
    return key.asymmetricKeyType === 'ed25519';
  } catch {
    return false;
  }
}

function isCovers(value: unknown): value is Covers {
  if (!isRecord(value)) return false;
  if (value.kind === 'digest') return typeof value.digest === 'string' && /^[0-9a-f]{64}$/.test(value.digest);
  return (
    value.kind === 'scope' &&
    typeof value.principal === 'string' &&
    value.principal !== '' &&
    channels.includes(value.channel as Channel)
  );
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
