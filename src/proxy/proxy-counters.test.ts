/** What is counted: every number that the metrics are made of, by real requests. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { systemClock } from '#io/clock.ts';
import { silentLog } from '#io/log.ts';
import { systemRandom } from '#io/random.ts';
import type { RoutingRule } from '#routing/table.ts';
import { createProxy } from './proxy.ts';
import {
  closedPort,
  exchange,
  forwardTo,
  RawClient,
  redirectToHttps,
  request,
  socketPaths,
  startProxy,
  startRecordingTarget,
  startTarget,
  table,
  until,
  usualRequestFields,
} from './test-proxy.ts';

const get = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const fixed = { kind: 'fixed-response', statusCode: 404, contentType: 'text/plain', body: 'no' } as const;

function rule(path: string, action: RoutingRule['action'], priority: number): RoutingRule {
  const conditions = [{ field: 'path-pattern', values: [path], regexes: [] }] as const;
  return { id: path, priority, conditions, action, transforms: [] };
}

for (const socketPath of socketPaths) {
  const settings = { socketPath };

  test(`counters (${socketPath}): fixed responses, redirects, those too long, and the rules looked at`, async (t) => {
    const target = await startTarget(t, (_, outgoing) => outgoing.end('ok'));
    const rules = [rule('/fixed', fixed, 1), rule('/away*', redirectToHttps, 2), rule('/on', forwardTo(0), 3)];
    const { port, balancer, group } = await startProxy(t, { targets: [target], rules }, settings);
    assert.equal((await request(port, { path: '/fixed' })).status, 404);
    assert.equal(balancer().ruleEvaluations, 1);
    const away = await request(port, { path: '/away?x=1' });
    assert.deepEqual([away.status, away.headers.location], [301, 'https://127.0.0.1:443/away?x=1']);
    assert.equal(balancer().ruleEvaluations, 3);
    assert.equal((await request(port, { path: '/on' })).status, 200);
    assert.equal(balancer().ruleEvaluations, 6);
    // The default rule itself is not counted.
    assert.equal((await request(port, { path: '/other' })).status, 200);
    assert.equal(balancer().ruleEvaluations, 9);
    assert.equal((await request(port, { path: `/away/${'x'.repeat(9_000)}` })).status, 507);
    const { fixedResponses, redirects, redirectsTooLong, elbResponses } = balancer();
    assert.deepEqual([fixedResponses, redirects, redirectsTooLong], [1, 1, 1]);
    assert.deepEqual(elbResponses, { 301: 1, 404: 1, 507: 1 });
    assert.equal(group().requests, 2);
  });

  test(`counters (${socketPath}): connections to targets, those that could not be made, and each target's own`, async (t) => {
    const target = await startTarget(t, (incoming, outgoing) => {
      outgoing.statusCode = incoming.url === '/bad' ? 500 : 200;
      outgoing.end('0123456789');
    });
    const dead = await closedPort();
    const { port, group, proxy } = await startProxy(t, { targets: [target, dead] }, settings);
    assert.deepEqual(proxy.stats().targets, [], 'of targets without traffic nothing is told');
    for (const path of ['/', '/bad', '/', '/']) await request(port, { path });
    const { connectErrors, newConnections, activeConnections, responses } = group();
    assert.equal(connectErrors, 1);
    assert(newConnections >= 1 && newConnections === activeConnections, `${newConnections}, ${activeConnections}`);
    assert.deepEqual([responses['2xx'], responses['5xx']], [3, 1]);
    const told = new Map(proxy.stats().targets.map((each) => [each.label, each]));
    const [well, gone] = [told.get(`127.0.0.1:${target}`)!, told.get(`127.0.0.1:${dead}`)!];
    assert.deepEqual([well.requests, well.outstanding, well.connectErrors], [4, 0, 0]);
    assert.deepEqual([well.responses['2xx'], well.responses['5xx']], [3, 1]);
    assert(well.responseTimeMs > 0 && well.bytesIn > 4 * 10 && well.bytesOut > 4 * 20);
    assert.deepEqual([well.loadBalancerId, well.targetGroupId], ['balancer', 'group']);
    assert.deepEqual([gone.requests, gone.connectErrors, gone.bytesIn], [1, 1, 0]);
    assert.deepEqual(proxy.stats([]).targets, []);
    assert.deepEqual(proxy.stats(['other']).targets, []);
    assert.equal(proxy.stats(['group']).targets.length, 2);
  });

  test(`counters (${socketPath}): what comes by IPv6 is told apart, and is part of the whole`, async (t) => {
    const target = await startTarget(t, (_, outgoing) => outgoing.end('ok'));
    const proxy = createProxy({ clock: systemClock, log: silentLog, random: systemRandom, ...settings });
    t.after(() => proxy.drain(0));
    const [four, six] = [
      await proxy.apply(table({ targets: [target] })),
      await proxy.apply({ ...table({ targets: [target], listenerId: 'six' }), address: '::1' }),
    ];
    assert(four.kind === 'listening' && six.kind === 'listening');
    await request(four.port);
    await request(six.port, { host: '::1' });
    await request(six.port, { host: '::1' });
    const [balancer] = proxy.stats().loadBalancers;
    const { requests, ipv6Requests, ipv6Bytes, bytesIn, bytesOut, targetGroups } = balancer!;
    assert.deepEqual([requests, ipv6Requests], [3, 2]);
    assert(ipv6Bytes > 0 && ipv6Bytes < bytesIn + bytesOut);
    assert.equal(targetGroups.length, 1);
    assert.deepEqual([targetGroups[0]!.requests, targetGroups[0]!.ipv6Requests], [3, 2]);
  });
}

test('counters: connections to targets are counted as active until they are closed', async (t) => {
  const target = await startTarget(t, (_, outgoing) => outgoing.end('ok'));
  const { port, group, swap } = await startProxy(t, { targets: [target] });
  await request(port);
  assert.equal(group().activeConnections, 1);
  await swap({ targets: [] });
  await until(() => group().activeConnections === 0, 'the idle connection is closed');
  assert.equal((await request(port)).status, 503);
  assert.deepEqual([group().requests, group().withoutTarget, group().newConnections], [2, 1, 1]);
});

test('counters: requests with unusual field names are counted as dropped or as forwarded', async (t) => {
  const { port: target, received } = await startRecordingTarget(t);
  for (const dropsInvalid of [true, false]) {
    const requestFields = { ...usualRequestFields, dropsInvalid };
    const { port, balancer } = await startProxy(t, { targets: [target], loadBalancer: { requestFields } });
    const client = new RawClient(t, port);
    const counts = () => [balancer().droppedInvalidHeaders, balancer().forwardedInvalidHeaders];
    for (const [index, name] of ['X-Usual-9', 'x_under', '_first', 'last_', 'a.b', 'X-Y'].entries()) {
      client.send(`GET /${index} HTTP/1.1\r\nHost: a\r\n${name}: value-of-${index}\r\n\r\n`);
      await until(() => client.received.split('\r\n\r\nok').length === index + 2, `answer ${index} comes`);
    }
    assert.deepEqual(counts(), dropsInvalid ? [4, 0] : [0, 4]);
    for (const index of [1, 2, 3, 4]) assert.equal(received().includes(`value-of-${index}`), !dropsInvalid);
    for (const index of [0, 5]) assert(received().includes(`value-of-${index}`));
  }
});

test('counters: requests that do not comply are counted in every mode, and only they', async (t) => {
  const target = await startTarget(t, (_, outgoing) => outgoing.end('ok'));
  const close = 'Connection: close\r\n';
  const ambiguous = `GET / HTTP/1.1\r\nHost: a\r\n${close}Content-Length: 1\r\n\r\nx`;
  const acceptable = `GET / HTTP/1.1\r\nHost: a\r\n${close}Content-Length: 0\r\n\r\n`;
  const bytes = `GET / HTTP/1.1\r\nHost: a\r\n${close}X-A: \xe9\r\n\r\n`;
  const broken = 'GET / HTTP/1.1\r\nHost : a\r\n\r\n';
  const fine = `GET / HTTP/1.1\r\nHost: a\r\n${close}\r\n`;
  const counted = {
    monitor: [1, 1, 1, 1, 0],
    // Bytes of values are looked at by the other modes alone.
    defensive: [1, 1, 0, 1, 0],
    strictest: [1, 1, 1, 1, 0],
  } as const;
  for (const [desyncMode, each] of Object.entries(counted) as [keyof typeof counted, readonly number[]][]) {
    const requestFields = { ...usualRequestFields, desyncMode };
    const { port, balancer } = await startProxy(t, { targets: [target], loadBalancer: { requestFields } });
    for (const [index, text] of [ambiguous, acceptable, bytes, broken, fine].entries()) {
      const before = balancer().nonCompliantRequests;
      await exchange(t, port, text);
      assert.equal(balancer().nonCompliantRequests - before, each[index], `${desyncMode} ${JSON.stringify(text)}`);
    }
    // What ends too early is not whole, and that is all that is known of it.
    const before = balancer().nonCompliantRequests;
    for (const cut of [fine.slice(0, -2), `POST / HTTP/1.1\r\nHost: a\r\n${close}Content-Length: 9\r\n\r\nx`]) {
      const client = new RawClient(t, port);
      client.socket.end(cut);
      await client.toHave('HTTP/1.1 400 ');
    }
    assert.equal(balancer().nonCompliantRequests, before);
  }
});

test('counters: requests outside a session, and requests of a group that fails open', async (t) => {
  const target = await startTarget(t, (_, outgoing) => outgoing.end('ok'));
  const { port, proxy, group } = await startProxy(t, { targets: [target], stickiness: { durationSeconds: 60 } });
  const { headers } = await request(port);
  assert.equal(group().nonSticky, 1);
  const cookie = headers['set-cookie']!.map((each) => each.split(';')[0]).join('; ');
  await request(port, { headers: { cookie } });
  assert.equal(group().nonSticky, 1);
  await request(port, { headers: { cookie: 'AWSALB=made-up' } });
  assert.deepEqual([group().nonSticky, group().unhealthyRouting], [2, 0]);
  const open = table({ targets: [target] });
  await proxy.apply({ ...open, groups: open.groups.map((each) => ({ ...each, isFailingOpen: true as const })) });
  await request(port);
  assert.deepEqual([group().nonSticky, group().unhealthyRouting], [2, 1]);
});

test('counters: a client that sends and leaves is counted once, and its connection no more', async (t) => {
  const target = await startTarget(t, (_, outgoing) => outgoing.end('ok'));
  const { port, balancer } = await startProxy(t, { targets: [target] });
  const client = new RawClient(t, port);
  client.send(get);
  await client.toHave('ok');
  assert.deepEqual([balancer().newConnections, balancer().activeConnections], [1, 1]);
  client.socket.destroy();
  await until(() => balancer().activeConnections === 0, 'it is closed');
  assert.equal(balancer().newConnections, 1);
});
