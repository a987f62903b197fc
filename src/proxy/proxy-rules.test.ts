import assert from 'node:assert/strict';
import test from 'node:test';
import type { RoutingAction, RoutingRule, RuleCondition, RuleTransform } from '#routing/table.ts';
import { exchange, socketPaths, startProxy, startTarget } from './test-proxy.ts';

const answer = (body: string): RoutingAction => ({
  kind: 'fixed-response',
  statusCode: 200,
  contentType: 'text/plain',
  body,
});
const rule = (
  id: string,
  conditions: readonly RuleCondition[],
  action: RoutingAction = answer(id),
  transforms: readonly RuleTransform[] = [],
): RoutingRule => ({ id, conditions, action, transforms });
const ask = (line: string, ...fields: string[]) =>
  `${line} HTTP/1.1\r\nConnection: close\r\n${fields.map((each) => `${each}\r\n`).join('')}\r\n`;

for (const socketPath of socketPaths) {
  test(`proxy (${socketPath}): every condition is answered by the bytes of the request`, async (t) => {
    const { port } = await startProxy(
      t,
      {
        action: answer('default'),
        rules: [
          rule('host', [{ field: 'host-header', values: ['a.example.com'], regexes: [] }]),
          rule('path', [{ field: 'path-pattern', values: ['/img/*'], regexes: [] }]),
          rule('regex', [{ field: 'path-pattern', values: [], regexes: ['^/v[0-9]+$'] }]),
          rule('header', [{ field: 'http-header', name: 'X-Kind', values: ['b*'], regexes: [] }]),
          rule('connection', [{ field: 'http-header', name: 'Transfer-Encoding', values: ['*'], regexes: [] }]),
          rule('method', [{ field: 'http-request-method', values: ['PURGE'] }]),
          rule('query', [{ field: 'query-string', values: [{ key: 'q', value: '1' }] }]),
          rule('source', [
            { field: 'source-ip', values: ['127.0.0.0/8'] },
            { field: 'path-pattern', values: ['/local'], regexes: [] },
          ]),
        ],
      },
      { socketPath },
    );
    const found = async (text: string) => (await exchange(t, port, text)).split('\r\n\r\n').at(-1);
    assert.equal(await found(ask('GET /', 'Host: A.Example.com:8080')), 'host');
    assert.equal(await found(ask('GET http://a.example.com', 'Host: other')), 'host');
    assert.equal(await found(ask('GET /img/a?b', 'Host: b')), 'path');
    assert.equal(await found(ask('GET http://b/img/a', 'Host: a.example.com')), 'path');
    assert.equal(await found(ask('GET /v12?x', 'Host: b')), 'regex');
    assert.equal(await found(ask('GET /', 'Host: b', 'x-KIND: a', 'X-Kind:  Bc ')), 'header');
    assert.equal(await found(ask('PURGE /', 'Host: b')), 'method');
    assert.equal(await found(ask('GET /?a&Q=1', 'Host: b')), 'query');
    assert.equal(await found(ask('GET /local', 'Host: b')), 'source');
    assert.equal(await found(ask('GET /images/?p=1', 'Host: b')), 'default');
    assert.equal(await found(ask('OPTIONS *', 'Host: b')), 'default');
  });

  test(`proxy (${socketPath}): a target gets the request as the rule transforms it`, async (t) => {
    const seen: string[] = [];
    const target = await startTarget(t, (incoming, outgoing) => {
      const hosts = incoming.rawHeaders.filter((_, index) => incoming.rawHeaders[index - 1]?.toLowerCase() === 'host');
      seen.push(`${incoming.method} ${incoming.url} ${hosts}`);
      incoming.pipe(outgoing);
    });
    const forward: RoutingAction = { kind: 'forward', choices: [{ group: 0, share: 1 }] };
    const { port } = await startProxy(
      t,
      {
        targets: [target],
        rules: [
          rule('rewritten', [{ field: 'path-pattern', values: ['/shop/*'], regexes: [] }], forward, [
            { kind: 'url-rewrite', regex: '^/shop/([a-z]*)', replacement: '/$1-of-shop' },
            { kind: 'host-header-rewrite', regex: '^([a-z]+)\\.com', replacement: '$1.internal' },
          ]),
          rule('failing', [{ field: 'path-pattern', values: ['/bad'], regexes: [] }], forward, [
            { kind: 'url-rewrite', regex: '^/bad', replacement: '' },
          ]),
        ],
      },
      { socketPath },
    );
    const long = 'x'.repeat(3_000);
    assert.match(
      await exchange(
        t,
        port,
        `POST /shop/items?a=${long} HTTP/1.1\r\nHost: a.com:81\r\nConnection: close\r\nContent-Length: 4\r\n\r\nbody`,
      ),
      /^HTTP\/1\.1 200 [\s\S]*\r\nbody\r\n/,
    );
    await exchange(t, port, ask('GET http://b.com/shop/x', 'Host: c.com'));
    await exchange(t, port, 'GET /shop/y HTTP/1.0\r\n\r\n');
    await exchange(t, port, ask('GET /other', 'Host: a.com'));
    assert.match(await exchange(t, port, ask('GET /bad', 'Host: a.com')), /^HTTP\/1\.1 500 /);
    assert.deepEqual(seen, [
      `POST /items-of-shop?a=${long} a.internal:81`,
      'GET /x-of-shop b.internal',
      `GET /y-of-shop 127.0.0.1:0`,
      'GET /other a.com:0',
    ]);
  });

  test(`proxy (${socketPath}): what rules compare is what was sent, at its edges too`, async (t) => {
    const texts = (field: 'host-header' | 'path-pattern', ...values: string[]): RuleCondition => ({
      field,
      values,
      regexes: [],
    });
    const header = (name: string, ...values: string[]): RuleCondition => ({
      field: 'http-header',
      name,
      values,
      regexes: [],
    });
    const query = (value: string, key?: string): RuleCondition => ({
      field: 'query-string',
      values: [key === undefined ? { value } : { key, value }],
    });
    const { port } = await startProxy(
      t,
      {
        action: answer('default'),
        rules: [
          rule('ipv6 host', [texts('host-header', '[::1]')]),
          rule('any host', [texts('host-header', '*.b.test')]),
          rule('forwarded', [header('X-Forwarded-For', '10.*')]),
          rule('source', [{ field: 'source-ip', values: ['10.0.0.0/8', '::/0'] }]),
          rule('encoded', [texts('path-pattern', '/a%20b', '/a?c')]),
          rule('case', [texts('path-pattern', '/Case')]),
          rule('one line of several', [header('Accept', 'text/html')]),
          rule('empty field', [header('X-Empty', '')]),
          rule('empty value', [query('', 'empty')]),
          rule('any key', [query('needle')]),
          rule('escaped', [query('\\*', 'star')]),
          rule('all of them', [
            { field: 'http-request-method', values: ['PATCH'] },
            header('X-A', '1'),
            query('1', 'a'),
          ]),
        ],
      },
      { socketPath },
    );
    const found = async (text: string) => (await exchange(t, port, text)).split('\r\n\r\n').at(-1);
    const cases: readonly (readonly [expected: string, sent: string])[] = [
      ['ipv6 host', ask('GET /', 'Host: [::1]:8080')],
      ['any host', ask('GET /', 'Host: A.B.Test:1')],
      ['default', ask('GET /', 'Host: b.test')],
      ['default', 'GET / HTTP/1.0\r\n\r\n'],
      ['forwarded', ask('GET /', 'Host: a', 'X-Forwarded-For: 10.1.1.1')],
      ['default', ask('GET /', 'Host: a', 'X-Forwarded-For: 11.1.1.1, 10.1.1.1')],
      ['encoded', ask('GET /a%20b', 'Host: a')],
      ['encoded', ask('GET /a/c', 'Host: a')],
      ['default', ask('GET /a%20B', 'Host: a')],
      ['default', ask('GET /%61%20b', 'Host: a')],
      ['case', ask('GET /Case?x', 'Host: a')],
      ['default', ask('GET /case', 'Host: a')],
      ['one line of several', ask('GET /', 'Host: a', 'Accept: */*', 'accept: Text/HTML')],
      ['default', ask('GET /', 'Host: a', 'Accept: text/html, */*')],
      ['empty field', ask('GET /', 'Host: a', 'X-Empty:  ')],
      ['empty value', ask('GET /?a&EMPTY&b', 'Host: a')],
      ['empty value', ask('GET /?empty=', 'Host: a')],
      ['default', ask('GET /?empty=0', 'Host: a')],
      ['any key', ask('GET /?a=b&c=Needle', 'Host: a')],
      ['default', ask('GET /?needle=1', 'Host: a')],
      ['escaped', ask('GET /?star=*', 'Host: a')],
      ['default', ask('GET /?star=x', 'Host: a')],
      ['all of them', ask('PATCH /?a=1', 'Host: a', 'X-A: 1')],
      ['default', ask('GET /?a=1', 'Host: a', 'X-A: 1')],
    ];
    for (const [expected, sent] of cases) assert.equal(await found(sent), expected, sent);
  });

  test(`proxy (${socketPath}): a redirect fills every placeholder wherever it may stand, up to 8 KiB`, async (t) => {
    const action: RoutingAction = {
      kind: 'redirect',
      protocol: '#{protocol}',
      host: 'x.#{host}',
      port: '#{port}',
      path: '/#{host}/#{port}/#{path}',
      query: '#{query}&from=#{protocol}-#{host}-#{port}-#{path}',
      statusCode: 302,
    };
    const { port, swap } = await startProxy(t, { action }, { socketPath });
    const sentTo = async (line: string, ...fields: string[]) =>
      /\r\nLocation: (.*)\r\n/.exec(await exchange(t, port, ask(line, ...fields)))?.[1];
    const to = (host: string, path: string, query: string) =>
      `http://x.${host}:0/${host}/0/${path}?${query}&from=http-${host}-0-${path}`;
    assert.equal(await sentTo('GET /a/%62?c=d&e', 'Host: A.test:8080'), to('A.test', 'a/%62', 'c=d&e'));
    assert.equal(await sentTo('GET http://b.test?q', 'Host: other'), to('b.test', '', 'q'));
    assert.equal(await sentTo('GET /', 'Host: [::1]'), to('[::1]', '', ''));
    await swap({ action: { ...action, host: 'h', port: '443', protocol: 'HTTPS', path: '/#{path}', query: '' } });
    const beginning = 'https://h:443/';
    const path = 'a'.repeat(8192 - beginning.length);
    assert.equal(await sentTo(`GET /${path}`, 'Host: a'), `${beginning}${path}`);
    assert.match(await exchange(t, port, ask(`GET /${path}a`, 'Host: a')), /^HTTP\/1\.1 507 /);
  });
}
