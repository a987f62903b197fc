import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import test from 'node:test';
import { systemClock } from '#io/clock.ts';
import { silentLog } from '#io/log.ts';
import { systemRandom } from '#io/random.ts';
import { sleep } from '#io/timers.ts';
import { createProxy } from './proxy.ts';
import { addProxyStats } from './stats.ts';
import { closedPort, RawClient, request, socketPaths, startProxy, startTarget, table, until } from './test-proxy.ts';

const get = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

for (const socketPath of socketPaths) {
  const settings = { socketPath };

  test(`proxy (${socketPath}): tables swapped under load fail no request`, async (t) => {
    const counts = [0, 0];
    const handler =
      (index: number): http.RequestListener =>
      async (incoming, outgoing) => {
        counts[index]! += 1;
        incoming.resume();
        await once(incoming, 'end');
        if (counts[index]! % 3 === 0) await sleep(3);
        outgoing.end(`answer of ${index}`);
      };
    const targets = [await startTarget(t, handler(0)), await startTarget(t, handler(1))] as const;
    const { port, proxy, swap, balancer } = await startProxy(t, { targets }, settings);
    let isOver = false;
    let answered = 0;
    const clients = Array.from({ length: 10 }, async () => {
      const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
      while (!isOver) {
        const answer = await request(port, { agent, method: 'POST' }, Buffer.alloc(3000));
        assert.match(answer.body.toString(), /^answer of [01]$/);
        answered += 1;
      }
      agent.destroy();
    });
    const settled = Promise.all(clients);
    for (let round = 0; round < 15; round += 1) {
      const leaving = targets[round % 2]!;
      await swap({ targets: targets.map((target) => ({ port: target, isDraining: target === leaving })) });
      const before = counts[round % 2]!;
      const goal = answered + 40;
      await until(() => answered >= goal, 'traffic goes on');
      assert(counts[round % 2]! - before <= 10, 'at most what was in flight');
      const ofLeaving = () => proxy.stats().targets.find(({ key }) => key.endsWith(`:${leaving}`));
      // Who has had no request is not told of.
      const isLeft = () => (ofLeaving()?.outstanding ?? 0) === 0;
      await until(isLeft, 'all of it is answered');
      // Then it is taken out altogether, and comes back.
      await swap({ targets: targets.filter((target) => target !== leaving) });
      assert.equal(proxy.stats().targets.length, 1);
      await swap({ targets });
    }
    isOver = true;
    await settled;
    assert.deepEqual(balancer().elbResponses, {});
    assert.equal(balancer().requests, answered);
  });

  test(`proxy (${socketPath}): a target gone from the table finishes what it has`, async (t) => {
    let finish = () => {};
    let connections = 0;
    const target = await startTarget(t, (incoming, outgoing) => {
      if (incoming.url !== '/slow') return void outgoing.end('ok');
      outgoing.write('first ');
      finish = () => outgoing.end('last');
      incoming.socket.on('close', () => {
        connections -= 1;
      });
      connections += 1;
      return undefined;
    });
    const { port, proxy, swap } = await startProxy(t, { targets: [target] }, settings);
    await request(port);
    const answer = request(port, { path: '/slow' });
    await until(() => connections === 1, 'the slow answer begins');
    await swap({ targets: [] });
    assert.equal(proxy.stats().idleTargetConnections, 0);
    assert.equal((await request(port)).status, 503);
    finish();
    assert.equal((await answer).body.toString(), 'first last');
    await until(() => connections === 0, 'its connection is closed');
  });

  test(`proxy (${socketPath}): a target that drains keeps no connection that nobody uses, and finishes its requests`, async (t) => {
    let finish = () => {};
    const sockets = new Set<net.Socket>();
    const target = await startTarget(t, (incoming, outgoing) => {
      sockets.add(incoming.socket);
      incoming.socket.on('close', () => sockets.delete(incoming.socket));
      if (incoming.url === '/slow') finish = () => outgoing.end('slow');
      else outgoing.end('ok');
    });
    const { port, proxy, swap } = await startProxy(t, { targets: [target] }, settings);
    const slow = request(port, { path: '/slow' });
    await until(() => sockets.size === 1, 'the slow request is with the target');
    assert.equal((await request(port)).status, 200);
    assert.equal(sockets.size, 2);
    await swap({ targets: [{ port: target, isDraining: true }] });
    await until(() => sockets.size === 1, 'the idle one is closed');
    assert.equal((await request(port)).status, 503, 'no new requests');
    finish();
    assert.equal((await slow).body.toString(), 'slow');
    await until(() => sockets.size === 0, 'and the other one, once it is idle');
    await swap({ targets: [target] });
    assert.equal((await request(port)).status, 200);
    assert.equal(proxy.stats().idleTargetConnections, 1, 'registered again, it is like any other');
  });

  test(`proxy (${socketPath}): connections and turns outlive a swap`, async (t) => {
    const seen: string[] = [];
    const handler =
      (name: string): http.RequestListener =>
      (incoming, outgoing) => {
        seen.push(`${name}:${incoming.socket.remotePort}`);
        outgoing.end();
      };
    const targets = [await startTarget(t, handler('a')), await startTarget(t, handler('b'))];
    const { port, swap } = await startProxy(t, { targets }, settings);
    for (let round = 0; round < 10; round += 1) {
      await request(port);
      await swap({ targets });
    }
    assert.equal(seen.filter((each) => each.startsWith('a')).length, 5);
    assert.equal(new Set(seen).size, 2, 'one connection to each');
  });

  test(`proxy (${socketPath}): a removed listener finishes what is in flight, and frees its port`, async (t) => {
    let finish: (() => void) | undefined;
    const target = await startTarget(t, (incoming, outgoing) => {
      if (incoming.url === '/slow') finish = () => outgoing.end('slow');
      else outgoing.end('ok');
    });
    const { port, proxy } = await startProxy(t, { targets: [target] }, settings);
    const idle = new RawClient(t, port);
    idle.send(get);
    await idle.toHave('ok');
    const busy = new RawClient(t, port);
    busy.send('GET /slow HTTP/1.1\r\nHost: a\r\n\r\n');
    await until(() => finish !== undefined, 'the slow request is with the target');
    proxy.remove('listener');
    await idle.toEnd();
    assert.equal(busy.isEnded, false);
    await assert.rejects(once(net.connect({ port, host: '127.0.0.1' }), 'connect'), { code: 'ECONNREFUSED' });
    finish!();
    assert.match(await busy.toEnd(), /^HTTP\/1\.1 200 OK\r\nConnection: close\r\n[\s\S]*slow$/);
    await until(() => proxy.stats().loadBalancers.length === 0, 'nothing is left of it');
    assert.deepEqual(proxy.stats().targets, []);
    assert.equal(proxy.stats().idleTargetConnections, 0);
  });

  test(`proxy (${socketPath}): draining waits for requests in flight, and cuts off what takes longer`, async (t) => {
    let finish: (() => void) | undefined;
    const target = await startTarget(t, (incoming, outgoing) => {
      if (incoming.url === '/slow') finish = () => outgoing.end('slow');
    });
    const first = await startProxy(t, { targets: [target] }, settings);
    const patient = new RawClient(t, first.port);
    patient.send('GET /slow HTTP/1.1\r\nHost: a\r\n\r\n');
    await until(() => finish !== undefined, 'the request is with the target');
    const drained = first.proxy.drain(60_000);
    finish!();
    await drained;
    assert.match(await patient.toEnd(), /slow$/);
    const second = await startProxy(t, { targets: [target] }, settings);
    const endless = new RawClient(t, second.port);
    endless.send('GET /endless HTTP/1.1\r\nHost: a\r\n\r\n');
    await until(() => second.proxy.stats().targets[0]?.outstanding === 1, 'the request is with the target');
    await second.proxy.drain(50);
    await until(() => endless.isClosed, 'it is cut off');
    assert.equal(second.proxy.stats().activeConnections, 0);
  });

  test(`proxy (${socketPath}): draining with patience, no connection ends before an answer has said so`, async (t) => {
    let finish: (() => void) | undefined;
    const target = await startTarget(t, (incoming, outgoing) => {
      if (incoming.url !== '/slow') return outgoing.end('ok');
      outgoing.write('first ');
      finish = () => outgoing.end('last');
      return undefined;
    });
    const { port, proxy } = await startProxy(t, { targets: [target] }, settings);
    const [busy, other] = [new RawClient(t, port), new RawClient(t, port)];
    busy.send('GET /slow HTTP/1.1\r\nHost: a\r\n\r\n');
    await busy.toHave('first ');
    const drained = proxy.drain(60_000, 60_000);
    for (; !other.isEnded; await sleep(20)) other.send(get);
    assert.match(other.received, /Connection: close\r\n[\s\S]*ok$/);
    finish!();
    await busy.toHave('last');
    busy.send(get);
    assert.match(await busy.toEnd(), /last[\s\S]*HTTP\/1\.1 200 OK\r\nConnection: close\r\n[\s\S]*ok$/);
    await drained;
  });
}

