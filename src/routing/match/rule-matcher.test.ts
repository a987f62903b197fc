import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { compileGlob } from '#base/glob.ts';
import type { RequestFacts } from '#routing/request.ts';
import type { RoutingRule, RuleCondition } from '#routing/table.ts';
import { compileCondition } from './condition.ts';
import { RuleMatcher } from './rule-matcher.ts';

interface Parts {
  readonly method?: string;
  readonly host?: string;
  readonly path?: string;
  readonly query?: string;
  readonly source?: string;
  readonly fields?: Readonly<Record<string, readonly string[]>>;
}

function request({ fields = {}, ...parts }: Parts): RequestFacts {
  const plain = { method: 'GET', host: 'example.com', path: '/', query: '', source: '127.0.0.1' };
  return { ...plain, ...parts, values: (name) => fields[name] ?? [] };
}

const rule = (id: string, ...conditions: RuleCondition[]): RoutingRule => ({
  id,
  conditions,
  action: { kind: 'forward', choices: [] },
  transforms: [],
});
const texts = (field: 'host-header' | 'path-pattern', ...values: string[]): RuleCondition => ({
  field,
  values,
  regexes: [],
});

test('glob: * stands for any characters and ? for one, of the whole text', () => {
  const cases: [pattern: string, matching: string[], other: string[]][] = [
    ['/img', ['/img'], ['/img/', '/im', '/imgs', '']],
    ['/img/*', ['/img/', '/img/a/b'], ['/img', '/imgs/']],
    ['*.jpg', ['.jpg', 'a.jpg', 'a.jpg.jpg'], ['a.jpgs', 'jpg']],
    ['/*/b/*', ['/a/b/c', '//b/', '/a/b/b/'], ['/a/b', '/b/']],
    ['a?c', ['abc', 'a?c'], ['ac', 'abbc']],
    ['*a*a*b', ['aab', 'xaxaxb', 'aaaab'], ['ab', 'aaba']],
    ['a*a', ['aa', 'aba'], ['a', 'ab']],
    ['*', ['', 'anything'], []],
    ['', [''], ['a']],
  ];
  for (const [pattern, matching, others] of cases) {
    const matches = compileGlob(pattern);
    for (const text of matching) assert(matches(text), `${pattern} ${text}`);
    for (const text of others) assert(!matches(text), `${pattern} ${text}`);
  }
  assert(compileGlob('a\\*?', { isEscaping: true })('a*b'));
  assert(!compileGlob('a\\*?', { isEscaping: true })('axb'));
  assert(compileGlob('\\\\', { isEscaping: true })('\\'));
});

test('glob: says what a regular expression of the same meaning says', () => {
  const letters = fc.array(fc.constantFrom('a', 'b', '.', '*', '?'), { maxLength: 10 }).map((all) => all.join(''));
  const text = fc.array(fc.constantFrom('a', 'b', '.'), { maxLength: 12 }).map((all) => all.join(''));
  fc.assert(
    fc.property(letters, text, (pattern, given) => {
      const source = pattern.replace(/\./g, '\\.').replace(/\*/g, '.*').replace(/\?/g, '.');
      assert.equal(compileGlob(pattern)(given), new RegExp(`^${source}$`).test(given));
    }),
    { numRuns: 2_000 },
  );
});

test('glob: a pattern made to go back again and again takes no longer for it', () => {
  const matches = compileGlob(`${'*a'.repeat(60)}*b`);
  assert(!matches('a'.repeat(16_000)));
});

test('conditions: each field looks at its own part of a request', () => {
  const holds = (condition: RuleCondition, parts: Parts) => compileCondition(condition)(request(parts));
  assert(holds(texts('host-header', 'A.example.com', '*.test'), { host: 'x.test' }));
  assert(holds(texts('host-header', 'A.example.com'), { host: 'a.example.com' }));
  assert(!holds(texts('host-header', 'a.example.com'), { host: 'b.example.com' }));
  assert(holds({ field: 'host-header', values: [], regexes: ['^API[0-9]'] }, { host: 'api1.example.com' }));
  assert(!holds(texts('path-pattern', '/IMG/*'), { path: '/img/a' }));
  assert(holds({ field: 'path-pattern', values: [], regexes: ['/v[0-9]+/'] }, { path: '/x/v12/y' }));
  assert(!holds({ field: 'path-pattern', values: [], regexes: ['/V[0-9]+/'] }, { path: '/x/v12/y' }));

  const header = { field: 'http-header', name: 'User-Agent', values: ['*Chrome*', 'curl/*'], regexes: [] } as const;
  assert(holds(header, { fields: { 'user-agent': ['Safari', 'CURL/8.0'] } }));
  assert(!holds(header, { fields: { 'user-agent': ['Safari'] } }));
  assert(!holds({ ...header, values: ['*'] }, {}), 'a field that is not there has no value');
  assert(holds({ ...header, values: [], regexes: ['chrome/[0-9]+'] }, { fields: { 'user-agent': ['X Chrome/9'] } }));

  const methods = { field: 'http-request-method', values: ['GET', 'HEAD'] } as const;
  assert(holds(methods, { method: 'HEAD' }));
  assert(!holds(methods, { method: 'get' }));

  const query = (...values: { key?: string; value: string }[]) => ({ field: 'query-string', values }) as const;
  assert(holds(query({ key: 'version', value: 'v1' }, { value: '*example*' }), { query: 'a=b&Version=V1' }));
  assert(holds(query({ value: '*example*' }), { query: 'a=an-example-b' }));
  assert(!holds(query({ key: 'version', value: 'v1' }), { query: 'version=v10&x=v1' }));
  assert(holds(query({ key: 'a\\*', value: '*' }), { query: 'a*=1' }));
  assert(!holds(query({ value: '*' }), {}));

  const sources = { field: 'source-ip', values: ['192.0.2.0/24', '2001:db8::/32'] } as const;
  assert(holds(sources, { source: '192.0.2.77' }));
  assert(holds(sources, { source: '2001:db8:1::5' }));
  assert(!holds(sources, { source: '192.0.3.1' }));
  assert(!holds(sources, { source: '' }));
});

