import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { Result } from '#base/result.ts';
import { type Fault, faults } from '#model/fault.ts';
import { decodeInput, parametersMax, parseForm } from './query.ts';
import { apis, type Shape } from './shapes.ts';

const { operations } = apis.get('2015-12-01')!;

/** Decodes as the desk does. */
function decode(form: string, shape: Shape): Result<unknown, Fault> {
  const parsed = parseForm(form);
  return parsed.ok ? decodeInput(parsed.value, shape) : parsed;
}

function decodeFor(action: string, form: string): unknown {
  const decoded = decode(form, operations.get(action)!.input);
  assert(decoded.ok, JSON.stringify(decoded));
  return decoded.value;
}

function faultOf(action: string, form: string): string {
  const decoded = decode(form, operations.get(action)!.input);
  assert(!decoded.ok, JSON.stringify(decoded));
  return `${decoded.fault.code}: ${decoded.fault.message}`;
}

test('query: lists are put in the order of their numbers, and gaps are closed', () => {
  assert.deepEqual(decodeFor('DescribeLoadBalancers', 'Names.member.10=c&Names.member.2=a&Names.member.9=b'), {
    Names: ['a', 'b', 'c'],
  });
});

test('query: an empty list arrives as a name without a value, and is not the same as none', () => {
  assert.deepEqual(decodeFor('DescribeLoadBalancers', 'Names='), { Names: [] });
  assert.deepEqual(decodeFor('DescribeLoadBalancers', 'Names'), { Names: [] });
  assert.deepEqual(decodeFor('DescribeLoadBalancers', ''), {});
});

test('query: plus signs and percent-encoding are text, whatever the text is', () => {
  assert.deepEqual(decodeFor('DescribeLoadBalancers', 'Marker=a+b%2Bc%26%3D%C3%BC%F0%9F%8E%88&PageSize=400&&'), {
    Marker: 'a b+c&=ü🎈',
    PageSize: 400,
  });
});

test('query: parameters that the operation does not know are passed over, like those of the signature', () => {
  assert.deepEqual(
    decodeFor('DescribeLoadBalancers', 'Action=X&Version=Y&X-Amz-Date=Z&Nonsense.member.x=1&names=a&Marker=m'),
    { Marker: 'm' },
  );
});

test('query: what is required is asked for by its full name', () => {
  assert.match(faultOf('RegisterTargets', 'TargetGroupArn=a'), /^ValidationError: Targets is required/);
  assert.match(
    faultOf('RegisterTargets', 'TargetGroupArn=a&Targets.member.1.Id=i&Targets.member.2.Port=80'),
    /^ValidationError: Targets\.member\.2\.Id is required/,
  );
});

test('query: a value of the wrong type is refused, with the name, what was found and what is allowed', () => {
  const cases: [action: string, form: string, message: RegExp][] = [
    ['DescribeLoadBalancers', 'PageSize=ten', /PageSize must be a whole number; found 'ten'/],
    ['DescribeLoadBalancers', 'PageSize=', /PageSize must be a whole number; found ''/],
    ['DescribeLoadBalancers', 'PageSize=1e3', /found '1e3'/],
    ['DescribeLoadBalancers', 'PageSize=-0', /found '-0'/],
    ['DescribeLoadBalancers', 'PageSize=9999999999999999', /found '9999999999999999'/],
    ['DescribeLoadBalancers', 'Names=a', /Names is a list; found the value 'a'/],
    ['DescribeLoadBalancers', 'Names.1=a', /Names is a list of Names\.member\.N; found 'Names\.1'/],
    ['DescribeLoadBalancers', 'Names.member.0=a', /Names\.member\.'0' is not numbered from 1/],
    ['DescribeLoadBalancers', 'Names.member.01=a', /is not numbered from 1/],
    ['DescribeLoadBalancers', 'Names.member.1.x=a', /Names\.member\.1 is a single value/],
    ['DescribeLoadBalancers', 'Marker=m&Marker.x=n', /Marker is a single value; found 'Marker\.x'/],
    ['CreateTargetGroup', 'Name=a&HealthCheckEnabled=True', /HealthCheckEnabled must be true or false; found 'True'/],
    ['CreateTargetGroup', 'Name=a&Matcher=200', /Matcher is a structure; found the value '200'/],
  ];
  for (const [action, form, message] of cases) {
    const found = faultOf(action, form);
    assert.match(found, /^MalformedInput: /, form);
    assert.match(found, message);
  }
});

test('query: times are read in ISO 8601 alone', () => {
  const shape: Shape = {
    kind: 'structure',
    name: 'It',
    members: [{ name: 'At', isRequired: true, shape: () => ({ kind: 'timestamp' }) }],
  };
  assert.deepEqual(decode('At=2026-01-31T12:00:00Z', shape), {
    ok: true,
    value: { At: new Date('2026-01-31T12:00:00Z') },
  });
  for (const wrong of ['1769860800', 'yesterday', '2026-13-01T00:00:00Z', '2026-01-31', '']) {
    assert.equal(decode(`At=${wrong}`, shape).ok, false, wrong);
  }
});

const extraParameters =
  'ListenerArn=a&Priority=1&Conditions=&Actions.member.1.Type=authenticate-oidc&Actions.member.1.AuthenticateOidcConfig.' +
  'Issuer=i&Actions.member.1.AuthenticateOidcConfig.AuthorizationEndpoint=a&Actions.member.1.AuthenticateOidcConfig.' +
  'TokenEndpoint=t&Actions.member.1.AuthenticateOidcConfig.UserInfoEndpoint=u&Actions.member.1.AuthenticateOidcConfig.' +
  'ClientId=c';
