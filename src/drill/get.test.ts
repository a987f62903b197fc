import assert from 'node:assert/strict';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import test, { type TestContext } from 'node:test';
import { type Got, get } from './get.ts';

async function getFrom(context: TestContext, listener: RequestListener): Promise<Got> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  context.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  const signal = context.signal;
  return get({ host: '127.0.0.1', port, path: '/a', timeoutMs: 10_000, bodyBytesMax: 1000, signal });
}

test('get: an answer of any status comes with its whole body', async (context) => {
  const got = await getFrom(context, (request, response) => void response.writeHead(418).end(request.url));
  assert.deepEqual(got, { kind: 'answer', status: 418, body: Buffer.from('/a') });
});

test('get: an answer of exactly the limit is read, and one without an end is given up', async (context) => {
  const whole = await getFrom(context, (_request, response) => void response.end(Buffer.alloc(1000)));
  assert.equal(whole.kind, 'answer');
  const endless = await getFrom(context, (_request, response) => {
    const more = () => {
      while (response.write(Buffer.alloc(1000)));
    };
    response.on('drain', more);
    more();
  });
  assert.deepEqual(endless, { kind: 'failure', reason: 'an answer of more than 1000 bytes' });
});

test('get: a server that switches protocols unasked has not answered', async (context) => {
  const got = await getFrom(context, ({ socket }) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: a\r\n\r\n');
  });
  assert.equal(got.kind, 'failure');
});