test('proxy: an address that cannot be listened on is reported, and what served before goes on', async (t) => {
  const target = await startTarget(t, (_, outgoing) => outgoing.end('ok'));
  const blocker = net.createServer().listen(0, '127.0.0.1');
  await once(blocker, 'listening');
  t.after(() => blocker.close());
  const taken = (blocker.address() as net.AddressInfo).port;
  const { proxy, port } = await startProxy(t, { targets: [target] });
  const failed = { kind: 'failed', reason: 'EADDRINUSE' };
  assert.deepEqual(await proxy.apply(table({ listenerId: 'other', port: taken })), failed);
  assert.deepEqual(await proxy.apply(table({ targets: [target], port: taken })), failed);
  assert.equal((await request(port)).body.toString(), 'ok');
  assert.deepEqual(await proxy.apply({ ...table({ listenerId: 'other' }), address: '192.0.2.1' }), {
    kind: 'failed',
    reason: 'EADDRNOTAVAIL',
  });
});

test('proxy: a listener that moves is open at its new place before the old one closes', async (t) => {
  const target = await startTarget(t, (_, outgoing) => outgoing.end('ok'));
  const { proxy, port } = await startProxy(t, { targets: [target] });
  const outcome = await proxy.apply({ ...table({ targets: [target] }), address: '127.0.0.2' });
  assert(outcome.kind === 'listening');
  assert.equal((await request(outcome.port, { host: '127.0.0.2' })).body.toString(), 'ok');
  await assert.rejects(request(port), { code: 'ECONNREFUSED' });
});

