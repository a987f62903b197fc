/**
 * Who may call the AWS API: principals, each of one account, and their access keys. The operator makes and revokes
 * them; a secret is told once, when it is made, and stands sealed in the journal from then on.
 */
import { accept, type Result, refuse } from '#base/result.ts';
import { namelessOperator } from '#guard/approvals.ts';
import type { Random } from '#io/random.ts';
import { isoTime } from '#journal/history.ts';
import type { Journal } from '#journal/journal.ts';
import type { Sealer } from '#journal/seal.ts';
import { type Change, put, remove } from '#model/change.ts';
import type { Entry } from '#model/documents.ts';
import { fault } from '#model/fault.ts';
import { principalKey } from '#model/keys.ts';
import type { MadeKey, PrincipalEntry } from '#model/principals.ts';
import type { View } from '#model/view.ts';
import { parsePolicy } from './access/policy.ts';
import { newAccessKey } from './keys.ts';
import type { Refusal } from './time-travel/scope.ts';

export interface PrincipalsOptions {
  readonly journal: Journal;
  readonly sealer: Sealer;
  readonly random: Random;
  readonly nowMs: () => number;
  /** Who wants it; `operator` when nobody is named. */
  readonly by?: string;
}

/** Twelve digits, and a name as IAM allows it for users. */
const principalPattern = /^(\d{12})\/([A-Za-z0-9+=,.@_-]{1,64})$/;
/** AWS: 2, fixed. One more, so that a rotation need not wait for the last client. */
const keysPerPrincipalMax = 3;
const principalsMax = 100_000;

export class Principals {
  readonly #options: PrincipalsOptions;

  constructor(options: PrincipalsOptions) {
    this.#options = options;
  }

  /** The same, for somebody who asks by name. */
  as(by: string): Principals {
    return new Principals({ ...this.#options, by });
  }

  /** By account and name, with the ids of their keys. */
  list(): readonly PrincipalEntry[] {
    const { view } = this.#options.journal;
    const keys = Map.groupBy(view.all('access-key'), ({ document }) => document.principalId);
    const entries = [...view.all('principal')].map(({ id, document }) => ({
      type: 'principal' as const,
      principal: id,
      createdAt: isoTime(document.createdAtMs),
      ...(document.policy !== undefined && { policy: document.policy }),
      keys: byAge(keys.get(id) ?? []).map(({ accessKeyId, createdAtMs }) => ({
        accessKeyId,
        createdAt: isoTime(createdAtMs),
      })),
    }));
    return entries.sort((one, other) => (one.principal < other.principal ? -1 : 1));
  }

  create({ principal }: { readonly principal: string }): Promise<Result<PrincipalEntry, Refusal>> {
    const [, account, name] = principalPattern.exec(principal) ?? [];
    if (account === undefined || name === undefined) {
      const error = `'${principal}' is no principal; allowed: ACCOUNT/NAME, with twelve digits and a name of letters, digits and +=,.@_-`;
      return Promise.resolve(refuse({ status: 400, error }));
    }
    const { nowMs } = this.#options;
    const createdAtMs = nowMs();
    const id = principalKey({ account, name });
    return this.#commit('CreatePrincipal', (view) => {
      if (view.get('principal', id) !== undefined) return `${id} is there already`;
      if (view.count('principal') >= principalsMax) return `there are ${principalsMax} principals, which is the limit`;
      return {
        changes: [put(view, 'principal', id, { account, name, createdAtMs })],
        output: { type: 'principal', principal: id, createdAt: isoTime(createdAtMs), keys: [] },
      };
    });
  }

