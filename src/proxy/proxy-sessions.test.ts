import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import type { RoutingTable } from '#routing/table.ts';
import { exchange, forwardTo, RawClient, socketPaths, startProxy, startTarget, table } from './test-proxy.ts';

const cookieKey = 'ab'.repeat(32);
const stickiness = { durationSeconds: 60 };

/** A target that says its name, and one client's way to ask with the cookies that it was given. */
async function targetsOf(t: TestContext, ...names: string[]): Promise<number[]> {
  return Promise.all(names.map((name) => startTarget(t, (_, outgoing) => outgoing.end(name))));
}

class Browser {
  readonly #t: TestContext;
  readonly cookies = new Map<string, string>();

  constructor(t: TestContext) {
    this.#t = t;
  }

  async ask(port: number, path = '/'): Promise<string> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const field = cookie === '' ? '' : `Cookie: ${cookie}\r\n`;
    const answer = await exchange(
      this.#t,
      port,
      `GET ${path} HTTP/1.1\r\nHost: a\r\n${field}Connection: close\r\n\r\n`,
    );
    for (const [, name, value] of answer.matchAll(
      /^Set-Cookie: (AWS[A-Z0-9-]+)=([^;]*); Expires=[^;]+ GMT; Path=\//gm,
    )) {
      this.cookies.set(name!, value!);
    }
    assert.match(answer, /\r\n\r\n/, JSON.stringify(answer));
    return answer.split('\r\n\r\n')[1]!;
  }
}

for (const socketPath of socketPaths) {
  test(`proxy (${socketPath}): a session stays with its target, through any worker, while the target may have requests`, async (t) => {
    const targets = await targetsOf(t, 'a', 'b', 'c');
    const first = await startProxy(t, { targets, stickiness }, { socketPath, cookieKey });
    const second = await startProxy(t, { targets, stickiness }, { socketPath, cookieKey });
    const browser = new Browser(t);
    const name = await browser.ask(first.port);
    assert.deepEqual([...browser.cookies.keys()], ['AWSALB', 'AWSALBCORS']);
    for (let count = 0; count < 10; count += 1)
      assert.equal(await browser.ask(count % 2 ? first.port : second.port), name);
    const strangers = new Set<string>();
    for (let count = 0; count < 6; count += 1) strangers.add(await new Browser(t).ask(first.port));
    assert.equal(strangers.size, 3, 'others go on by turns');

    const port = targets['abc'.indexOf(name)]!;
    await first.swap({
      targets: targets.map((each) => (each === port ? { port, isDraining: true } : each)),
      stickiness,
    });
    const next = await browser.ask(first.port);
    assert.notEqual(next, name);
    assert.equal(await browser.ask(second.port), next, 'and stays with that one');
    await second.swap({ targets });
    browser.cookies.clear();
    await browser.ask(second.port);
    assert.equal(browser.cookies.size, 0, 'no cookie where no session is kept');
  });
}

test('proxy: a session by a cookie of the application begins when a target sets it, and ends with it', async (t) => {
  let cookie = '';
  const names = ['a', 'b', 'c'];
  const targets = await Promise.all(
    names.map((name) =>
      startTarget(t, (_, outgoing) => outgoing.writeHead(200, cookie === '' ? {} : { 'set-cookie': cookie }).end(name)),
    ),
  );
  const sticky = { durationSeconds: 60, applicationCookie: 'session' };
  const { port } = await startProxy(t, { targets, stickiness: sticky }, { cookieKey });
  const browser = new Browser(t);
  for (const other of ['', 'Session=1; Path=/', 'x=session=1']) {
    cookie = other;
    await browser.ask(port);
    assert.equal(browser.cookies.size, 0, other);
  }
  cookie = 'session=1; Path=/';
  const name = await browser.ask(port);
  cookie = '';
  assert.deepEqual([...browser.cookies.keys()], ['AWSALBAPP-0']);
  browser.cookies.set('session', '1');
  for (let count = 0; count < 6; count += 1) assert.equal(await browser.ask(port), name);
  browser.cookies.delete('session');
  const met = new Set<string>();
  for (let count = 0; count < 3; count += 1) met.add(await browser.ask(port));
  assert.equal(met.size, 3, 'the application has ended it');
});