const entry = (number: number, part: string) =>
  `&Actions.member.1.AuthenticateOidcConfig.AuthenticationRequestExtraParams.entry.${number}.${part}`;

test('query: names of the prototype are names like any other, and reach nothing', () => {
  const form = `${extraParameters}${entry(1, 'key=__proto__')}${entry(1, 'value=x')}&__proto__.polluted=1&constructor.prototype.polluted=1`;
  const input = decodeFor('CreateRule', form) as {
    Actions: { AuthenticateOidcConfig: { AuthenticationRequestExtraParams: object } }[];
  };
  const map = input.Actions[0]!.AuthenticateOidcConfig.AuthenticationRequestExtraParams;
  assert.deepEqual(Object.entries(map), [['__proto__', 'x']]);
  assert.equal(Object.getPrototypeOf(map), Object.prototype);
  assert.equal(({} as Record<string, unknown>).polluted, undefined);
  assert.deepEqual(Object.keys(input), ['ListenerArn', 'Conditions', 'Priority', 'Actions']);
});

test('query: a map needs a key and a value in each entry, and each key once', () => {
  assert.match(faultOf('CreateRule', `${extraParameters}${entry(1, 'key=a')}`), /needs both a key and a value/);
  assert.match(faultOf('CreateRule', `${extraParameters}${entry(1, 'value=a')}`), /needs both a key and a value/);
  const twice = `${entry(1, 'key=a')}${entry(1, 'value=x')}${entry(2, 'key=a')}${entry(2, 'value=y')}`;
  assert.match(faultOf('CreateRule', extraParameters + twice), /has the key 'a' twice/);
});

test('query: what cannot be read in exactly one way is refused', () => {
  assert.match(faultOf('DescribeLoadBalancers', 'Marker=a&Marker=b'), /'Marker' is given twice/);
  assert.match(faultOf('DescribeLoadBalancers', 'Marker=a&Mar%6ber=b'), /'Marker' is given twice/);
  for (const encoded of ['%', '%zz', '%C3', '%ED%A0%80', '%FF', '%C0%80']) {
    assert.match(faultOf('DescribeLoadBalancers', `Marker=${encoded}`), /^MalformedInput: .*not percent-encoded UTF-8/);
    assert.match(faultOf('DescribeLoadBalancers', `${encoded}=1`), /^MalformedInput: .*not percent-encoded UTF-8/);
  }
});

test('query: numbers, depth, length and count are bounded', () => {
  assert.match(faultOf('DescribeLoadBalancers', 'Names.member.999999999999=a'), /is not numbered from 1/);
  assert.deepEqual(decodeFor('DescribeLoadBalancers', 'Names.member.999999999=a'), { Names: ['a'] });
  assert.match(faultOf('DescribeLoadBalancers', `${'a.'.repeat(400_000)}b=1`), /is nested too deeply/);
  const names = (count: number) => Array.from({ length: count }, (_, index) => `Names.member.${index + 1}=a`).join('&');
  assert.match(faultOf('DescribeLoadBalancers', names(5_001)), /Names has 5001 entries; at most 5000 are allowed/);
  assert.equal((decodeFor('DescribeLoadBalancers', names(5_000)) as { Names: [] }).Names.length, 5_000);
  assert.match(faultOf('DescribeLoadBalancers', 'a&'.repeat(100_000)), new RegExp(`more than the ${parametersMax}`));
});

test('query: a message repeats at most the beginning of what was sent', () => {
  assert(faultOf('DescribeLoadBalancers', `PageSize=${'9'.repeat(100_000)}`).length < 300);
  assert(faultOf('DescribeLoadBalancers', `Names.${'x'.repeat(100_000)}=1`).length < 300);
  assert(faultOf('DescribeLoadBalancers', `Names.member.${'x'.repeat(100_000)}=1`).length < 300);
});

test('query: any form at all gives input or a fault, for every operation of both APIs', () => {
  const all = [...apis.values()].flatMap((api) => [...api.operations.values()]);
  const name = fc.constantFrom(
    ...all.flatMap(({ input }) => (input.kind === 'structure' ? input.members.map((member) => member.name) : [])),
  );
  const part = fc.oneof(
    name,
    fc.constantFrom('member', 'entry', '1', '2', '0', 'key', 'value', 'Type', 'Port', '__proto__', 'constructor', ''),
    fc.string({ maxLength: 3 }),
  );
  const value = fc.oneof(fc.constantFrom('', '1', 'true', '%', '%41', '__proto__'), fc.string({ unit: 'binary' }));
  const pair = fc
    .tuple(fc.array(part, { maxLength: 6 }), value)
    .map(([parts, chosen]) => `${parts.join('.')}=${chosen}`);
  const form = fc.oneof(
    fc.array(pair, { maxLength: 12 }).map((pairs) => pairs.join('&')),
    fc.string({ unit: 'binary' }),
  );
  fc.assert(
    fc.property(fc.constantFrom(...all), form, ({ input }, text) => {
      const decoded = decode(text, input);
      assert(decoded.ok ? typeof decoded.value === 'object' : decoded.fault.code in faults);
    }),
    { numRuns: 3_000 },
  );
});
