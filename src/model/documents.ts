/**
 * The nouns. Everything that the service knows is one of these small documents under a key (kind, id); nothing here
 * has behaviour, and a document never holds what can be worked out from others.
 */

import type { Certificate } from './approval.ts';
import type { Cause, Change } from './change.ts';
import type { RuleDocument } from './rule-documents.ts';

export type * from './rule-documents.ts';

/** Sixteen hexadecimal digits, as in the last part of an ARN. */
export type HexId = string;

export interface Tag {
  readonly key: string;
  readonly value: string;
}

/** What a caller chose for a zone; addresses beyond the zone and its subnet are kept for answers alone. */
export interface ZoneMapping {
  readonly zone: string;
  readonly subnetId: string;
  readonly allocationId?: string;
  readonly privateIpv4Address?: string;
  readonly ipv6Address?: string;
  readonly sourceNatIpv6Prefix?: string;
}

export const loadBalancerTypes = ['application', 'network'] as const;
export type LoadBalancerType = (typeof loadBalancerTypes)[number];
export const ipAddressTypes = ['ipv4', 'dualstack', 'dualstack-without-public-ipv4'] as const;
export type IpAddressType = (typeof ipAddressTypes)[number];

/** Id: its HexId. Attributes hold only what differs from the default. */
export interface LoadBalancerDocument {
  readonly account: string;
  readonly name: string;
  readonly type: LoadBalancerType;
  readonly scheme: 'internet-facing' | 'internal';
  readonly ipAddressType: IpAddressType;
  readonly vpcId: string;
  readonly zones: readonly ZoneMapping[];
  readonly securityGroups: readonly string[];
  /** Who may connect, where it is known what the security groups let in; undefined: everybody. */
  readonly ingress?: readonly IngressRule[];
  /** Of a network load balancer; undefined is `on`. */
  readonly inboundRulesOnPrivateLink?: 'on' | 'off';
  /** Of a network load balancer; undefined is `off`. */
  readonly prefixForIpv6SourceNat?: 'on' | 'off';
  readonly customerOwnedIpv4Pool?: string;
  readonly ipv4IpamPoolId?: string;
  /** Undefined while nothing was ever reserved. */
  readonly capacityReservation?: CapacityReservation;
  readonly dnsName: string;
  readonly createdAtMs: number;
  readonly attributes: Readonly<Record<string, string>>;
  readonly tags: readonly Tag[];
}

/** Lets in TCP connections from these ranges, as 10.0.0.0/16 or 2001:db8::/56, to these ports. */
export interface IngressRule {
  readonly fromPort: number;
  readonly toPort: number;
  readonly cidrs: readonly string[];
}

export interface CapacityReservation {
  /** Load balancer capacity units; 0: the reservation was taken back. */
  readonly units: number;
  readonly modifiedAtMs: number;
  /** When it was decreased within the day before that, the last one last. */
  readonly decreasedAtMs: readonly number[];
}

export const applicationProtocols = ['HTTP', 'HTTPS'] as const;
export const networkProtocols = ['TCP', 'TLS', 'UDP', 'TCP_UDP', 'QUIC', 'TCP_QUIC'] as const;
export type ListenerProtocol = (typeof applicationProtocols)[number] | (typeof networkProtocols)[number];

/** How clients of an HTTPS listener show who they are. */
export type MutualAuthentication =
  | { readonly mode: 'passthrough' }
  | {
      readonly mode: 'verify';
      readonly trustStoreId: HexId;
      readonly ignoresExpiry: boolean;
      readonly advertisesCaNames: boolean;
    };

/** Id: its HexId. What it does stands in its rules; its default action is the rule with priority `default`. */
export interface ListenerDocument {
  readonly loadBalancerId: HexId;
  readonly protocol: ListenerProtocol;
  readonly port: number;
  /** Name of the security policy; of listeners that speak TLS. */
  readonly sslPolicy?: string;
  /** Ids of certificates; the first is the default, which may be in the list once more. */
  readonly certificateIds?: readonly string[];
  readonly alpnPolicy?: string;
  readonly mutualAuthentication?: MutualAuthentication;
  readonly createdAtMs: number;
  /** Only what differs from the default; undefined is nothing, as in the listeners of earlier versions. */
  readonly attributes?: Readonly<Record<string, string>>;
  readonly tags: readonly Tag[];
}

