/** Amazon resource names, as Elastic Load Balancing forms them. The ids in them are the documents' ids. */
import type { HexId, LoadBalancerType } from './documents.ts';

export interface Place {
  readonly region: string;
  readonly account: string;
}

/** `type` and `name` are the load balancer's, also of what belongs to it. */
interface OfLoadBalancer {
  readonly type: LoadBalancerType;
  readonly name: string;
}

export type Arn = Place &
  (
    | ({ readonly kind: 'load-balancer'; readonly id: HexId } & OfLoadBalancer)
    | { readonly kind: 'target-group' | 'trust-store'; readonly name: string; readonly id: HexId }
    | ({ readonly kind: 'listener'; readonly loadBalancerId: HexId; readonly id: HexId } & OfLoadBalancer)
    | ({
        readonly kind: 'rule';
        readonly loadBalancerId: HexId;
        readonly listenerId: HexId;
        readonly id: HexId;
      } & OfLoadBalancer)
  );

const typeWords: Readonly<Record<LoadBalancerType, string>> = { application: 'app', network: 'net' };
const named = { targetgroup: 'target-group', truststore: 'trust-store' } as const;

/** The ARN's text. */
export function formatArn(arn: Arn): string {
  return `arn:aws:elasticloadbalancing:${arn.region}:${arn.account}:${formatResource(arn)}`;
}

function formatResource(arn: Arn): string {
  switch (arn.kind) {
    case 'load-balancer':
      return `loadbalancer/${typeWords[arn.type]}/${arn.name}/${arn.id}`;
    case 'target-group':
      return `targetgroup/${arn.name}/${arn.id}`;
    case 'trust-store':
      return `truststore/${arn.name}/${arn.id}`;
    case 'listener':
      return `listener/${typeWords[arn.type]}/${arn.name}/${arn.loadBalancerId}/${arn.id}`;
    case 'rule':
      return `listener-rule/${typeWords[arn.type]}/${arn.name}/${arn.loadBalancerId}/${arn.listenerId}/${arn.id}`;
  }
}

const arnPattern =
  /^arn:aws:elasticloadbalancing:([a-z0-9-]{1,64}):([0-9]{12}):([a-z-]{1,16})\/([A-Za-z0-9/-]{1,160})$/;
const idPattern = /^[0-9a-f]{16}$/;

/** Reads an ARN of any of the kinds; undefined when the text is not one. */
export function parseArn(text: string): Arn | undefined {
  const match = arnPattern.exec(text);
  if (match === null) return undefined;
  const [, region, account, resource, rest] = match as unknown as [string, string, string, string, string];
  const place = { region, account };
  const parts = rest.split('/');
  if (resource === 'targetgroup' || resource === 'truststore') {
    const [name, id, ...more] = parts as [string, string?, ...string[]];
    if (name === '' || id === undefined || !idPattern.test(id) || more.length > 0) return undefined;
    return { kind: named[resource], ...place, name, id };
  }
  const [word, name = '', ...ids] = parts as [string, string?, ...string[]];
  const type = (Object.keys(typeWords) as LoadBalancerType[]).find((each) => typeWords[each] === word);
  if (type === undefined || name === '' || !ids.every((id) => idPattern.test(id))) return undefined;
  const owner = { ...place, type, name };
  const [first, second, third] = ids as [string, string, string];
  if (resource === 'loadbalancer' && ids.length === 1) return { kind: 'load-balancer', ...owner, id: first };
  if (resource === 'listener' && ids.length === 2)
    return { kind: 'listener', ...owner, loadBalancerId: first, id: second };
  if (resource === 'listener-rule' && ids.length === 3) {
    return { kind: 'rule', ...owner, loadBalancerId: first, listenerId: second, id: third };
  }
  return undefined;
}

/** The region and account that a certificate's ARN names, and which it is there. */
export type CertificateArn =
  | (Place & { readonly service: 'acm'; readonly id: string })
  /** `name` without the path. */
  | { readonly service: 'iam'; readonly account: string; readonly path: string; readonly name: string };

const acmPattern =
  /^arn:aws:acm:([a-z0-9-]{1,64}):([0-9]{12}):certificate\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;
const iamPattern = /^arn:aws:iam::([0-9]{12}):server-certificate(\/(?:[!-.0-~]{1,512}\/){0,20})([\w+=,.@-]{1,128})$/;

/** Reads the ARN of a certificate of ACM or of IAM; undefined when the text is neither. */
export function parseCertificateArn(text: string): CertificateArn | undefined {
  const acm = acmPattern.exec(text);
  if (acm !== null) return { service: 'acm', region: acm[1]!, account: acm[2]!, id: acm[3]! };
  const iam = iamPattern.exec(text);
  return iam === null ? undefined : { service: 'iam', account: iam[1]!, path: iam[2]!, name: iam[3]! };
}

export function formatCertificateArn(arn: CertificateArn): string {
  return arn.service === 'acm'
    ? `arn:aws:acm:${arn.region}:${arn.account}:certificate/${arn.id}`
    : `arn:aws:iam::${arn.account}:server-certificate${arn.path}${arn.name}`;
}