test('proxy: a session of the application goes on with another target when its own may have no more requests', async (t) => {
  let cookie = 'session=1';
  const names = ['a', 'b', 'c'];
  const targets = await Promise.all(
    names.map((name) =>
      startTarget(t, (_, outgoing) =>
        outgoing
          .setHeader('content-length', 1)
          .writeHead(200, cookie === '' ? {} : { 'set-cookie': cookie })
          .end(name),
      ),
    ),
  );
  const sticky = { durationSeconds: 60, applicationCookie: 'session' };
  const { port, swap } = await startProxy(t, { targets, stickiness: sticky }, { cookieKey });
  const browser = new Browser(t);
  const name = await browser.ask(port);
  const first = browser.cookies.get('AWSALBAPP-0');
  cookie = '';
  browser.cookies.set('session', '1');
  const own = targets['abc'.indexOf(name)]!;
  const leaving = targets.map((each) => (each === own ? { port: own, isDraining: true } : each));
  await swap({ targets: leaving, stickiness: sticky });
  const next = await browser.ask(port);
  assert.notEqual(next, name);
  assert.notEqual(browser.cookies.get('AWSALBAPP-0'), first);
  await swap({ targets, stickiness: sticky });
  for (let count = 0; count < 6; count += 1) assert.equal(await browser.ask(port), next, 'and stays, whoever is back');
});

test('proxy: one client has a session of the application with each of several target groups', async (t) => {
  const named = (group: string) =>
    ['1', '2', '3'].map((each) =>
      startTarget(t, (_, outgoing) =>
        outgoing.writeHead(200, { 'content-length': 5, 'set-cookie': `${group}=1` }).end(group + each),
      ),
    );
  const [shop, blog] = [await Promise.all(named('shop')), await Promise.all(named('blog'))];
  const groupOf = (id: string, targets: readonly number[]) => {
    const group = table({ targets, stickiness: { durationSeconds: 60, applicationCookie: id } }).groups[0]!;
    return { ...group, id, targets: group.targets.map((each) => ({ ...each, key: each.key.replace('group', id) })) };
  };
  const proxy = await startProxy(t, {}, { cookieKey });
  const blogRule = {
    id: 'blog',
    priority: 1,
    conditions: [{ field: 'path-pattern' as const, values: ['/blog'], regexes: [] }],
    transforms: [],
    action: forwardTo(1),
  };
  await proxy.proxy.apply({ ...table({ rules: [blogRule] }), groups: [groupOf('shop', shop), groupOf('blog', blog)] });
  const browser = new Browser(t);
  const [inShop, inBlog] = [await browser.ask(proxy.port), await browser.ask(proxy.port, '/blog')];
  assert.match(inShop, /^shop/);
  assert.match(inBlog, /^blog/);
  assert.deepEqual([...browser.cookies.keys()], ['AWSALBAPP-0']);
  browser.cookies.set('shop', '1').set('blog', '1');
  for (let count = 0; count < 4; count += 1) {
    assert.equal(await browser.ask(proxy.port), inShop);
    assert.equal(await browser.ask(proxy.port, '/blog'), inBlog);
  }
});

test('proxy: a session stays with its target group, also when that has no weight any more', async (t) => {
  const [one, other] = (await targetsOf(t, 'one', 'other')) as [number, number];
  const proxy = await startProxy(t, {}, { cookieKey });
  const weighted = (share: number): RoutingTable => {
    const base = table({ targets: [one] });
    const choices = [
      { group: 0, share },
      { group: 1, share: 1 - share },
    ];
    return {
      ...base,
      rules: [{ id: 'default', conditions: [], action: { kind: 'forward', choices, stickiness }, transforms: [] }],
      groups: [...base.groups, { ...table({ targets: [other] }).groups[0]!, id: 'second' }],
    };
  };
  await proxy.proxy.apply(weighted(1));
  const browser = new Browser(t);
  assert.equal(await browser.ask(proxy.port), 'one');
  assert.deepEqual([...browser.cookies.keys()], ['AWSALBTG', 'AWSALBTGCORS']);
  await proxy.proxy.apply(weighted(0));
  assert.equal(await new Browser(t).ask(proxy.port), 'other');
  assert.equal(await browser.ask(proxy.port), 'one');
});

test('proxy: cookies come with every answer on a connection, and with an upgrade', async (t) => {
  const upgrading = await startTarget(t, (_, outgoing) => outgoing.end('plain'));
  const { port } = await startProxy(t, { targets: [upgrading], stickiness }, { cookieKey });
  const client = new RawClient(t, port);
  for (let count = 1; count <= 3; count += 1) {
    client.send('GET / HTTP/1.1\r\nHost: a\r\nCookie: AWSALB=made-up; other=1\r\n\r\n');
    await client.toHave('plain'.repeat(1));
    while (client.received.split('plain').length <= count) await new Promise((resolve) => setTimeout(resolve, 5));
    assert.equal(client.received.match(/^Set-Cookie: AWSALB=/gm)?.length, count);
  }
});
