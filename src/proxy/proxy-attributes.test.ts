import assert from 'node:assert/strict';
import test from 'node:test';
import { exchange, RawClient, socketPaths, startProxy, startTarget, table, usualRequestFields } from './test-proxy.ts';

const get = (fields: string, method = 'GET') => `${method} / HTTP/1.1\r\nHost: a\r\n${fields}\r\n`;

for (const socketPath of socketPaths) {
  const settings = { socketPath };

  test(`proxy (${socketPath}): a listener sets fields of every answer, in place of what the target says`, async (t) => {
    const target = await startTarget(t, (incoming, outgoing) => {
      outgoing.setHeader('Server', 'target/1');
      outgoing.setHeader('x-frame-options', 'SAMEORIGIN');
      outgoing.end('body');
      incoming.resume();
    });
    const set = [
      { name: 'X-Frame-Options', value: 'DENY' },
      { name: 'Content-Security-Policy', value: `default-src ${'a'.repeat(1_000)}` },
    ];
    const { port, swap } = await startProxy(
      t,
      { targets: [target], responseFields: { set, hidesServer: true } },
      settings,
    );
    const close = get('Connection: close\r\n');
    const answer = await exchange(t, port, close);
    assert.match(answer, /^HTTP\/1\.1 200 OK\r\n/);
    assert(answer.endsWith('\r\n\r\nbody') || answer.includes('\r\n\r\n4\r\nbody'), answer);
    assert.deepEqual(answer.match(/^x-frame-options: .*$/gim), ['X-Frame-Options: DENY']);
    assert.match(answer, /^Content-Security-Policy: default-src a{1000}\r$/m);
    assert.doesNotMatch(answer, /^server:/im);
    // Answers of its own, too.
    await swap({ responseFields: { set, hidesServer: true } });
    const own = await exchange(t, port, close);
    assert.match(own, /^HTTP\/1\.1 503 /);
    assert.match(own, /^X-Frame-Options: DENY\r$/m);
    assert.doesNotMatch(own, /^server:/im);
    await swap({ responseFields: { set: [], hidesServer: false } });
    assert.match(await exchange(t, port, close), /^Server: ballast\r$/m);
  });

  test(`proxy (${socketPath}): the Host gets the listener's port where it names none, unless it is preserved`, async (t) => {
    const target = await startTarget(t, (incoming, outgoing) => outgoing.end(`<${incoming.headers.host}>`));
    const ask = async (port: number, host: string) =>
      /<(.*)>/.exec(
        await exchange(t, port, `GET / HTTP/1.1\r\nHost: ${host}\r\nA: b\r\nConnection: close\r\n\r\n`),
      )![1];
    const { port, swap } = await startProxy(t, { targets: [target], port: 0 }, settings);
    for (const [host, seen] of [
      ['a.com', 'a.com:0'],
      ['a.com:81', 'a.com:81'],
      ['[::1]', '[::1]:0'],
      ['', ''],
    ] as const) {
      assert.equal(await ask(port, host), seen);
    }
    await swap({ targets: [target], loadBalancer: { requestFields: { ...usualRequestFields, preservesHost: true } } });
    assert.equal(await ask(port, 'a.com'), 'a.com');
  });

  test(`proxy (${socketPath}): what is odd passes, ends its connections, or is refused, by the mode`, async (t) => {
    const sockets = new Set<unknown>();
    const target = await startTarget(t, (incoming, outgoing) => {
      sockets.add(incoming.socket);
      incoming.resume().on('end', () => outgoing.end('fine'));
    });
    const modes = ['monitor', 'defensive', 'strictest'] as const;
    const acceptable = [get('Content-Length: 0\r\n'), get('A: \u00e9\r\n'), get('Content-Length: 0\r\n', 'HEAD')];
    const ambiguous = [
      `${get('Content-Length: 1\r\n')}x`,
      `${get('Transfer-Encoding: chunked\r\n')}0\r\n\r\n`,
      get('Content_Length: 5\r\n'),
      get('transfer.encoding: chunked\r\n', 'POST'),
      get('-Content--Length-: 5\r\n'),
      get('TransferEncoding: chunked\r\n'),
    ];
    for (const desyncMode of modes) {
      const requestFields = { ...usualRequestFields, desyncMode };
      const { port } = await startProxy(t, { targets: [target], loadBalancer: { requestFields } }, settings);
      for (const [kind, requests] of [
        ['plain', [get(''), get('Content-Language: de\r\nTransfer-Engine: a\r\nContentLengths: 1\r\n')]],
        ['acceptable', acceptable],
        ['ambiguous', ambiguous],
      ] as const) {
        for (const sent of requests) {
          const passes =
            kind === 'plain' || desyncMode === 'monitor' || (kind === 'acceptable' && desyncMode === 'defensive');
          const what = `${desyncMode} ${JSON.stringify(sent)}`;
          if (passes) {
            const client = new RawClient(t, port);
            client.send(sent);
            await client.toHave('\r\n\r\n');
            assert.match(client.received, /^HTTP\/1\.1 200 /, what);
            assert.doesNotMatch(client.received, /^Connection: close/m, what);
            client.socket.destroy();
          } else {
            const before = sockets.size;
            const status = desyncMode === 'strictest' ? 400 : 200;
            const answer = await exchange(t, port, sent);
            assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} [^]*^Connection: close\\r$`, 'm'), what);
            // Nobody else gets the target's connection after it.
            const next = await exchange(t, port, get('Connection: close\r\n'));
            assert.match(next, /^HTTP\/1\.1 200 /);
            if (desyncMode === 'defensive') assert(sockets.size > before, what);
          }
        }
      }
    }
  });

  test(`proxy (${socketPath}): targets that take no HTTP/1.1 get none, and the client gets 464`, async (t) => {
    const { port, proxy, balancer } = await startProxy(t, {}, { socketPath });
    const plain = table({});
    await proxy.apply({ ...plain, groups: plain.groups.map((group) => ({ ...group, refusesHttp1: true as const })) });
    assert.match(await exchange(t, port, 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'), /^HTTP\/1\.1 464 /);
    await proxy.apply(plain);
    assert.match(await exchange(t, port, 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'), /^HTTP\/1\.1 503 /);
    assert.deepEqual({ ...balancer().elbResponses }, { 464: 1, 503: 1 });
  });

  test(`proxy (${socketPath}): more than 30 addresses in X-Forwarded-For are answered with 463`, async (t) => {
    const target = await startTarget(t, (_, outgoing) => outgoing.end('fine'));
    const { port, swap, balancer } = await startProxy(t, { targets: [target] }, settings);
    const ask = (count: number) =>
      exchange(
        t,
        port,
        get(`X-Forwarded-For: ${Array.from({ length: count }, () => '10.0.0.1').join(', ')}\r\nConnection: close\r\n`),
      );
    assert.match(await ask(30), /^HTTP\/1\.1 200 /);
    assert.match(await ask(31), /^HTTP\/1\.1 463 /);
    assert.equal(balancer().elbResponses['463'], 1);
    await swap({
      targets: [target],
      loadBalancer: { requestFields: { ...usualRequestFields, forwardedFor: 'remove' } },
    });
    assert.match(await ask(31), /^HTTP\/1\.1 200 /);
  });
}
