/**
 * What documents are called, so that people know them again: by their own names, those of what they belong to, and
 * their ARN. What something belongs to may be gone in one view, so it is looked for in two.
 */
import { formatArn, formatCertificateArn } from '#model/arn.ts';
import type { Documents, HexId, Kind } from '#model/documents.ts';
import type { ResourceName } from '#model/history.ts';
import type { View } from '#model/view.ts';

/** What a name needs of a view. */
export type Names = Pick<View, 'get'>;

/** The states on both sides of a change; what is in neither is called by its id. */
export interface NameViews {
  readonly now: Names;
  readonly past: Names;
}

/** The name of a document that need not be in either view itself. */
export function nameOf(
  views: NameViews,
  kind: Kind,
  id: string,
  document: Documents[Kind],
  region: string,
): ResourceName {
  const name = namers[kind] as (views: NameViews, id: string, document: Documents[Kind], region: string) => Name;
  return { kind, id, ...name(views, id, document, region) };
}

type Name = Pick<ResourceName, 'label' | 'arn'>;

const namers: {
  readonly [K in Kind]: (views: NameViews, id: string, document: Documents[K], region: string) => Name;
} = {
  'load-balancer': (_, id, { account, name, type }, region) => ({
    label: `${account}/${name}`,
    arn: formatArn({ kind: 'load-balancer', region, account, type, name, id }),
  }),
  'target-group': (_, id, { account, name }, region) => ({
    label: `${account}/${name}`,
    arn: formatArn({ kind: 'target-group', region, account, name, id }),
  }),
  listener: (views, id, { loadBalancerId, port }, region) => {
    const parent = find(views, 'load-balancer', loadBalancerId);
    if (parent === undefined) return { label: `:${port} of load balancer ${loadBalancerId}` };
    const { account, name, type } = parent;
    return {
      label: `${name} :${port}`,
      arn: formatArn({ kind: 'listener', region, account, type, name, loadBalancerId, id }),
    };
  },
  rule: (views, id, { listenerId, priority }, region) => {
    const rule = priority === 'default' ? 'default rule' : `rule ${priority}`;
    const listener = find(views, 'listener', listenerId);
    if (listener === undefined) return { label: `${rule} of listener ${listenerId}` };
    const parent = nameOf(views, 'listener', listenerId, listener, region);
    const { loadBalancerId } = listener;
    const owner = find(views, 'load-balancer', loadBalancerId);
    const label = `${rule} of ${parent.label}`;
    if (owner === undefined) return { label };
    const { account, name, type } = owner;
    return { label, arn: formatArn({ kind: 'rule', region, account, type, name, loadBalancerId, listenerId, id }) };
  },
  target: (views, _, { targetGroupId, address, port, named }) => ({
    label: `${named ?? address}:${port} in ${labelOf(views, 'target-group', targetGroupId)}`,
  }),
  certificate: (_, id, { account, service, name, path }, region) => ({
    label: `${account}/${name ?? id}`,
    arn: formatCertificateArn(
      service === 'acm' ? { service, region, account, id } : { service, account, path: path ?? '/', name: name ?? id },
    ),
  }),
  'trust-store': (_, id, { account, name }, region) => ({
    label: `${account}/${name}`,
    arn: formatArn({ kind: 'trust-store', region, account, name, id }),
  }),
  revocation: (views, _, { trustStoreId, number }) => ({
    label: `${number} of ${labelOf(views, 'trust-store', trustStoreId)}`,
  }),
  placement: (views, _, { loadBalancerId, nodeId, address }) => ({
    label: `${labelOf(views, 'load-balancer', loadBalancerId)} on ${nodeId} at ${address}`,
  }),
  node: (_, id) => ({ label: id }),
  principal: (_, id) => ({ label: id }),
  'access-key': (_, id, { principalId }) => ({ label: `${id} of ${principalId}` }),
  fold: (_, __, { from, through }) => ({ label: `${from} to ${through}` }),
  operator: (_, id) => ({ label: id }),
  limit: (_, id) => ({ label: id }),
  hold: (_, id, { cause }) => ({ label: `${id}: ${cause.action} of ${cause.principal}` }),
  approval: (_, id) => ({ label: id }),
  request: (_, id, { process }) => ({ label: `${id}: ${process}` }),
  freeze: () => ({ label: 'of all workflows' }),
};

/** `ACCOUNT/NAME` of a load balancer or target group, or its id where it is in neither view. */
export function labelOf(views: NameViews, kind: 'load-balancer' | 'target-group' | 'trust-store', id: HexId): string {
  const found = find(views, kind, id);
  return found === undefined ? id : `${found.account}/${found.name}`;
}

function find<K extends Kind>({ now, past }: NameViews, kind: K, id: string): Documents[K] | undefined {
  return now.get(kind, id) ?? past.get(kind, id);
}
