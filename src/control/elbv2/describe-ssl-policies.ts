/**
 * DescribeSSLPolicies: the predefined security policies, or those that are named, in the order of the request and each
 * once. They are the same for every type of load balancer whose listeners have one.
 */
import type {
  DescribeSSLPoliciesInput,
  DescribeSSLPoliciesOutput,
  SslPolicy as EncodedSslPolicy,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { accept, type Result, refuse } from '#base/result.ts';
import { type Fault, fault } from '#model/fault.ts';
import { checkChoice, shown } from './checks.ts';
import type { Elbv2Operation } from './shape.ts';
import { type SslPolicy, sslPolicies } from './ssl-policies.ts';
import { tablePageOf } from './table-pages.ts';

const types = ['application', 'network'];

export const describeSslPolicies: Elbv2Operation<DescribeSSLPoliciesInput, DescribeSSLPoliciesOutput> = {
  kind: 'read',
  answer(_view, { Names: names = [], LoadBalancerType: type, ...input }) {
    const wrong = type === undefined ? undefined : checkChoice('Load balancer type', type, [...types, 'gateway']);
    if (wrong !== undefined) return refuse(wrong);
    // No listener of a gateway load balancer has a policy.
    const found = findPolicies(names, type === 'gateway' ? [] : sslPolicies);
    if (!found.ok) return found;
    const page = tablePageOf(found.value, ({ name }) => name, input);
    if (!page.ok) return page;
    return accept({ SslPolicies: page.value.items.map(encode), NextMarker: page.value.nextMarker });
  },
};

function findPolicies(names: readonly string[], offered: readonly SslPolicy[]): Result<readonly SslPolicy[], Fault> {
  if (names.length === 0) return accept(offered);
  const found = new Set<SslPolicy>();
  for (const wanted of names) {
    const policy = offered.find(({ name }) => name === wanted);
    if (policy === undefined) return refuse(fault('SSLPolicyNotFound', `SSL policy '${shown(wanted)}' not found`));
    found.add(policy);
  }
  return accept([...found]);
}

function encode({ name, protocols, ciphers }: SslPolicy): EncodedSslPolicy {
  return {
    SslProtocols: [...protocols],
    Ciphers: ciphers.map((cipher, index) => ({ Name: cipher, Priority: index + 1 })),
    Name: name,
    SupportedLoadBalancerTypes: types,
  };
}