export const targetTypes = ['instance', 'ip', 'lambda', 'alb'] as const;
export type TargetType = (typeof targetTypes)[number];
export const targetGroupProtocols = ['HTTP', 'HTTPS', 'TCP', 'TLS', 'UDP', 'TCP_UDP', 'QUIC', 'TCP_QUIC'] as const;
export type TargetGroupProtocol = (typeof targetGroupProtocols)[number];

/** Id: its HexId. */
export interface TargetGroupDocument {
  readonly account: string;
  readonly name: string;
  readonly targetType: TargetType;
  /** Undefined for functions, which have no protocol, port or network. */
  readonly protocol?: TargetGroupProtocol;
  /** Of HTTP and HTTPS. */
  readonly protocolVersion?: 'HTTP1' | 'HTTP2' | 'GRPC';
  readonly ipAddressType: 'ipv4' | 'ipv6';
  readonly port?: number;
  readonly vpcId?: string;
  /** Where target optimizers listen. */
  readonly targetControlPort?: number;
  readonly healthCheck: HealthCheckSettings;
  readonly createdAtMs: number;
  readonly attributes: Readonly<Record<string, string>>;
  readonly tags: readonly Tag[];
}

export interface HealthCheckSettings {
  readonly enabled: boolean;
  /** TCP only connects. */
  readonly protocol: 'HTTP' | 'HTTPS' | 'TCP';
  /** `traffic-port`, or a port number as text. */
  readonly port: string;
  readonly path: string;
  readonly intervalSeconds: number;
  readonly timeoutSeconds: number;
  readonly healthyThresholdCount: number;
  readonly unhealthyThresholdCount: number;
  /** Status codes that count as healthy, in ELB's form: `200`, `200,202`, `200-299`; of gRPC, its own codes. */
  readonly matcher: string;
}

/**
 * Id: `GROUP/ADDRESS:PORT`, or with its `named` in place of the address (see `targetKey`). One document a target, so
 * that a million stay cheap to change.
 */
export interface TargetDocument {
  readonly targetGroupId: HexId;
  /** Where it is reached. Empty for a function, and for what nobody has found an address of. */
  readonly address: string;
  /** 0 for a function. */
  readonly port: number;
  /** What the caller named it by when that is no address: an instance's id, a function's or a load balancer's ARN. */
  readonly named?: string;
  readonly quicServerId?: string;
  /** `all` or a zone's name, when the caller gave one. */
  readonly availabilityZone?: string;
  readonly state:
    | { readonly kind: 'registered'; readonly sinceMs: number }
    /** Gets no new requests; removed once `untilMs` (the deregistration delay) has passed. */
    | { readonly kind: 'draining'; readonly sinceMs: number; readonly untilMs: number };
}

/**
 * Id: of ACM the UUID in its ARN, of IAM the server certificate's id. What it says stands in the certificate itself;
 * the private key is sealed.
 */
export interface CertificateDocument {
  readonly account: string;
  readonly service: 'acm' | 'iam';
  /** Of IAM: unique in the account, whatever its case. */
  readonly name?: string;
  /** Of IAM: `/`, or between slashes. */
  readonly path?: string;
  /** PEM, as are the next two. */
  readonly certificate: string;
  readonly chain?: string;
  readonly sealedPrivateKey: string;
  readonly createdAtMs: number;
  /** Of ACM: when it was last imported under the same ARN. */
  readonly importedAtMs: number;
  readonly tags: readonly Tag[];
}

/** Id: its HexId. The certificate authorities that clients of HTTPS listeners may come from. */
export interface TrustStoreDocument {
  readonly account: string;
  readonly name: string;
  /** PEM, one certificate after the other. */
  readonly bundle: string;
  readonly createdAtMs: number;
  readonly tags: readonly Tag[];
}

