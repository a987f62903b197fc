/** Amazon resource names, as Elastic Load Balancing forms them. The ids in them are the documents' ids. */
import type { HexId } from './documents.ts';

export interface Place {
  readonly region: string;
  readonly account: string;
}

export type Arn = Place &
  (
    | { readonly kind: 'load-balancer'; readonly name: string; readonly id: HexId }
    | { readonly kind: 'target-group'; readonly name: string; readonly id: HexId }
    | { readonly kind: 'listener'; readonly name: string; readonly loadBalancerId: HexId; readonly id: HexId }
    | {
        readonly kind: 'rule';
        readonly name: string;
        readonly loadBalancerId: HexId;
        readonly listenerId: HexId;
        readonly id: HexId;
      }
  );

/** The ARN's text; `name` is the load balancer's or the target group's. */
export function formatArn(arn: Arn): string {
  return `arn:aws:elasticloadbalancing:${arn.region}:${arn.account}:${formatResource(arn)}`;
}

function formatResource(arn: Arn): string {
  switch (arn.kind) {
    case 'load-balancer':
      return `loadbalancer/app/${arn.name}/${arn.id}`;
    case 'target-group':
      return `targetgroup/${arn.name}/${arn.id}`;
    case 'listener':
      return `listener/app/${arn.name}/${arn.loadBalancerId}/${arn.id}`;
    case 'rule':
      return `listener-rule/app/${arn.name}/${arn.loadBalancerId}/${arn.listenerId}/${arn.id}`;
  }
}

const arnPattern =
  /^arn:aws:elasticloadbalancing:([a-z0-9-]{1,64}):([0-9]{12}):([a-z-]{1,16})\/([A-Za-z0-9/-]{1,160})$/;
const idPattern = /^[0-9a-f]{16}$/;

/** Reads an ARN of any of the kinds; undefined when the text is not one. */
export function parseArn(text: string): Arn | undefined {
  const match = arnPattern.exec(text);
  if (match === null) return undefined;
  const [, region, account, type, rest] = match as unknown as [string, string, string, string, string];
  const parts = rest.split('/');
  const place = { region, account };
  const name = type === 'targetgroup' ? parts[0]! : (parts[1] ?? '');
  const ids = type === 'targetgroup' ? parts.slice(1) : parts.slice(2);
  if (name === '' || !ids.every((id) => idPattern.test(id))) return undefined;
  if (type === 'targetgroup')
    return ids.length === 1 ? { kind: 'target-group', ...place, name, id: ids[0]! } : undefined;
  if (parts[0] !== 'app') return undefined;
  if (type === 'loadbalancer' && ids.length === 1) return { kind: 'load-balancer', ...place, name, id: ids[0]! };
  if (type === 'listener' && ids.length === 2)
    return { kind: 'listener', ...place, name, loadBalancerId: ids[0]!, id: ids[1]! };
  if (type === 'listener-rule' && ids.length === 3) {
    return { kind: 'rule', ...place, name, loadBalancerId: ids[0]!, listenerId: ids[1]!, id: ids[2]! };
  }
  return undefined;
}
