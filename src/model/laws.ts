/**
 * The laws of the state: what documents refer to is there, what may be had by one alone is had by one, and nothing
 * lacks a part that it cannot be without. One table, so that whoever changes the state and whoever watches it hold it
 * to the same laws.
 */
import type { Documents, HexId, Kind } from './documents.ts';
import type { Key } from './key-map.ts';
import { nameKey } from './keys.ts';
import type { Found, State } from './overlay.ts';
import { targetGroupsOf } from './rule-actions.ts';
import { type IndexName, indexes } from './view.ts';

export type Law =
  /** What it refers to is not there. */
  | 'reference'
  /** Others refer to it, so it cannot go. */
  | 'referrer'
  /** A listener has a default rule. */
  | 'default-rule'
  | 'name'
  | 'dns-name'
  | 'address'
  | 'port'
  | 'priority'
  /** A target group has one load balancer. */
  | 'association';

export interface Breach {
  readonly law: Law;
  /** What is missing, or what stands in the way. */
  readonly other: Key;
}

/** What may be had by one alone. */
interface Claim {
  readonly law: Law;
  /** Where others that have it would be found, and under which key. */
  readonly index: IndexName;
  readonly key: string;
  /** Whether another document found there has it. */
  readonly rivals: (found: Found<never>) => boolean;
}

interface Laws<K extends Kind> {
  /** What a document always refers to: the kind, and how its id is found. */
  readonly parents: readonly { readonly kind: Kind; readonly idOf: (document: Documents[K]) => string }[];
  /** What it may refer to besides. */
  readonly references?: (document: Documents[K]) => readonly Key[];
  /** Under its id, these find what refers to it. */
  readonly referrers: readonly IndexName[];
  readonly claims?: (document: Documents[K], state: State) => readonly Claim[];
}

const all = () => true;

const laws: { readonly [K in Kind]: Laws<K> } = {
  'load-balancer': {
    parents: [],
    referrers: ['listenersOfLoadBalancer', 'placementsOfLoadBalancer'],
    claims: (loadBalancer) => [
      { law: 'name', index: 'loadBalancerByName', key: nameKey(loadBalancer), rivals: all },
      { law: 'dns-name', index: 'loadBalancerByDnsName', key: loadBalancer.dnsName, rivals: all },
    ],
  },
  'target-group': {
    parents: [],
    referrers: ['rulesUsingTargetGroup', 'targetsOfTargetGroup'],
    claims: (group) => [{ law: 'name', index: 'targetGroupByName', key: nameKey(group), rivals: all }],
  },
  target: {
    parents: [{ kind: 'target-group', idOf: ({ targetGroupId }) => targetGroupId }],
    referrers: [],
  },
  certificate: {
    parents: [],
    referrers: ['listenersUsingCertificate'],
    claims: ({ account, name }) =>
      name === undefined
        ? []
        : [
            {
              law: 'name',
              index: 'certificateByName',
              key: nameKey({ account, name: name.toLowerCase() }),
              rivals: all,
            },
          ],
  },
  'trust-store': {
    parents: [],
    referrers: ['listenersUsingTrustStore', 'revocationsOfTrustStore'],
    claims: (store) => [{ law: 'name', index: 'trustStoreByName', key: nameKey(store), rivals: all }],
  },
  revocation: { parents: [{ kind: 'trust-store', idOf: ({ trustStoreId }) => trustStoreId }], referrers: [] },
  listener: {
    parents: [{ kind: 'load-balancer', idOf: ({ loadBalancerId }) => loadBalancerId }],
    references: ({ certificateIds = [], mutualAuthentication }) => [
      ...new Set(certificateIds).values().map((id) => ({ kind: 'certificate' as const, id })),
      ...(mutualAuthentication?.mode === 'verify'
        ? [{ kind: 'trust-store' as const, id: mutualAuthentication.trustStoreId }]
        : []),
    ],
    referrers: ['rulesOfListener'],
    claims: ({ loadBalancerId, port }) => [
      {
        law: 'port',
        index: 'listenersOfLoadBalancer',
        key: loadBalancerId,
        rivals: ({ document }: Found<'listener'>) => document.port === port,
      },
    ],
  },
  rule: {
    parents: [{ kind: 'listener', idOf: ({ listenerId }) => listenerId }],
    references: ({ actions }) => [...targetGroupsOf(actions)].map((id) => ({ kind: 'target-group', id })),
    referrers: [],
    claims: (rule, state) => {
      const loadBalancerId = state.get('listener', rule.listenerId)?.loadBalancerId;
      return [
        {
          law: 'priority',
          index: 'rulesOfListener',
          key: rule.listenerId,
          rivals: ({ document }: Found<'rule'>) => document.priority === rule.priority,
        },
        ...[...targetGroupsOf(rule.actions)].map(
          (group): Claim => ({
            law: 'association',
            index: 'rulesUsingTargetGroup',
            key: group,
            rivals: ({ document }: Found<'rule'>) =>
              state.get('listener', document.listenerId)?.loadBalancerId !== loadBalancerId,
          }),
        ),
      ];
    },
  },
  placement: {
    parents: [
      { kind: 'load-balancer', idOf: ({ loadBalancerId }) => loadBalancerId },
      { kind: 'node', idOf: ({ nodeId }) => nodeId },
    ],
    referrers: [],
    claims: ({ address }) => [{ law: 'address', index: 'placementByAddress', key: address, rivals: all }],
  },
  node: { parents: [], referrers: ['placementsOfNode'] },
  principal: { parents: [], referrers: [] },
  'access-key': { parents: [{ kind: 'principal', idOf: ({ principalId }) => principalId }], referrers: [] },
  fold: { parents: [], referrers: [] },
  operator: { parents: [], referrers: [] },
  limit: { parents: [], referrers: [] },
  hold: { parents: [], referrers: [] },
  approval: { parents: [], referrers: [] },
  request: { parents: [], referrers: [] },
  freeze: { parents: [], referrers: [] },
};