/** Id: `TRUSTSTORE/NUMBER`. A certificate revocation list. */
export interface RevocationDocument {
  readonly trustStoreId: HexId;
  readonly number: number;
  /** PEM. */
  readonly content: string;
  /** How many certificates it revokes. */
  readonly entriesCount: number;
  readonly createdAtMs: number;
}

/** Id: the node's name, for instance `node-1`. */
export interface NodeDocument {
  readonly zone: string;
  /** The addresses that this node may serve on, as CIDR. */
  readonly prefix: string;
}

/** Id: `LOADBALANCER/NODE` (see `placementKey`). One address of a load balancer, on one node. */
export interface PlacementDocument {
  readonly loadBalancerId: HexId;
  readonly nodeId: string;
  readonly zone: string;
  readonly address: string;
  readonly state:
    | { readonly kind: 'pending' }
    /** Its address is given out. `impairment` says which of its listeners the node cannot serve, and why. */
    | { readonly kind: 'serving'; readonly sinceMs: number; readonly impairment?: string }
    /** Serves, but its zone was taken from the load balancer: given out only until another serves, then removed. */
    | { readonly kind: 'leaving'; readonly sinceMs: number }
    /** The node could not bring it into service, and why. */
    | { readonly kind: 'failed'; readonly reason: string };
}

/** Id: `ACCOUNT/NAME`. */
export interface PrincipalDocument {
  readonly account: string;
  readonly name: string;
  readonly createdAtMs: number;
  /** IAM's JSON, as it was given. Without one, the principal may do everything in its account. */
  readonly policy?: string;
}

/** Id: the access key id. The secret is sealed: history never forgets, so it must not hold secrets in the clear. */
export interface AccessKeyDocument {
  readonly principalId: string;
  readonly sealedSecret: string;
  readonly createdAtMs: number;
}

/**
 * Id: its last revision, as digits. Registrations that were changed again on the same day (UTC) were folded away from
 * `from` through `through`; while the document is there, the lines that are missing from the journal went by it.
 */
export interface FoldDocument {
  readonly from: number;
  readonly through: number;
  /** How many changes were folded away. */
  readonly lines: number;
  /** All parts of the transactions that they were in. */
  readonly parts: number;
  /** SHA-256 (hex) over `NUMBER TAB SHA-256 of its text LF` of each of these parts as it is since, the last first. */
  readonly digest: string;
}

/** Id: its name. A person who may ask for and approve what one alone must not do. */
export interface OperatorDocument {
  /** Ed25519, as SPKI in base64url. The private key is on the person's own machine and nowhere else. */
  readonly publicKey: string;
  readonly rights: readonly OperatorRight[];
  readonly createdAtMs: number;
}

/** `approve`: changes that were held, and maintenance; `govern`: limits, and who is an operator. */
export const operatorRights = ['approve', 'govern'] as const;
export type OperatorRight = (typeof operatorRights)[number];

/**
 * Id: what it limits (see `limits.ts` of the guard). Harm is over it when it is more than `percentMax` of the load
 * balancers and at least `countMin` of them, within the window.
 */
export interface LimitDocument {
  readonly percentMax: number;
  readonly countMin: number;
  readonly windowSeconds: number;
}

/** Id: its HexId. Changes that wait for a second person: they are made when enough approve, and go when time is up. */
export interface HoldDocument {
  /** Who asked for them. */
  readonly cause: Cause;
  /** SHA-256 (hex) over the changes; what an approval names. */
  readonly digest: string;
  /** None where there are too many to be kept: whoever asked for them asks again. */
  readonly changes: readonly Change[];
  readonly changesCount: number;
  /** Why they are held, a sentence. */
  readonly why: string;
  /** By name as many as are kept. */
  readonly harmed: readonly HarmedLoadBalancer[];
  readonly harmedCount: number;
  readonly right: OperatorRight;
  readonly approvalsNeeded: number;
  readonly heldAtMs: number;
  readonly expiresAtMs: number;
}

