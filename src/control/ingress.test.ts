import assert from 'node:assert/strict';
import test from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { createLoadBalancer } from '#control/elbv2/create-load-balancer.ts';
import { setSecurityGroups } from '#control/elbv2/set-security-groups.ts';
import { TestRegion } from '#control/elbv2/test-region.ts';
import { followNetwork, ingressOf } from './ingress.ts';
import { type Network, type SecurityRule, unknownNetwork } from './network.ts';

const anywhere = ['0.0.0.0/0', '::/0'];

/** A network that knows the groups; those without rules are there, and nobody has said whom they let in. */
function knows(groups: Readonly<Record<string, readonly SecurityRule[] | undefined>>, vpcId: string): Network {
  const all = Object.entries(groups).map(
    ([id, ingress]) => [id, { id, name: id, description: id, vpcId, ingress }] as const,
  );
  return { ...unknownNetwork, securityGroups: new Map(all) };
}

const web: SecurityRule = { protocol: 'tcp', fromPort: 80, toPort: 443, cidrs: anywhere };

test('ingress: groups let in together; where one of them may let in anybody, they all do', () => {
  const network = knows(
    {
      'sg-1': [web],
      'sg-2': [
        { protocol: 'udp', fromPort: 1, toPort: 2, cidrs: anywhere },
        { protocol: 'icmp', fromPort: 0, toPort: 65_535, cidrs: anywhere },
        { protocol: 'all', fromPort: 0, toPort: 65_535, cidrs: ['10.0.0.0/8'] },
      ],
      'sg-3': [],
      'sg-4': undefined,
    },
    'vpc-1',
  );
  const ofWeb = { fromPort: 80, toPort: 443, cidrs: anywhere };
  assert.deepEqual(ingressOf(network, ['sg-1']), [ofWeb]);
  assert.deepEqual(ingressOf(network, ['sg-2', 'sg-1', 'sg-3']), [
    { fromPort: 0, toPort: 65_535, cidrs: ['10.0.0.0/8'] },
    ofWeb,
  ]);
  assert.deepEqual(ingressOf(network, ['sg-3']), []);
  for (const groups of [[], ['sg-4'], ['sg-1', 'sg-4'], ['sg-1', 'sg-unknown']]) {
    assert.equal(ingressOf(network, groups), undefined, groups.join());
  }
});

test('ingress: it is kept with the load balancer, and follows the calls and the network; absence opens no door', () => {
  const region = new TestRegion();
  const make = (Name: string, SecurityGroups?: string[]) => {
    const input = { Name, Subnets: ['subnet-1', 'subnet-2'], ...(SecurityGroups && { SecurityGroups }) };
    return region.accepted(createLoadBalancer, input).LoadBalancers![0]!.LoadBalancerArn!;
  };
  const documentOf = (arn: string) => region.tables.get('load-balancer', arn.split('/').at(-1)!)!;
  const { vpcId } = documentOf(make('plain'));
  const vpc = (groups: Parameters<typeof knows>[0]) => knows(groups, vpcId);
  region.network = vpc({ 'sg-1': [web], 'sg-2': [] });
  const arn = make('first', ['sg-1']);
  const ofWeb = [{ fromPort: 80, toPort: 443, cidrs: anywhere }];
  assert.deepEqual(documentOf(arn).ingress, ofWeb);
  assert(!('ingress' in documentOf(make('unknown', ['sg-9']))));
  region.accepted(setSecurityGroups, { LoadBalancerArn: arn, SecurityGroups: ['sg-2'] });
  assert.deepEqual(documentOf(arn).ingress, []);
  region.accepted(setSecurityGroups, { LoadBalancerArn: arn, SecurityGroups: ['sg-1', 'sg-9'] });
  assert(!('ingress' in documentOf(arn)));
  region.accepted(setSecurityGroups, { LoadBalancerArn: arn, SecurityGroups: ['sg-1'] });

  const follow = (network: Network) => {
    const changes = followNetwork(region.tables, network);
    region.tables.apply(region.tables.revision + 1, changes, 0);
    assert.deepEqual(followNetwork(region.tables, network), []);
    return changes.map(({ id, after }) => isDeepStrictEqual(after, documentOf(id)) && documentOf(id).ingress);
  };
  assert.deepEqual(follow(region.network), []);
  assert.deepEqual(follow(vpc({ 'sg-1': [] })), [[]]);
  assert.deepEqual(follow(vpc({})), []);
  assert.deepEqual(documentOf(arn).ingress, []);
  assert.deepEqual(follow(vpc({ 'sg-1': undefined })), [undefined]);
  assert.deepEqual(follow(vpc({ 'sg-1': [web], 'sg-9': [] })), [ofWeb, []]);
});
