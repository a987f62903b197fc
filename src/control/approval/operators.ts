/**
 * The people who approve. Each is known by a public key alone; from then on, whatever an operator asks for or approves
 * is signed, so the history says who it was.
 */
import { createHash } from 'node:crypto';
import { accept, type Result, refuse } from '#base/result.ts';
import type { Refusal } from '#control/time-travel/scope.ts';
import { namelessOperator, operatorPrincipal } from '#guard/approvals.ts';
import type { Random } from '#io/random.ts';
import { isoTime } from '#journal/history.ts';
import type { Journal } from '#journal/journal.ts';
import { isPublicKey, isSignedBy } from '#model/approval.ts';
import type { OperatorEntry } from '#model/approvals.ts';
import { put, remove } from '#model/change.ts';
import { type OperatorDocument, type OperatorRight, operatorRights } from '#model/documents.ts';
import { commitWish } from './committing.ts';

export interface OperatorsOptions {
  readonly journal: Journal;
  readonly random: Random;
  readonly nowMs: () => number;
}

/** What a request to the operator API says of who sends it. */
export interface Credentials {
  readonly name: string;
  /** Milliseconds since 1970, as digits. */
  readonly time: string;
  /** Ed25519 over `requestText`, base64url. */
  readonly signature: string;
}

export interface SignedRequest {
  readonly method: string;
  /** With its query. */
  readonly url: string;
  readonly body: string;
}

const namePattern = /^[a-z][a-z0-9.-]{0,31}$/;
const operatorsMax = 100;
/** A signature is good for so long, before and after, and once. */
const signatureAgeMsMax = 300_000;
const seenMax = 10_000;

/** What an operator signs to show who asks. */
export function requestText({ method, url, body }: SignedRequest, time: string): string {
  return `ballast-request\n${method}\n${url}\n${time}\n${createHash('sha256').update(body).digest('hex')}\n`;
}

export class Operators {
  readonly #options: OperatorsOptions;
  /** Signatures that were used, with the time at which nobody can use them again anyway. */
  readonly #seen = new Map<string, number>();

  constructor(options: OperatorsOptions) {
    this.#options = options;
  }

  list(): readonly OperatorEntry[] {
    const entries = [...this.#options.journal.view.all('operator')].map(({ id, document }) => entryOf(id, document));
    return entries.sort((one, other) => (one.name < other.name ? -1 : 1));
  }

  /** The principal who sent the request; refuses, in a sentence, one who is not who they say. */
  identify(request: SignedRequest, credentials: Credentials | undefined): Result<string, string> {
    if (credentials === undefined) return accept(namelessOperator);
    const { name, time, signature } = credentials;
    const operator = this.#options.journal.view.get('operator', name);
    if (operator === undefined) return refuse(`there is no operator '${name.slice(0, 64)}'`);
    const nowMs = this.#options.nowMs();
    const timeMs = /^\d{1,15}$/.test(time) ? Number(time) : Number.NaN;
    if (!(Math.abs(nowMs - timeMs) <= signatureAgeMsMax)) {
      return refuse(`the request was signed at another time than it is here: ${new Date(nowMs).toISOString()}`);
    }
    if (!isSignedBy({ statement: requestText(request, time), signature }, operator)) {
      return refuse(`the request is not signed by ${name}'s key`);
    }
    if (this.#seen.has(signature)) return refuse('the request was sent before: each is signed anew');
    for (const [seen, untilMs] of this.#seen) if (untilMs < nowMs) this.#seen.delete(seen);
    if (this.#seen.size >= seenMax)
      return refuse(`more than ${seenMax} requests in ${signatureAgeMsMax / 60_000} minutes`);
    this.#seen.set(signature, timeMs + signatureAgeMsMax);
    return accept(operatorPrincipal(name));
  }

  async create(
    by: string,
    given: { readonly name: string; readonly publicKey: string; readonly rights?: readonly string[] },
  ): Promise<Result<OperatorEntry, Refusal>> {
    const { name, publicKey, rights = operatorRights } = given;
    if (!namePattern.test(name)) {
      const error = `'${name}' is no name; allowed: up to 32 lower-case letters, digits, dots and hyphens, beginning with a letter`;
      return refuse({ status: 400, error });
    }
    if (!isPublicKey(publicKey)) {
      return refuse({
        status: 400,
        error: "publicKey is no Ed25519 public key; 'ballast operators key NAME' makes one",
      });
    }
    const unknown = rights.find((right) => !operatorRights.includes(right as OperatorRight));
    if (unknown !== undefined || rights.length === 0) {
      return refuse({ status: 400, error: `rights: found '${unknown ?? ''}'; allowed: ${operatorRights.join(', ')}` });
    }
    const document: OperatorDocument = {
      publicKey,
      rights: operatorRights.filter((right) => rights.includes(right)),
      createdAtMs: this.#options.nowMs(),
    };
    const done = await commitWish(this.#options, { by, action: 'CreateOperator' }, (view) => {
      if (view.get('operator', name) !== undefined)
        return `there is an operator ${name} already; revoke that one first`;
      if (view.count('operator') >= operatorsMax) return `there are ${operatorsMax} operators, which is the limit`;
      return { changes: [put(view, 'operator', name, document)], output: entryOf(name, document) };
    });
    return done.ok ? accept(done.value.output) : done;
  }

  /** From then on the key signs nothing, and what it has approved counts no more. */
  async revoke(by: string, { name }: { readonly name: string }): Promise<Result<{ readonly name: string }, Refusal>> {
    const done = await commitWish(this.#options, { by, action: 'RevokeOperator' }, (view) => {
      if (view.get('operator', name) === undefined) return undefined;
      return { changes: [remove(view, 'operator', name)], output: { name } };
    });
    return done.ok ? accept(done.value.output) : done;
  }
}

function entryOf(name: string, { publicKey, rights, createdAtMs }: OperatorDocument): OperatorEntry {
  return { type: 'operator', name, publicKey, rights, createdAt: isoTime(createdAtMs) };
}
