/**
 * The state at one revision, for reading. Decisions take a `View` and never learn where it is kept; the indexes that
 * they may ask for are the closed table below.
 */
import type { Documents, Entry, Kind } from './documents.ts';
import { nameKey } from './keys.ts';
import { targetGroupsOf } from './rule-actions.ts';

const noKeys: readonly string[] = [];
const allUnderOne: readonly string[] = [''];

/**
 * index → the kind it finds, the key (or the keys) under which a document of that kind is found, and how it is found in
 * the past: by the beginning of its id, by a table of everything ever found, or not at all.
 */
export const indexes = {
  loadBalancerByName: { kind: 'load-balancer', key: (it: Documents['load-balancer']) => nameKey(it), past: 'table' },
  loadBalancerByDnsName: { kind: 'load-balancer', key: (it: Documents['load-balancer']) => it.dnsName, past: 'table' },
  loadBalancersOfAccount: { kind: 'load-balancer', key: (it: Documents['load-balancer']) => it.account, past: 'table' },
  targetGroupByName: { kind: 'target-group', key: (it: Documents['target-group']) => nameKey(it), past: 'table' },
  targetGroupsOfAccount: { kind: 'target-group', key: (it: Documents['target-group']) => it.account, past: 'table' },
  listenersOfLoadBalancer: { kind: 'listener', key: (it: Documents['listener']) => it.loadBalancerId, past: 'table' },
  rulesOfListener: { kind: 'rule', key: (it: Documents['rule']) => it.listenerId, past: 'table' },
  rulesUsingTargetGroup: {
    kind: 'rule',
    keys: (it: Documents['rule']) => [...targetGroupsOf(it.actions)],
    past: 'table',
  },
  listenersUsingCertificate: {
    kind: 'listener',
    keys: (it: Documents['listener']) => [...new Set(it.certificateIds ?? noKeys)],
    past: 'table',
  },
  listenersUsingTrustStore: {
    kind: 'listener',
    keys: (it: Documents['listener']) =>
      it.mutualAuthentication?.mode === 'verify' ? [it.mutualAuthentication.trustStoreId] : noKeys,
    past: 'table',
  },
  certificatesOfAccount: { kind: 'certificate', key: (it: Documents['certificate']) => it.account, past: 'table' },
  certificateByName: {
    kind: 'certificate',
    keys: ({ account, name }: Documents['certificate']) =>
      name === undefined ? noKeys : [nameKey({ account, name: name.toLowerCase() })],
    past: 'table',
  },
  trustStoreByName: { kind: 'trust-store', key: (it: Documents['trust-store']) => nameKey(it), past: 'table' },
  trustStoresOfAccount: { kind: 'trust-store', key: (it: Documents['trust-store']) => it.account, past: 'table' },
  revocationsOfTrustStore: {
    kind: 'revocation',
    key: (it: Documents['revocation']) => it.trustStoreId,
    past: 'id-prefix',
  },
  targetsOfTargetGroup: { kind: 'target', key: (it: Documents['target']) => it.targetGroupId, past: 'id-prefix' },
  drainingTargets: {
    kind: 'target',
    keys: (it: Documents['target']) => (it.state.kind === 'draining' ? allUnderOne : noKeys),
    past: 'none',
  },
  placementsOfLoadBalancer: {
    kind: 'placement',
    key: (it: Documents['placement']) => it.loadBalancerId,
    past: 'id-prefix',
  },
  leavingPlacements: {
    kind: 'placement',
    keys: (it: Documents['placement']) => (it.state.kind === 'leaving' ? allUnderOne : noKeys),
    past: 'none',
  },
  placementsOfNode: { kind: 'placement', key: (it: Documents['placement']) => it.nodeId, past: 'table' },
  holdByDigest: { kind: 'hold', key: (it: Documents['hold']) => it.digest, past: 'none' },
  /** Those that cover a scope are found under no text at all. */
  approvalsOfDigest: { kind: 'approval', key: (it: Documents['approval']) => it.digest, past: 'none' },
  placementByAddress: { kind: 'placement', key: (it: Documents['placement']) => it.address, past: 'table' },
} as const;

export type IndexName = keyof typeof indexes;
export type KindOfIndex<I extends IndexName> = (typeof indexes)[I]['kind'];

/** How an index finds a document of its kind: under one key, or under any number. */
export type KeyRule =
  | { readonly key: (document: Documents[Kind]) => string }
  | { readonly keys: (document: Documents[Kind]) => readonly string[] };

export function keyRule(index: IndexName): KeyRule {
  return indexes[index] as unknown as KeyRule;
}

/** The keys under which the index finds the document, which is of its kind. */
export function keysOf(index: IndexName, document: Documents[Kind]): readonly string[] {
  const rule = keyRule(index);
  return 'key' in rule ? [rule.key(document)] : rule.keys(document);
}

export interface View {
  /** The last revision that this view contains. */
  readonly revision: number;
  get<K extends Kind>(kind: K, id: string): Documents[K] | undefined;
  /** The revision that wrote the document; 0 when there is none. */
  revisionOf(kind: Kind, id: string): number;
  count(kind: Kind): number;
  /**
   * All documents of a kind, in the order in which their keys were first written; one that went and came back may stand
   * behind all others instead. Those that are found by the beginning of their ids may stand together with their like.
   */
  all<K extends Kind>(kind: K): Iterable<Entry<K>>;
  /** The documents found under `key`, in the same order. */
  find<I extends IndexName>(index: I, key: string): Iterable<Entry<KindOfIndex<I>>>;
  /** How many `find` gives. */
  countFound(index: IndexName, key: string): number;
  /** The placement that had the address last and is gone; undefined while one has it, and when none ever had. */
  formerlyAt(address: string): Former | undefined;
}

export interface Former {
  readonly id: string;
  readonly endedAtMs: number;
}

/** The first document found under `key`. */
export function findFirst<I extends IndexName>(view: View, index: I, key: string): Entry<KindOfIndex<I>> | undefined {
  for (const entry of view.find(index, key)) return entry;
  return undefined;
}

export function isEmpty(found: Iterable<unknown>): boolean {
  for (const _ of found) return false;
  return true;
}