test('proxy: two workers share a port', async (t) => {
  const target = await startTarget(t, (_, outgoing) => outgoing.end('ok'));
  const first = await startProxy(t, { targets: [target] });
  const second = createProxy({ clock: systemClock, log: silentLog, random: systemRandom });
  t.after(() => second.drain(0));
  assert.equal((await second.apply(table({ targets: [target], port: first.port }))).kind, 'listening');
  for (let count = 0; count < 100; count += 1) assert.equal((await request(first.port)).status, 200);
  const sum = addProxyStats([first.proxy.stats(), JSON.parse(JSON.stringify(second.stats()))]);
  assert.equal(sum.loadBalancers[0]!.requests, 100);
  assert.equal(sum.loadBalancers[0]!.targetGroups[0]!.responses['2xx'], 100);
  assert.equal(sum.loadBalancers[0]!.targetGroups[0]!.responseTime.count, 100);
  assert.equal(sum.targets[0]!.requests, 100);
  assert(second.stats().loadBalancers[0]!.requests > 0, 'the kernel gives some to each');
});

test('proxy: weights divide the traffic between groups', async (t) => {
  const names: string[] = [];
  const handler =
    (name: string): http.RequestListener =>
    (_, outgoing) => {
      names.push(name);
      outgoing.end();
    };
  const [one, other] = [await startTarget(t, handler('one')), await startTarget(t, handler('other'))];
  const { port, proxy } = await startProxy(t, { targets: [one] });
  const base = table({ targets: [one], port: 0 });
  await proxy.apply({
    ...base,
    rules: [
      {
        id: 'default',
        conditions: [],
        transforms: [],
        action: {
          kind: 'forward',
          choices: [
            { group: 0, share: 0.8 },
            { group: 1, share: 0.2 },
          ],
        },
      },
    ],
    groups: [...base.groups, { ...table({ targets: [other] }).groups[0]!, id: 'second' }],
  });
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  for (let count = 0; count < 500; count += 1) await request(port, { agent });
  agent.destroy();
  const share = names.filter((name) => name === 'one').length / 500;
  assert(share > 0.7 && share < 0.9, `${share}`);
});

