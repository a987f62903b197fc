import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { compileGlob } from '#base/glob.ts';
import { compileRegex } from '#model/linear-regex.ts';
import type { RequestFacts } from '#routing/request.ts';
import type { RoutingRule, RuleCondition } from '#routing/table.ts';
import { compileCondition } from './condition.ts';
import { literalPrefix } from './literal-prefix.ts';
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
  const allOfSix = { field: 'source-ip', values: ['10.0.0.0/8', '::/0'] } as const;
  assert(holds(allOfSix, { source: '2001:db8:1::5' }));
  assert(!holds(allOfSix, { source: '192.0.2.77' }), 'the other family is not held by it');
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

const values = (...choices: string[]) => fc.array(fc.constantFrom(...choices), { minLength: 1, maxLength: 2 });
const anyCondition: fc.Arbitrary<RuleCondition> = fc.oneof(
  values('a.com', 'b.com', '*.com', 'a.*', '?.com', '*.b.com', 'B.COM').map((all) => texts('host-header', ...all)),
  values('/', '/a', '/a/*', '/a*', '/a/b', '/a/b/*', '/a/b/c', '/b/*', '*', '/*/b', '/?/b', 'a', '//*').map((all) =>
    texts('path-pattern', ...all),
  ),
  values('b$', '^/a/b', '^/a/b?/', '^/(a|b)/', '^/a/|c', '^\\/a\\/').map(
    (regexes): RuleCondition => ({ field: 'path-pattern', values: [], regexes }),
  ),
  values('POST', 'PUT').map((all): RuleCondition => ({ field: 'http-request-method', values: all })),
  values('1', 'x*', 'Y').map((all): RuleCondition => ({ field: 'http-header', name: 'X-K', values: all, regexes: [] })),
  fc.constantFrom<RuleCondition>(
    { field: 'query-string', values: [{ key: 'k', value: 'v' }] },
    { field: 'query-string', values: [{ key: 'K', value: 'w' }, { value: 'q' }] },
    { field: 'query-string', values: [{ key: 'k\\*', value: '*' }] },
    { field: 'source-ip', values: ['10.1.0.0/16'] },
    { field: 'source-ip', values: ['10.1.2.128/25', '10.0.0.0/7'] },
    { field: 'source-ip', values: ['10.1.0.0/20', '2001:db8::/32'] },
    { field: 'http-header', name: 'x-l', values: [], regexes: ['^b'] },
  ),
);

test('rules: what is found is what trying every rule in its order finds', () => {
  const onePerField = fc.uniqueArray(anyCondition, { minLength: 1, maxLength: 3, selector: ({ field }) => field });
  const asked = fc.record({
    host: fc.constantFrom('a.com', 'b.com', 'c.com', 'a.org', 'x.b.com', ''),
    path: fc.constantFrom('/', '/a', '/a/', '/a/b', '/a/b/', '/a/b/c', '/ab', '/b/c', '/c/b', '*', '//b', '/a//b'),
    method: fc.constantFrom('GET', 'POST'),
    query: fc.constantFrom('', 'k=v', 'a&K=W', 'z=q', 'k*=1', 'k=v=w'),
    source: fc.constantFrom('10.1.2.3', '10.1.2.200', '10.1.99.1', '11.0.0.1', '2001:db8::1', ''),
    fields: fc.constantFrom<NonNullable<Parts['fields']>>(
      {},
      { 'x-k': ['0', '1'] },
      { 'x-k': ['y'], 'x-l': ['Bc'] },
      { 'x-k': ['X1'] },
    ),
  });
  fc.assert(
    fc.property(
      fc.array(onePerField, { maxLength: 20 }),
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
    { numRuns: 4_000 },
  );
});

test('rules: of a thousand, whatever they ask for, hardly more are tried than of one', () => {
  const kinds: Record<string, (index: number) => RuleCondition> = {
    host: (index) => texts('host-header', `h${index}.com`),
    'end of a host': (index) => texts('host-header', `*.h${index}.com`),
    path: (index) => texts('path-pattern', `/p${index}/*`),
    'long path': (index) => texts('path-pattern', `/api/v1/p${index}/*`),
    expression: (index) => ({ field: 'path-pattern', values: [], regexes: [`^/api/p${index}/[0-9]+$`] }),
    field: (index) => ({ field: 'http-header', name: 'X-Tenant', values: [`t${index}`], regexes: [] }),
    query: (index) => ({ field: 'query-string', values: [{ key: 'v', value: `${index}` }] }),
    source: (index) => ({ field: 'source-ip', values: [`10.${index >> 8}.${index & 255}.0/24`] }),
    method: (index) => ({ field: 'http-request-method', values: [`M-${index}`] }),
  };
  for (const [kind, make] of Object.entries(kinds)) {
    const matcher = new RuleMatcher([
      ...Array.from({ length: 1_000 }, (_, index) => rule(`${index}`, make(index))),
      rule('default'),
    ]);
    // What is tried is counted by what it looks at: the parts of the request.
    let looks = 0;
    const counted = (parts: Parts) =>
      new Proxy(request(parts), {
        get: (target, name) => {
          looks += 1;
          return Reflect.get(target, name);
        },
      });
    const parts = {
      host: 'x.h700.com',
      path: kind === 'expression' ? '/api/p700/1' : kind === 'path' ? '/p700/a' : '/api/v1/p700/a',
      query: 'a=b&v=700',
      source: '10.2.188.1',
      method: 'M-700',
      fields: { 'x-tenant': ['T700'] },
    };
    const given = kind === 'host' ? { ...parts, host: 'h700.com' } : parts;
    assert.equal(matcher.find(counted(given)).rule.id, '700', kind);
    assert(looks < 20, `${kind}: ${looks} looks`);
  }
});

test('literal prefix: nothing is found in a text that does not begin with it', () => {
  const piece = fc.constantFrom(
    'a',
    'b',
    '/',
    '\\/',
    '\\.',
    '.',
    'a?',
    'b*',
    'a+',
    '(a|b)',
    '[ab]',
    '|',
    'a{0,1}',
    '$',
  );
  const text = fc.array(fc.constantFrom('a', 'b', '/', '.'), { maxLength: 6 }).map((all) => all.join(''));
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 6 }), fc.boolean(), text, (pieces, isAnchored, given) => {
      const source = `${isAnchored ? '^' : ''}${pieces.join('')}`;
      const compiled = compileRegex(source, false);
      if (compiled.ok && compiled.value.test(given)) assert(given.startsWith(literalPrefix(source)), source);
    }),
    { numRuns: 4_000 },
  );
  assert.equal(literalPrefix('^/api/v1/[a-z]+$'), '/api/v1/');
  assert.equal(literalPrefix('^/a\\.b*'), '/a.');
  assert.equal(literalPrefix('/a'), '');
});