export interface HarmedLoadBalancer {
  readonly id: HexId;
  readonly account: string;
  readonly name: string;
  readonly reason: string;
}

/** Id: its HexId. A person's signed word; what it says stands in the statement (see `approval.ts`). */
export interface ApprovalDocument {
  readonly certificate: Certificate;
  /** What it covers: a digest, or empty for a scope. */
  readonly digest: string;
  /** The load balancers that were harmed by it so far. */
  readonly usedBy: number;
  readonly expiresAtMs: number;
}

/** Id: its HexId. A maintenance process that somebody wants to run, with what it would change. */
export interface RequestDocument {
  readonly process: string;
  /** As they were given. */
  readonly parameters: Readonly<Record<string, string>>;
  /** Of the plan: what an approval names. */
  readonly digest: string;
  readonly changesCount: number;
  readonly harmed: readonly HarmedLoadBalancer[];
  readonly harmedCount: number;
  readonly summary: readonly string[];
  readonly requestedBy: string;
  readonly environment: string;
  readonly reason: string;
  readonly approvalsNeeded: number;
  readonly requestedAtMs: number;
  readonly expiresAtMs: number;
}

/** Id: `workflows`. While it is there no workflow changes anything. */
export interface FreezeDocument {
  readonly by: string;
  readonly reason: string;
  readonly sinceMs: number;
}

export interface Documents {
  readonly 'load-balancer': LoadBalancerDocument;
  readonly listener: ListenerDocument;
  readonly rule: RuleDocument;
  readonly 'target-group': TargetGroupDocument;
  readonly target: TargetDocument;
  readonly certificate: CertificateDocument;
  readonly 'trust-store': TrustStoreDocument;
  readonly revocation: RevocationDocument;
  readonly node: NodeDocument;
  readonly placement: PlacementDocument;
  readonly principal: PrincipalDocument;
  readonly 'access-key': AccessKeyDocument;
  readonly fold: FoldDocument;
  readonly operator: OperatorDocument;
  readonly limit: LimitDocument;
  readonly hold: HoldDocument;
  readonly approval: ApprovalDocument;
  readonly request: RequestDocument;
  readonly freeze: FreezeDocument;
}

export type Kind = keyof Documents;

/** Every kind, in an order in which references point backwards. */
export const kinds = [
  'principal',
  'access-key',
  'node',
  'certificate',
  'trust-store',
  'revocation',
  'load-balancer',
  'target-group',
  'target',
  'listener',
  'rule',
  'placement',
  'fold',
  'operator',
  'limit',
  'hold',
  'approval',
  'request',
  'freeze',
] as const satisfies readonly Kind[];

export type DocumentOf<K extends Kind> = Documents[K];

/** A document with the key it stands under and the revision that wrote it. */
export type Entry<K extends Kind = Kind> = {
  readonly [Each in K]: {
    readonly kind: Each;
    readonly id: string;
    readonly revision: number;
    readonly document: Documents[Each];
  };
}[K];

export function isKind(text: unknown): text is Kind {
  return kinds.includes(text as Kind);
}

const ofNoFollower: ReadonlySet<Kind> = new Set([
  'principal',
  'access-key',
  'certificate',
  'trust-store',
  'revocation',
  'fold',
  'hold',
  'request',
  'freeze',
]);

/** Whether documents of the kind stay in the control plane. */
export function isOfNoFollower(kind: Kind): boolean {
  return ofNoFollower.has(kind);
}

const ofEveryNode: ReadonlySet<Kind> = new Set(['operator', 'limit', 'approval']);

/** Whether documents of the kind go to every follower: what its brake judges by. */
export function isOfEveryFollower(kind: Kind): boolean {
  return ofEveryNode.has(kind);
}

const ofGuard: ReadonlySet<Kind> = new Set(['operator', 'limit', 'hold', 'approval', 'request', 'freeze']);

/** Whether documents of the kind are about what may be done, and not about what serves. */
export function isOfGuard(kind: Kind): boolean {
  return ofGuard.has(kind);
}