  /** Gives the principal another policy, or none. */
  setPolicy({
    principal,
    policy,
  }: {
    readonly principal: string;
    readonly policy?: string;
  }): Promise<Result<{ readonly principal: string; readonly policy?: string }, Refusal>> {
    const parsed = policy === undefined ? undefined : parsePolicy(policy);
    if (parsed?.ok === false) return Promise.resolve(refuse({ status: 400, error: parsed.fault }));
    const given = policy === undefined ? {} : { policy };
    return this.#commit(policy === undefined ? 'DeletePolicy' : 'PutPolicy', (view) => {
      const document = view.get('principal', principal);
      if (document === undefined) return undefined;
      const { policy: _, ...rest } = document;
      return { changes: [put(view, 'principal', principal, { ...rest, ...given })], output: { principal, ...given } };
    });
  }

  /** Refuses a principal that has keys, unless they go with it. */
  delete({
    principal,
    withKeys = false,
  }: {
    readonly principal: string;
    readonly withKeys?: boolean;
  }): Promise<Result<{ readonly principal: string; readonly keysRevoked: number }, Refusal>> {
    return this.#commit('DeletePrincipal', (view) => {
      if (view.get('principal', principal) === undefined) return undefined;
      const keys = keysOf(view, principal);
      if (keys.length > 0 && !withKeys) {
        return `${principal} still has access keys (${keys.length}); revoke them first, or delete it with them`;
      }
      return {
        changes: [
          ...keys.map(({ accessKeyId }) => remove(view, 'access-key', accessKeyId)),
          remove(view, 'principal', principal),
        ],
        output: { principal, keysRevoked: keys.length },
      };
    });
  }

  createKey({ principal }: { readonly principal: string }): Promise<Result<MadeKey, Refusal>> {
    const { sealer, random, nowMs } = this.#options;
    const { accessKeyId, secretAccessKey } = newAccessKey(random);
    const createdAtMs = nowMs();
    return this.#commit('CreateAccessKey', (view) => {
      if (view.get('principal', principal) === undefined) return undefined;
      if (keysOf(view, principal).length >= keysPerPrincipalMax) {
        return `${principal} has ${keysPerPrincipalMax} access keys, which is the limit; revoke one first`;
      }
      const sealedSecret = sealer.seal(secretAccessKey, accessKeyId);
      return {
        changes: [put(view, 'access-key', accessKeyId, { principalId: principal, sealedSecret, createdAtMs })],
        output: { principal, accessKeyId, secretAccessKey },
      };
    });
  }

  /** From then on the key signs nothing. */
  revokeKey({
    accessKeyId,
  }: {
    readonly accessKeyId: string;
  }): Promise<
    Result<{ readonly accessKeyId: string; readonly principal: string; readonly keysLeft: number }, Refusal>
  > {
    return this.#commit('RevokeAccessKey', (view) => {
      const key = view.get('access-key', accessKeyId);
      if (key === undefined) return undefined;
      const principal = key.principalId;
      return {
        changes: [remove(view, 'access-key', accessKeyId)],
        output: { accessKeyId, principal, keysLeft: keysOf(view, principal).length - 1 },
      };
    });
  }

  /** What `decide` says instead of a decision is why it cannot be (409); undefined: what it is about is not there. */
  async #commit<Output>(
    action: string,
    decide: (view: View) => { readonly changes: readonly Change[]; readonly output: Output } | string | undefined,
  ): Promise<Result<Output, Refusal>> {
    const { journal, random, by = namelessOperator } = this.#options;
    const cause = { principal: by, channel: 'maintenance', action, requestId: random.hex(32) } as const;
    let refusal: Refusal | undefined;
    const result = await journal.transact<Output>(cause, (view) => {
      const decided = decide(view);
      if (typeof decided === 'object') return accept(decided);
      refusal =
        decided === undefined
          ? { status: 404, error: "there is none of that name; 'ballast accounts' lists what there is" }
          : { status: 409, error: decided };
      return refuse(fault('ValidationError', refusal.error));
    });
    if (result.ok) return accept(result.value.output);
    return refuse(refusal ?? { status: 503, error: result.fault.message });
  }
}

interface Key {
  readonly accessKeyId: string;
  readonly createdAtMs: number;
}

function keysOf(view: View, principal: string): readonly Key[] {
  return byAge([...view.all('access-key')].filter(({ document }) => document.principalId === principal));
}

function byAge(entries: readonly Entry<'access-key'>[]): readonly Key[] {
  const keys = entries.map(({ id, document }) => ({ accessKeyId: id, createdAtMs: document.createdAtMs }));
  return keys.sort((one, other) => one.createdAtMs - other.createdAtMs);
}
