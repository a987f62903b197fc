import assert from 'node:assert/strict';
import test from 'node:test';
import { getCiphers } from 'node:tls';
import { describeSslPolicies } from './describe-ssl-policies.ts';
import { sslPolicies } from './ssl-policies.ts';
import { TestRegion } from './test-region.ts';

const name = (rest: string) => `ELBSecurityPolicy-${rest}`;

function described(input: object) {
  return new TestRegion().accepted(describeSslPolicies, input).SslPolicies!;
}

test('DescribeSSLPolicies: a policy tells its protocols, and its ciphers with their priorities', () => {
  assert.deepEqual(described({ Names: [name('TLS13-1-2-Res-2021-06')] }), [
    {
      Name: name('TLS13-1-2-Res-2021-06'),
      SslProtocols: ['TLSv1.2', 'TLSv1.3'],
      Ciphers: [
        { Name: 'TLS_AES_128_GCM_SHA256', Priority: 1 },
        { Name: 'TLS_AES_256_GCM_SHA384', Priority: 2 },
        { Name: 'TLS_CHACHA20_POLY1305_SHA256', Priority: 3 },
        { Name: 'ECDHE-ECDSA-AES128-GCM-SHA256', Priority: 4 },
        { Name: 'ECDHE-RSA-AES128-GCM-SHA256', Priority: 5 },
        { Name: 'ECDHE-ECDSA-AES256-GCM-SHA384', Priority: 6 },
        { Name: 'ECDHE-RSA-AES256-GCM-SHA384', Priority: 7 },
      ],
      SupportedLoadBalancerTypes: ['application', 'network'],
    },
  ]);
  const ciphersOf = (rest: string) => described({ Names: [name(rest)] })[0]!.Ciphers!.map(({ Name }) => Name);
  const [byDefault, sha2] = [ciphersOf('2016-08'), ciphersOf('TLS-1-2-2017-01')];
  assert.deepEqual(
    [byDefault.length, byDefault[0], byDefault.at(-1)],
    [18, 'ECDHE-ECDSA-AES128-GCM-SHA256', 'AES256-SHA'],
  );
  assert.deepEqual([sha2.length, sha2[6], sha2.at(-1)], [12, 'ECDHE-ECDSA-AES256-SHA384', 'AES256-SHA256']);
  assert.deepEqual(ciphersOf('TLS13-1-3-FIPS-2023-04'), ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384']);
  assert.equal(ciphersOf('TLS-1-0-2015-04').at(-1), 'DES-CBC3-SHA');
});

test('DescribeSSLPolicies: those named come in the order of the request, each once, and an unknown one is refused', () => {
  const Names = ['FS-1-2-Res-2020-10', '2016-08', 'FS-1-2-Res-2020-10'].map(name);
  assert.deepEqual(
    described({ Names }).map(({ Name }) => Name),
    Names.slice(0, 2),
  );
  const region = new TestRegion();
  const unknown = { Names: [name('2016-08'), 'constructor'] };
  assert.match(region.refused(describeSslPolicies, unknown, 'SSLPolicyNotFound'), /'constructor' not found/);
});

test('DescribeSSLPolicies: the type of load balancer says whose policies are meant', () => {
  assert.equal(described({}).length, sslPolicies.length);
  assert.deepEqual(described({ LoadBalancerType: 'application' }), described({}));
  assert.deepEqual(described({ LoadBalancerType: 'network' }), described({}));
  assert.deepEqual(described({ LoadBalancerType: 'gateway' }), []);
  new TestRegion().refused(describeSslPolicies, { LoadBalancerType: 'classic' }, 'ValidationError');
});

test('DescribeSSLPolicies: pages go on where the last one ended, through the policies that were named', () => {
  const region = new TestRegion();
  const Names = ['FS-2018-06', '2016-08', 'TLS-1-2-2017-01'].map(name);
  const first = region.accepted(describeSslPolicies, { Names, PageSize: 2 });
  const second = region.accepted(describeSslPolicies, { Names, PageSize: 2, Marker: first.NextMarker! });
  assert.deepEqual(
    [...first.SslPolicies!, ...second.SslPolicies!].map(({ Name }) => Name),
    Names,
  );
  assert.equal(second.NextMarker, undefined);
  region.refused(describeSslPolicies, { PageSize: 0 }, 'ValidationError');
});

test('ssl policies: names are unique, every cipher is one of OpenSSL, and protocols and ciphers fit each other', () => {
  assert.equal(new Set(sslPolicies.map((policy) => policy.name)).size, sslPolicies.length);
  const known = new Set([...getCiphers().map((cipher) => cipher.toUpperCase()), 'DES-CBC3-SHA']);
  for (const policy of sslPolicies) {
    assert.equal(new Set(policy.ciphers).size, policy.ciphers.length, policy.name);
    for (const cipher of policy.ciphers) assert(known.has(cipher), cipher);
    const is13 = policy.ciphers.some((cipher) => cipher.startsWith('TLS_'));
    assert.equal(is13, policy.protocols.includes('TLSv1.3'), policy.name);
    const isOlder = policy.ciphers.some((cipher) => !cipher.startsWith('TLS_'));
    assert.equal(isOlder, policy.protocols.includes('TLSv1.2'), policy.name);
    const withoutGroups = sslPolicies.find((other) => other.name === policy.name.replace(/-PQ-2025-09$/, '-2021-06'));
    if (withoutGroups !== undefined) assert.deepEqual(policy.ciphers, withoutGroups.ciphers);
  }
});
