import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { parseInventory } from './inventory.ts';
import { limitsOf } from './limits.ts';

const zones = ['us-east-1a', 'us-east-1b'];
const vpcs = [{ id: 'vpc-1', cidr: '10.0.0.0/16' }];
const subnets = [{ id: 'subnet-1', zone: 'us-east-1a', vpc: 'vpc-1' }];

test('inventory: the example of its page is one', () => {
  const page = readFileSync(new URL('../../docs/inventory.md', import.meta.url), 'utf8');
  const read = parseInventory(/```json\n([\s\S]*?)```/.exec(page)![1]!, zones);
  assert(read.ok, read.ok ? '' : read.fault);
  const { network, defaultSubnets, limits } = read.value;
  assert.deepEqual(
    defaultSubnets.map(({ id, zone, vpcId }) => [id, zone, vpcId]),
    [
      ['subnet-1', 'us-east-1a', 'vpc-1'],
      ['subnet-2', 'us-east-1b', 'vpc-1'],
    ],
  );
  assert.equal(network.isComplete, true);
  assert.deepEqual(network.securityGroups.get('sg-1')!.ingress, [
    { protocol: 'tcp', fromPort: 80, toPort: 443, cidrs: ['127.0.0.0/8'] },
  ]);
  const instance = network.instances.get('i-0123456789abcdef0')!;
  assert.deepEqual([instance.zone, instance.vpcId, instance.tags], ['us-east-1a', 'vpc-1', { a: 'b' }]);
  assert.equal(network.functions.size, 1);
  assert.equal(limitsOf(limits, '000000000000')['target-groups'], 10_000);
  assert.equal(limitsOf(limits, '111111111111')['target-groups'], 3_000);
  assert.equal(limitsOf(limits, '111111111111')['application-load-balancers'], 500);
});

test('inventory: what is not understood is refused with its place, and what is allowed', () => {
  const fault = (value: unknown) => {
    const read = parseInventory(typeof value === 'string' ? value : JSON.stringify(value), zones);
    return read.ok ? 'accepted' : read.fault;
  };
  assert.equal(fault({}), 'accepted');
  for (const [value, expected] of [
    ['{', /^it is not JSON: /],
    [[], /^the file: found \[\]; allowed: an object$/],
    [{ subnet: [] }, /^unknown key 'subnet'; allowed: complete, vpcs, /],
    [{ complete: 'yes' }, /^complete: found "yes"; allowed: true or false$/],
    [{ vpcs: {} }, /^vpcs: found \{\}; allowed: a list$/],
    [{ vpcs: [{ id: 'x', cidr: '10.0.0.0/8' }] }, /^vpcs\[0\]\.id: found "x"; allowed: 'vpc-' and/],
    [{ vpcs: [{ id: 'vpc-1', cidr: '10.0.0.1/8' }] }, /^vpcs\[0\]\.cidr: /],
    [{ vpcs: [...vpcs, ...vpcs] }, /^vpcs\[1\]\.id: 'vpc-1' is there twice$/],
    [{ subnets }, /^subnets\[0\]\.vpc: found "vpc-1"; allowed: an id that the inventory has$/],
    [
      { vpcs, subnets: [{ ...subnets[0], zone: 'x' }] },
      /^subnets\[0\]\.zone: found "x"; allowed: us-east-1a, us-east-1b$/,
    ],
    [{ vpcs, subnets: [{ ...subnets[0], Zone: 'x' }] }, /^subnets\[0\]: unknown key 'Zone'/],
    [{ vpcs, subnets, instances: [{ id: 'i-00000001', address: '::1', subnet: 'subnet-1' }] }, /IPv4 address$/],
    [
      { vpcs, subnets, instances: [{ id: 'i-1', address: '127.0.0.1', subnet: 'subnet-1' }] },
      /^instances\[0\]\.id: found "i-1"/,
    ],
    [
      { vpcs, securityGroups: [{ id: 'sg-1', vpc: 'vpc-1', ingress: [{ fromPort: 2, toPort: 1, cidrs: [] }] }] },
      /^securityGroups\[0\]\.ingress\[0\]: fromPort is 2, above toPort 1$/,
    ],
    [{ functions: { a: 'ftp://x' } }, /^functions\.a: found "ftp:\/\/x"; allowed: an URL/],
    [{ limits: { default: { x: 1 } } }, /^limits\.default: unknown key 'x'; allowed: application-load-balancers/],
    [
      { limits: { default: { certificates: -1 } } },
      /^limits\.default\.certificates: found -1; allowed: a whole number/,
    ],
    [{ limits: { accounts: { '1': {} } } }, /^limits\.accounts: found '1'; allowed: twelve digits$/],
  ] as const) {
    assert.match(fault(value), expected);
  }
});