test('proxy: with least outstanding requests, a target that is busy gets no more while another is not', async (t) => {
  const waiting: (() => void)[] = [];
  const slow = await startTarget(t, (_, outgoing) => void waiting.push(() => outgoing.end('slow')));
  const quick = await startTarget(t, (_, outgoing) => outgoing.end('quick'));
  const { port, proxy } = await startProxy(t, {
    targets: [slow, quick],
    algorithm: 'least_outstanding_requests',
  });
  const answers: Promise<string>[] = [];
  const ask = async () => (await request(port)).body.toString();
  while (waiting.length === 0) {
    answers.push(ask());
    await sleep(10);
  }
  for (let count = 0; count < 20; count += 1) assert.equal(await ask(), 'quick');
  assert.equal(waiting.length, 1);
  waiting[0]!();
  assert((await Promise.all(answers)).includes('slow'));
  await until(() => proxy.stats().targets.every(({ outstanding }) => outstanding === 0), 'nothing is outstanding');
});

test('proxy: with least outstanding requests, those with nothing to do share alike, and a tunnel counts while it is open', async (t) => {
  const counts = new Map<number, number>();
  const targets = await Promise.all(
    [0, 1, 2].map((index) =>
      startTarget(
        t,
        (_incoming, outgoing) => {
          counts.set(index, (counts.get(index) ?? 0) + 1);
          outgoing.end(`${index}`);
        },
        (_incoming, socket) => {
          socket.write(
            `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\nX-Index: ${index}\r\n\r\n`,
          );
          socket.on('end', () => socket.end());
        },
      ),
    ),
  );
  const { port, proxy } = await startProxy(t, { targets, algorithm: 'least_outstanding_requests' });
  // Each has a connection that waits in its pool, and none is better for it.
  for (let count = 0; count < 30; count += 1) await request(port);
  assert.deepEqual([...counts.values()], [10, 10, 10]);
  const client = new RawClient(t, port);
  client.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n');
  const busy = Number(/X-Index: (\d)/.exec(await client.toHave('\r\n\r\n'))![1]);
  counts.clear();
  for (let count = 0; count < 10; count += 1) await request(port);
  assert.equal(counts.get(busy), undefined);
  assert.equal(counts.size, 2);
  client.socket.end();
  await until(() => proxy.stats().targets.every(({ outstanding }) => outstanding === 0), 'the tunnel is closed');
  for (let count = 0; count < 6; count += 1) await request(port);
  assert.equal(counts.get(busy), 2);
});

