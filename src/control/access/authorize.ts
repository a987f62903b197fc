/**
 * Whether a principal may make a call, by its policy. One without a policy may do everything in its account. What a
 * call is about are the resources that it names, those that it makes by their names; calls that only read are about
 * everything (`*`), as with AWS.
 */
import type { ApiCall, ApiVersion } from '#control/execute.ts';
import type { PrincipalDocument } from '#model/documents.ts';
import { type Fault, fault } from '#model/fault.ts';
import type { View } from '#model/view.ts';
import { type Policy, parsePolicy, verdictOf } from './policy.ts';

/** What stands before the names of actions in policies. */
const services: Readonly<Record<ApiVersion, string>> = {
  '2015-12-01': 'elasticloadbalancing',
  '2012-06-01': 'elasticloadbalancing',
  '2015-12-08': 'acm',
  '2010-05-08': 'iam',
  '2011-06-15': 'sts',
  '2016-11-15': 'ec2',
  '2010-08-01': 'cloudwatch',
};
/** The members of inputs that name one resource, or several. */
const arnMembers = [
  'CertificateArn',
  'ListenerArn',
  'LoadBalancerArn',
  'ResourceArn',
  'RuleArn',
  'TargetGroupArn',
  'TrustStoreArn',
] as const;

/** A document never changes: each policy is read once. */
const policies = new WeakMap<PrincipalDocument, Policy>();

/** The refusal of a call, in AWS's words; undefined when the principal may make it. */
export function checkAccess(
  view: View,
  call: Pick<ApiCall, 'version' | 'action' | 'input' | 'principal' | 'account'>,
  { region, isRead }: { readonly region: string; readonly isRead: boolean },
): Fault | undefined {
  const principal = view.get('principal', call.principal);
  if (principal === undefined) return denied(call, '*', 'the principal was deleted');
  // As with AWS, whoever has a key may learn whose it is.
  if (principal.policy === undefined || call.version === '2011-06-15') return undefined;
  const policy = policyOf(principal);
  const action = `${services[call.version]}:${call.action}`;
  for (const resource of isRead ? ['*'] : resourcesOf(call, region)) {
    const verdict = policy === undefined ? 'not allowed' : verdictOf(policy, action, resource);
    if (verdict === 'allowed') continue;
    const why =
      verdict === 'denied'
        ? 'with an explicit deny in its policy'
        : `because no statement of its policy allows the ${action} action`;
    return denied(call, resource, why);
  }
  return undefined;
}

function policyOf(principal: PrincipalDocument): Policy | undefined {
  const known = policies.get(principal);
  if (known !== undefined) return known;
  const parsed = parsePolicy(principal.policy!);
  if (parsed.ok) policies.set(principal, parsed.value);
  return parsed.ok ? parsed.value : undefined;
}

/** The ARNs that the input names; what it creates is named as far as that is known before it is there. */
function resourcesOf(
  { version, action, input, account }: Pick<ApiCall, 'version' | 'action' | 'input' | 'account'>,
  region: string,
): readonly string[] {
  const members = input as Readonly<Record<string, unknown>>;
  if (version === '2010-05-08') return [`arn:aws:iam::${account}:server-certificate/${members.ServerCertificateName}`];
  const own = `arn:aws:${services[version]}:${region}:${account}:`;
  const type = members.Type === 'network' ? 'net' : 'app';
  if (action === 'CreateLoadBalancer') return [`${own}loadbalancer/${type}/${members.Name}/*`];
  if (action === 'CreateTargetGroup') return [`${own}targetgroup/${members.Name}/*`];
  if (action === 'CreateTrustStore') return [`${own}truststore/${members.Name}/*`];
  const named: unknown[] = arnMembers.map((member) => members[member]);
  named.push(...listOf(members.ResourceArns));
  named.push(...listOf(members.RulePriorities).map((pair) => (pair as { readonly RuleArn?: string }).RuleArn));
  const arns = named.filter((arn) => typeof arn === 'string');
  return arns.length === 0 ? ['*'] : arns;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function denied(
  { version, principal, action }: Pick<ApiCall, 'version' | 'principal' | 'action'>,
  resource: string,
  why: string,
): Fault {
  const [account, name] = principal.split('/');
  const user = `arn:aws:iam::${account}:user/${name}`;
  const message = `User: ${user} is not authorized to perform: ${services[version]}:${action} on resource: ${resource.slice(0, 512)} ${why}`;
  return fault('AccessDenied', message);
}
