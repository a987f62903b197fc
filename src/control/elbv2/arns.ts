/**
 * From the ARN that a caller gives to the document it means. A caller finds only what belongs to its own region and
 * account, and only under exactly the ARN that our answers give.
 */
import { accept, type Result, refuse } from '#base/result.ts';
import type { OperationContext } from '#control/operation.ts';
import { type Arn, formatArn, parseArn } from '#model/arn.ts';
import type {
  DocumentOf,
  Entry,
  HexId,
  LoadBalancerDocument,
  TargetGroupDocument,
  TrustStoreDocument,
} from '#model/documents.ts';
import { type Fault, type FaultCode, fault } from '#model/fault.ts';
import type { View } from '#model/view.ts';
import { shown } from './checks.ts';

export type ArnKind = Arn['kind'];

const words = {
  'load-balancer': {
    one: 'load balancer',
    title: 'Load balancer',
    many: 'load balancers',
    code: 'LoadBalancerNotFound',
  },
  'target-group': { one: 'target group', title: 'Target group', many: 'target groups', code: 'TargetGroupNotFound' },
  'trust-store': { one: 'trust store', title: 'Trust store', many: 'trust stores', code: 'TrustStoreNotFound' },
  listener: { one: 'listener', title: 'Listener', many: 'listeners', code: 'ListenerNotFound' },
  rule: { one: 'listener rule', title: 'Rule', many: 'rules', code: 'RuleNotFound' },
} as const satisfies Record<ArnKind, { one: string; title: string; many: string; code: FaultCode }>;

export function loadBalancerArn(region: string, id: HexId, document: LoadBalancerDocument): string {
  return formatArn({
    kind: 'load-balancer',
    region,
    account: document.account,
    type: document.type,
    name: document.name,
    id,
  });
}

export function targetGroupArn(region: string, id: HexId, document: TargetGroupDocument): string {
  return formatArn({ kind: 'target-group', region, account: document.account, name: document.name, id });
}

export function trustStoreArn(region: string, id: HexId, { account, name }: TrustStoreDocument): string {
  return formatArn({ kind: 'trust-store', region, account, name, id });
}

export function listenerArn(region: string, id: HexId, loadBalancer: Entry<'load-balancer'>): string {
  const { account, type, name } = loadBalancer.document;
  return formatArn({ kind: 'listener', region, account, type, name, loadBalancerId: loadBalancer.id, id });
}

export function ruleArn(region: string, id: HexId, listenerId: HexId, loadBalancer: Entry<'load-balancer'>): string {
  const { account, type, name } = loadBalancer.document;
  return formatArn({ kind: 'rule', region, account, type, name, loadBalancerId: loadBalancer.id, listenerId, id });
}

/**
 * Finds the document of an ARN. Refuses what is not an ARN of this kind, region and account (ValidationError), and
 * what is one but stands for nothing (the NotFound code of its kind).
 */
export function findByArn<K extends ArnKind>(
  view: View,
  kind: K,
  text: string,
  context: OperationContext,
): Result<Entry<K>, Fault> {
  const arn = parseOwnArn(kind, text, context);
  if (!arn.ok) return arn;
  const entry = entryOf(view, kind, arn.value.id, text, context.settings.region);
  if (entry === undefined) return refuse(fault(words[kind].code, `${words[kind].title} '${shown(text)}' not found`));
  return accept(entry);
}

/** Finds the documents of several ARNs, each once; refuses the whole call when one of them is wrong. */
export function findAllByArn<K extends ArnKind>(
  view: View,
  kind: K,
  texts: readonly string[],
  context: OperationContext,
): Result<readonly Entry<K>[], Fault> {
  const found = new Map<string, Entry<K>>();
  for (const text of texts) {
    const entry = findByArn(view, kind, text, context);
    if (!entry.ok) return entry.fault.code === words[kind].code ? refuse(noneFound(kind)) : entry;
    found.set(entry.value.id, entry.value);
  }
  return accept([...found.values()]);
}

/** Finds the resource of any kind that carries tags. */
export function findTaggedByArn(view: View, text: string, context: OperationContext): Result<Entry<ArnKind>, Fault> {
  const kind = parseArn(text)?.kind;
  if (kind === undefined) return refuse(fault('ValidationError', `'${shown(text)}' is not a valid ARN`));
  return findByArn<ArnKind>(view, kind, text, context);
}

/** The fault for a list of names or ARNs of which at least one stands for nothing. */
export function noneFound(kind: ArnKind): Fault {
  return fault(words[kind].code, `One or more ${words[kind].many} not found`);
}

/** Reads an ARN of the caller's own region and account, without looking whether anything stands behind it. */
export function parseOwnArn(kind: ArnKind, text: string, context: OperationContext): Result<Arn, Fault> {
  const arn = parseArn(text);
  if (arn?.kind !== kind || arn.region !== context.settings.region || arn.account !== context.account) {
    return refuse(fault('ValidationError', `'${shown(text)}' is not a valid ${words[kind].one} ARN`));
  }
  return accept(arn);
}

/**
 * The document with this id, if `text` is exactly its ARN: another name or parent in the ARN means another resource.
 */
function entryOf<K extends ArnKind>(
  view: View,
  kind: K,
  id: HexId,
  text: string,
  region: string,
): Entry<K> | undefined {
  const document = view.get(kind, id);
  if (document === undefined || arnOf(view, kind, id, region) !== text) return undefined;
  return { kind, id, revision: view.revisionOf(kind, id), document: document as DocumentOf<K> } as Entry<K>;
}

/** The ARN of a document in the view; undefined when it, or what it belongs to, is not there. */
function arnOf(view: View, kind: ArnKind, id: HexId, region: string): string | undefined {
  switch (kind) {
    case 'load-balancer': {
      const document = view.get(kind, id);
      return document && loadBalancerArn(region, id, document);
    }
    case 'target-group': {
      const document = view.get(kind, id);
      return document && targetGroupArn(region, id, document);
    }
    case 'trust-store': {
      const document = view.get(kind, id);
      return document && trustStoreArn(region, id, document);
    }
    case 'listener': {
      const loadBalancer = loadBalancerOf(view, id);
      return loadBalancer && listenerArn(region, id, loadBalancer);
    }
    case 'rule': {
      const listenerId = view.get(kind, id)?.listenerId;
      const loadBalancer = listenerId === undefined ? undefined : loadBalancerOf(view, listenerId);
      if (listenerId === undefined || loadBalancer === undefined) return undefined;
      return ruleArn(region, id, listenerId, loadBalancer);
    }
  }
}

/** The load balancer of a listener; undefined when either is not there. */
export function loadBalancerOf(view: View, listenerId: HexId): Entry<'load-balancer'> | undefined {
  const id = view.get('listener', listenerId)?.loadBalancerId;
  const document = id === undefined ? undefined : view.get('load-balancer', id);
  if (id === undefined || document === undefined) return undefined;
  return { kind: 'load-balancer', id, revision: view.revisionOf('load-balancer', id), document };
}