test('rules: the first of which all conditions hold is found, else the default one', () => {
  const matcher = new RuleMatcher([
    rule('both', texts('host-header', 'a.example.com'), texts('path-pattern', '/api/*')),
    rule('host', texts('host-header', 'A.example.com', 'b.example.com')),
    rule('wild host', texts('host-header', '*.example.com'), texts('path-pattern', '/api/v2/*')),
    rule('path', texts('path-pattern', '/api/*', '/api')),
    rule('prefix', texts('path-pattern', '/ap*')),
    rule('post', { field: 'http-request-method', values: ['POST'] }),
    rule('default'),
  ]);
  const found = (parts: Parts) => matcher.find(request(parts)).rule.id;
  assert.equal(found({ host: 'a.example.com', path: '/api/x' }), 'both');
  assert.equal(found({ host: 'a.example.com', path: '/api' }), 'host');
  assert.equal(found({ host: 'b.example.com', path: '/api/x' }), 'host');
  assert.equal(found({ host: 'c.example.com', path: '/api/v2/x' }), 'wild host');
  assert.equal(found({ host: 'c.example.com', path: '/api/x' }), 'path');
  assert.equal(found({ path: '/api' }), 'path');
  assert.equal(found({ path: '/apis/x' }), 'prefix');
  assert.equal(found({ path: '/other', method: 'POST' }), 'post');
  assert.equal(found({ path: '/other' }), 'default');
  assert.equal(found({ path: '*', method: 'OPTIONS' }), 'default');
  assert.equal(found({ host: '' }), 'default');
});

test('rules: what is found is what trying every rule in its order finds', () => {
  const host = fc.constantFrom('a.com', 'b.com', '*.com', 'a.*', '?.com');
  const path = fc.constantFrom('/', '/a', '/a/*', '/a*', '/a/b', '/b/*', '*', '/*/b', '/?/b', 'a');
  const condition: fc.Arbitrary<RuleCondition> = fc.oneof(
    fc.array(host, { minLength: 1, maxLength: 2 }).map((values) => texts('host-header', ...values)),
    fc.array(path, { minLength: 1, maxLength: 2 }).map((values) => texts('path-pattern', ...values)),
    fc.constant<RuleCondition>({ field: 'path-pattern', values: [], regexes: ['b$'] }),
    fc.constant<RuleCondition>({ field: 'http-request-method', values: ['POST'] }),
  );
  const onePerField = fc.uniqueArray(condition, { minLength: 1, maxLength: 3, selector: ({ field }) => field });
  const asked = fc.record({
    host: fc.constantFrom('a.com', 'b.com', 'c.com', 'a.org', ''),
    path: fc.constantFrom('/', '/a', '/a/', '/a/b', '/ab', '/b/c', '/c/b', '*', '//b'),
    method: fc.constantFrom('GET', 'POST'),
  });
  fc.assert(
    fc.property(
      fc.array(onePerField, { maxLength: 12 }),
      fc.array(asked, { minLength: 1, maxLength: 10 }),
      (all, parts) => {
        const rules = [...all.map((conditions, index) => rule(`${index}`, ...conditions)), rule('default')];
        const matcher = new RuleMatcher(rules);
        for (const each of parts) {
          const facts = request(each);
          const wanted = rules.find(({ conditions }) => conditions.every((one) => compileCondition(one)(facts)))!;
          assert.equal(matcher.find(facts).rule.id, wanted.id);
        }
      },
    ),
    { numRuns: 2_000 },
  );
});
