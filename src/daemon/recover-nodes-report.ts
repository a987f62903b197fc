/** The plan of a recovery from nodes, for people and programs: what is put back, what is doubtful, what is unknown. */
import { type Entry, type Kind, kinds } from '#model/documents.ts';
import { isEmpty, type View } from '#model/view.ts';
import type { NodesPlan } from './recover-nodes.ts';

/** Of a long list so many are shown to people, and the others counted. */
const shownMax = 20;

/** The plan as JSON. Nothing in it is secret. */
export interface NodesPlanReport {
  readonly storeId: string;
  readonly environment: string;
  readonly region: string;
  /** The last revision that a node has seen; the recovered history begins behind it. */
  readonly originRevision: number;
  readonly followers: readonly { readonly id: string; readonly path: string; readonly revision: number }[];
  readonly unreadable: readonly string[];
  readonly counts: Readonly<Partial<Record<Kind, number>>>;
  readonly owners: readonly { readonly account: string; readonly loadBalancers: readonly string[] }[];
  /** The first access key, which is put back, or why it is not. */
  readonly accessKey: { readonly id: string } | { readonly missing: string };
  /** Only nodes that are behind hold these. */
  readonly doubtful: readonly string[];
  /** A later document stands in their place, so they are left out. */
  readonly displaced: readonly string[];
  /** Load balancers of which no listener was found. */
  readonly bare: readonly string[];
  readonly unknown: readonly string[];
}

export function reportNodesPlan(plan: NodesPlan): NodesPlanReport {
  const { identity, followers, unreadable, gathered, doubtful, accessKey } = plan;
  const { documents, displaced } = gathered;
  const bare = [...documents.all('load-balancer')].filter(({ id }) =>
    isEmpty(documents.find('listenersOfLoadBalancer', id)),
  );
  const names = (entries: readonly Entry[]) => entries.map((entry) => nameOf(documents, entry)).sort();
  return {
    storeId: identity.storeId,
    environment: identity.environment,
    region: identity.region,
    originRevision: identity.origin.revision,
    followers,
    unreadable,
    counts: Object.fromEntries(kinds.map((kind) => [kind, documents.count(kind)])),
    owners: ownersOf(documents),
    accessKey: accessKey.ok ? { id: accessKey.value } : { missing: accessKey.fault },
    doubtful: names(doubtful),
    displaced: names(displaced),
    bare: names(bare),
    unknown: [
      `what happened up to revision ${identity.origin.revision}, and changes after it that no node has seen`,
      'target groups that no load balancer uses, with their targets',
      'load balancers that no node and no DNS server among these held',
      'principals, access keys and policies other than the first',
    ],
  };
}

/** The lines in which a person reads the plan. */
export function describeNodesPlan(report: NodesPlanReport): string[] {
  const { storeId, region, environment, originRevision, followers, accessKey } = report;
  const last = followers[0]!.revision;
  const count = (kind: Kind, one: string, many = `${one}s`) => {
    const number = report.counts[kind] ?? 0;
    return `${number} ${number === 1 ? one : many}`;
  };
  return [
    `Store ${storeId}, region ${region}, environment ${environment} (no node knows it: check that it is right).`,
    `Its history begins anew at revision ${originRevision + 1}, behind the last one that a node has seen.`,
    '',
    'Found:',
    ...followers.map(({ id, revision, path }) => {
      const behind = revision === last ? '' : `, ${last - revision} behind`;
      return `  ${id} at revision ${revision}${behind} (${path})`;
    }),
    ...report.unreadable.map((line) => `  left out: ${line}`),
    '',
    `Put back: ${count('load-balancer', 'load balancer')}, ${count('listener', 'listener')}, ${count('rule', 'rule')}, ` +
      `${count('target-group', 'target group')}, ${count('target', 'target')}, ` +
      `${count('placement', 'address', 'addresses')}.`,
    ...report.owners.map(
      ({ account, loadBalancers }) =>
        `  account ${account}: ${loadBalancers.length} load balancers: ${some(loadBalancers).join(', ')}`,
    ),
    'id' in accessKey
      ? `  the first access key, ${accessKey.id}`
      : `  no access key: ${accessKey.missing}; one is made at the next start`,
    ...list('Only nodes that are behind hold these; they are kept, and may have been deleted since:', report.doubtful),
    ...list('Left out, because a later one has taken their place:', report.displaced),
    ...list('Known by name and address alone; no listener of theirs was found:', report.bare),
    ...list('Not known from nodes:', report.unknown),
  ];
}

function ownersOf(documents: View): { readonly account: string; readonly loadBalancers: readonly string[] }[] {
  const names = new Map<string, string[]>();
  for (const { document } of documents.all('load-balancer')) {
    const owned = names.get(document.account) ?? [];
    names.set(document.account, owned);
    owned.push(document.name);
  }
  return [...names].map(([account, owned]) => ({ account, loadBalancers: owned.sort() }));
}

function list(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', title, ...some(lines).map((line) => `  ${line}`)];
}

function some(names: readonly string[]): readonly string[] {
  if (names.length <= shownMax) return names;
  return [...names.slice(0, shownMax), `and ${names.length - shownMax} more`];
}

function nameOf(view: View, { kind, id, document }: Entry): string {
  switch (kind) {
    case 'load-balancer':
      return `load balancer ${document.account}/${document.name}`;
    case 'listener':
      return `listener :${document.port} of ${loadBalancerName(view, document.loadBalancerId)}`;
    case 'rule': {
      const listener = view.get('listener', document.listenerId);
      return listener === undefined
        ? `rule ${document.priority} of a listener that is left out too`
        : `rule ${document.priority} of listener :${listener.port} of ${loadBalancerName(view, listener.loadBalancerId)}`;
    }
    case 'target-group':
      return `target group ${document.account}/${document.name}`;
    case 'target': {
      const group = view.get('target-group', document.targetGroupId);
      const owner = group === undefined ? document.targetGroupId : `${group.account}/${group.name}`;
      return `target ${document.address}:${document.port} of ${owner}`;
    }
    case 'placement':
      return `address ${document.address} of ${loadBalancerName(view, document.loadBalancerId)}`;
    default:
      return `${kind} ${id}`;
  }
}

function loadBalancerName(view: View, id: string): string {
  const loadBalancer = view.get('load-balancer', id);
  return loadBalancer === undefined ? id : `${loadBalancer.account}/${loadBalancer.name}`;
}
