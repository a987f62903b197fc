/**
 * Access keys: who signs with which secret. Secrets stand sealed in the journal and are opened only here, for checking
 * signatures and for the credentials file of the first start.
 */
import { assert } from '#base/assert.ts';
import { accept } from '#base/result.ts';
import type { Random } from '#io/random.ts';
import type { Journal } from '#journal/journal.ts';
import type { Sealer } from '#journal/seal.ts';
import { put } from '#model/change.ts';
import { principalKey } from '#model/keys.ts';

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** What the API's front desk needs to know of a key. */
export interface KeyHolder {
  readonly secret: string;
  /** `ACCOUNT/NAME` */
  readonly principal: string;
  readonly account: string;
}

/** The name of the principal that is made with the store. */
export const firstPrincipalName = 'admin';

/** An id in the form of AWS's, and a secret that nobody can guess. */
export function newAccessKey(random: Random): Credentials {
  return { accessKeyId: `BALLAST${random.hex(14).toUpperCase().slice(0, 13)}`, secretAccessKey: random.hex(40) };
}

/** Finds the holder of a key; undefined when there is no such key. */
export function keyLookup(journal: Journal, sealer: Sealer): (accessKeyId: string) => KeyHolder | undefined {
  // Opening a sealed secret costs more than checking the signature: each is opened once for each revision.
  const opened = new Map<string, { readonly revision: number; readonly holder: KeyHolder }>();
  return (accessKeyId) => {
    const key = journal.view.get('access-key', accessKeyId);
    const principal = key === undefined ? undefined : journal.view.get('principal', key.principalId);
    if (key === undefined || principal === undefined) {
      opened.delete(accessKeyId);
      return undefined;
    }
    const revision = journal.view.revisionOf('access-key', accessKeyId);
    const known = opened.get(accessKeyId);
    if (known?.revision === revision) return known.holder;
    const holder = {
      secret: sealer.unseal(key.sealedSecret, accessKeyId),
      principal: key.principalId,
      account: principal.account,
    };
    opened.set(accessKeyId, { revision, holder });
    return holder;
  };
}

/**
 * The credentials of the account's first principal, which are made with the store. `made` is true when this call made
 * them.
 */
export async function firstCredentials(options: {
  readonly journal: Journal;
  readonly sealer: Sealer;
  readonly random: Random;
  readonly account: string;
  readonly nowMs: number;
}): Promise<Credentials & { readonly made: boolean }> {
  const { journal, sealer, random, account, nowMs } = options;
  const principalId = principalKey({ account, name: firstPrincipalName });
  for (const { id, document } of journal.view.all('access-key')) {
    if (document.principalId === principalId) {
      return { accessKeyId: id, secretAccessKey: sealer.unseal(document.sealedSecret, id), made: false };
    }
  }
  const { accessKeyId, secretAccessKey } = newAccessKey(random);
  const cause = {
    principal: 'ballast',
    channel: 'workflow',
    action: 'SetUp',
    requestId: '',
    reason: 'the first start',
  } as const;
  const result = await journal.transact(cause, (view) =>
    accept({
      changes: [
        ...(view.get('principal', principalId) === undefined
          ? [put(view, 'principal', principalId, { account, name: firstPrincipalName, createdAtMs: nowMs })]
          : []),
        put(view, 'access-key', accessKeyId, {
          principalId,
          sealedSecret: sealer.seal(secretAccessKey, accessKeyId),
          createdAtMs: nowMs,
        }),
      ],
      output: undefined,
    }),
  );
  assert(result.ok, 'the first credentials can be written');
  return { accessKeyId, secretAccessKey, made: true };
}