test('proxy: a target with less weight gets less, also of what is tried again, and a swap gives it back', async (t) => {
  const counts = [0, 0, 0];
  const servers = await Promise.all(
    counts.map((_, index) =>
      startTarget(t, (_incoming, outgoing) => {
        counts[index]! += 1;
        outgoing.end();
      }),
    ),
  );
  const base = table({ targets: [...servers, await closedPort()], algorithm: 'weighted_random' });
  const [group] = base.groups;
  const weighted = (weight: number) => ({
    ...base,
    groups: [{ ...group!, targets: group!.targets.map((each, index) => (index === 0 ? { ...each, weight } : each)) }],
  });
  const proxy = createProxy({ clock: systemClock, log: silentLog, random: systemRandom });
  t.after(() => proxy.drain(0));
  const outcome = await proxy.apply(weighted(1 / 16));
  assert(outcome.kind === 'listening');
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => agent.destroy());
  const share = async () => {
    counts.fill(0);
    for (let count = 0; count < 600; count += 1) {
      assert.equal((await request(outcome.port, { agent })).status, 200);
    }
    return counts[0]! / 600;
  };
  const less = await share();
  assert(less > 0 && less < 0.1, `one in 33 is its share, here ${less}`);
  await proxy.apply({ ...weighted(1), port: 0 });
  const whole = await share();
  assert(whole > 0.23 && whole < 0.43, `a third is its share, here ${whole}`);
});

test('proxy: what becomes of requests at each target is told once', async (t) => {
  let status = 200;
  const target = await startTarget(t, (incoming, outgoing) => {
    if (incoming.url === '/silence') return;
    outgoing.writeHead(status).end();
  });
  const closed = await closedPort();
  const { port, proxy, swap } = await startProxy(t, { targets: [target], loadBalancer: { idleTimeoutMs: 300 } });
  const outcomes = () => Object.fromEntries(proxy.takeOutcomes().map(([key, ...counts]) => [key, counts]));
  assert.deepEqual(outcomes(), {});
  for (status of [200, 404, 500, 503]) assert.equal((await request(port)).status, status);
  assert.deepEqual(outcomes(), { [`group/127.0.0.1:${target}`]: [4, 2] });
  assert.deepEqual(outcomes(), {});
  assert.equal((await request(port, { path: '/silence' })).status, 504);
  assert.deepEqual(outcomes(), { [`group/127.0.0.1:${target}`]: [1, 1] });
  await swap({ targets: [closed] });
  assert.equal((await request(port)).status, 502);
  assert.deepEqual(outcomes(), { [`group/127.0.0.1:${closed}`]: [1, 1] });
});

test('proxy: a target in slow start gets a share that grows with the time', async (t) => {
  let nowMs = 1_000_000;
  const counts = [0, 0];
  const targets = await Promise.all(
    counts.map((_, index) =>
      startTarget(t, (_incoming, outgoing) => {
        counts[index]! += 1;
        outgoing.end();
      }),
    ),
  );
  const base = table({ targets });
  const [group] = base.groups;
  const slowStart = { beganAtMs: nowMs, durationMs: 30_000 };
  const growing = {
    ...group!,
    targets: group!.targets.map((each, index) => (index === 1 ? { ...each, slowStart } : each)),
  };
  const clock = { wallMs: () => nowMs, monotonicMs: () => systemClock.monotonicMs() };
  const proxy = createProxy({ clock, log: silentLog, random: systemRandom });
  t.after(() => proxy.drain(0));
  const outcome = await proxy.apply({ ...base, groups: [growing] });
  assert(outcome.kind === 'listening');
  const share = async () => {
    counts.fill(0);
    for (let count = 0; count < 200; count += 1) await request(outcome.port);
    return counts[1]! / 200;
  };
  assert((await share()) < 0.1, 'at the beginning nearly nothing');
  nowMs += 15_000;
  const half = await share();
  assert(half > 0.2 && half < 0.46, `in the middle a third, here ${half}`);
  nowMs += 15_000;
  assert.equal(await share(), 0.5);
});
