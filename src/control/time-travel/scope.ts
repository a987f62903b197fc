/**
 * What an ARN means over all of history: the resource, deleted or not, and everything that ever belonged to it. Only
 * exactly the ARN that our answers gave finds it, as everywhere else.
 */
import { accept, type Result, refuse } from '#base/result.ts';
import type { History } from '#journal/history.ts';
import type { Journal } from '#journal/journal.ts';
import { StoreFailure } from '#journal/store.ts';
import { type Arn, parseArn } from '#model/arn.ts';
import type { DocumentOf, HexId, Kind } from '#model/documents.ts';
import type { Key } from '#model/key-map.ts';

/** Why a question about the past gets no answer: the HTTP status for it, and one sentence. */
export interface Refusal {
  readonly status: 400 | 404 | 409 | 503;
  readonly error: string;
}

/** Something that has an ARN; `account` and `name` are the load balancer's or the target group's. */
export interface Resource {
  readonly kind: Arn['kind'];
  readonly id: HexId;
  readonly account: string;
  readonly name: string;
}

/** The past of the journal; refuses (503) when what makes it findable cannot be written. */
export async function openHistory(journal: Journal): Promise<Result<History, Refusal>> {
  try {
    return accept(await journal.history());
  } catch (error) {
    if (!(error instanceof StoreFailure)) throw error;
    return refuse({ status: 503, error: `the past cannot be read at the moment: ${error.message}` });
  }
}

/** `KIND/ID`, as it is written in requests and answers. */
export function keyText({ kind, id }: Key): string {
  return `${kind}/${id}`;
}

/** Finds what has or had the ARN. Refuses what is no ARN of this region (400) and what there never was (404). */
export function findResource(history: History, arnText: string, region: string): Result<Resource, Refusal> {
  const arn = parseArn(arnText);
  if (arn === undefined) {
    const allowed = 'the ARN of a load balancer, listener, rule, target group or trust store';
    return refuse({ status: 400, error: `'${arnText.slice(0, 200)}' is not ${allowed}` });
  }
  if (arn.region !== region) {
    return refuse({ status: 400, error: `${arnText} is of region ${arn.region}; this is ${region}` });
  }
  if (!hasBeen(history, arn)) return refuse({ status: 404, error: `there never was a ${words[arn.kind]} ${arnText}` });
  const { kind, id, account, name } = arn;
  return accept({ kind, id, account, name });
}

/**
 * The key of everything that ever belonged to the resource, itself first: to a load balancer its placements, listeners
 * and their rules; to a listener its rules; to a target group its targets; to a trust store its revocations.
 */
export function* familyOf(history: History, { kind, id }: Pick<Resource, 'kind' | 'id'>): Iterable<Key> {
  yield { kind, id };
  switch (kind) {
    case 'load-balancer':
      for (const placement of history.everFound('placementsOfLoadBalancer', id)) yield keyOf('placement', placement);
      for (const listener of history.everFound('listenersOfLoadBalancer', id)) {
        yield* familyOf(history, { kind: 'listener', id: listener });
      }
      return;
    case 'listener':
      for (const rule of history.everFound('rulesOfListener', id)) yield keyOf('rule', rule);
      return;
    case 'target-group':
      for (const target of history.everFound('targetsOfTargetGroup', id)) yield keyOf('target', target);
      return;
    case 'trust-store':
      for (const revocation of history.everFound('revocationsOfTrustStore', id)) yield keyOf('revocation', revocation);
      return;
    case 'rule':
      return;
  }
}

/** The document as it is, or as it was last; undefined when there never was one. */
export function lastDocument<K extends Kind>(history: History, kind: K, id: string): DocumentOf<K> | undefined {
  for (const { document } of history.versionsOf(kind, id)) if (document !== null) return document as DocumentOf<K>;
  return undefined;
}

const words: Readonly<Record<Arn['kind'], string>> = {
  'load-balancer': 'load balancer',
  listener: 'listener',
  rule: 'rule',
  'target-group': 'target group',
  'trust-store': 'trust store',
};

/** Names and parents never change while a document lives, and ids are never given twice: the last version tells. */
function hasBeen(history: History, arn: Arn): boolean {
  switch (arn.kind) {
    case 'load-balancer':
      return isNamed(lastDocument(history, 'load-balancer', arn.id), arn);
    case 'target-group':
    case 'trust-store':
      return isNamed(lastDocument(history, arn.kind, arn.id), arn);
    case 'listener':
      return (
        lastDocument(history, 'listener', arn.id)?.loadBalancerId === arn.loadBalancerId &&
        isNamed(lastDocument(history, 'load-balancer', arn.loadBalancerId), arn)
      );
    case 'rule':
      return (
        lastDocument(history, 'rule', arn.id)?.listenerId === arn.listenerId &&
        hasBeen(history, { ...arn, kind: 'listener', id: arn.listenerId })
      );
  }
}

function isNamed(document: { readonly account: string; readonly name: string } | undefined, arn: Arn): boolean {
  return document?.account === arn.account && document.name === arn.name;
}

function keyOf(kind: Kind, id: string): Key {
  return { kind, id };
}