/** What the document refers to. */
export function referencesOf<K extends Kind>(kind: K, document: Documents[K]): readonly Key[] {
  const { parents, references } = laws[kind];
  return [
    ...parents.map((parent) => ({ kind: parent.kind, id: parent.idOf(document) })),
    ...(references?.(document) ?? []),
  ];
}

/** The first law that the document breaks in a state that it is part of. */
export function breachOf<K extends Kind>(
  state: State,
  kind: K,
  id: string,
  document: Documents[K],
): Breach | undefined {
  const { parents, references, claims } = laws[kind];
  for (const parent of parents) {
    const parentId = parent.idOf(document);
    if (state.get(parent.kind, parentId) === undefined) {
      return { law: 'reference', other: { kind: parent.kind, id: parentId } };
    }
  }
  for (const other of references?.(document) ?? []) {
    if (state.get(other.kind, other.id) === undefined) return { law: 'reference', other };
  }
  for (const { law, index, key, rivals } of claims?.(document, state) ?? []) {
    for (const found of state.find(index, key)) {
      // An index finds documents of the kind whose claim it serves.
      if (found.id !== id && rivals(found as Found<never>)) return { law, other: { kind, id: found.id } };
    }
  }
  if (kind === 'listener' && !hasDefaultRule(state, id)) {
    return { law: 'default-rule', other: { kind: 'listener', id } };
  }
  return undefined;
}

/** The first law that is broken by a document's being gone, in a state without it. */
export function breachWithout<K extends Kind>(
  state: State,
  kind: K,
  id: string,
  document: Documents[K],
): Breach | undefined {
  for (const index of laws[kind].referrers) {
    for (const found of state.find(index, id)) {
      return { law: 'referrer', other: { kind: indexes[index].kind, id: found.id } };
    }
  }
  if (kind !== 'rule') return undefined;
  const { listenerId } = document as Documents['rule'];
  if (state.get('listener', listenerId) === undefined || hasDefaultRule(state, listenerId)) return undefined;
  return { law: 'default-rule', other: { kind: 'listener', id: listenerId } };
}

function hasDefaultRule(state: State, listenerId: HexId): boolean {
  for (const { document } of state.find('rulesOfListener', listenerId))
    if (document.priority === 'default') return true;
  return false;
}

/**
 * What ties a document to others in the eyes of the laws: itself, what it refers to, and what it claims. When one
 * document changes, only those that share a tie with it can be judged differently.
 */
export function tiesOf<K extends Kind>(state: State, kind: K, id: string, document: Documents[K]): readonly string[] {
  return [
    `${kind}/${id}`,
    ...referencesOf(kind, document).map((other) => `${other.kind}/${other.id}`),
    ...(laws[kind].claims?.(document, state) ?? []).map(({ index, key }) => `${index}/${key}`),
  ];
}
