import assert from 'node:assert/strict';
import { connect } from 'node:net';
import test, { type TestContext } from 'node:test';
import { startOrigin } from './origin.ts';
import { countWrongBytes, parseSegmentPath, segmentContent } from './segment.ts';

const segmentBytes = 10_001;

async function originFor(context: TestContext) {
  const origin = await startOrigin({ segmentBytes });
  context.after(() => origin.stop());
  const get = (path: string, method = 'GET') => fetch(`http://127.0.0.1:${origin.port}${path}`, { method });
  return { origin, get };
}

test('origin: a segment is its size, always the same, and unlike the next and unlike another channel', async (context) => {
  const { get } = await originFor(context);
  const bytes = async (path: string) => Buffer.from(await (await get(path)).arrayBuffer());
  const first = await bytes('/live/news/7.ts');
  assert.equal(first.length, segmentBytes);
  assert.deepEqual(await bytes('/live/news/7.ts'), first);
  assert.equal(countWrongBytes(first, segmentContent({ channel: 'news', number: 7 }, segmentBytes)), 0);
  for (const other of ['/live/news/8.ts', '/live/film/7.ts']) {
    assert.ok(countWrongBytes(await bytes(other), first) > segmentBytes * 0.99, `${other} is unlike the first`);
  }
});

test('origin: health is answered, what is not there is 404, and each request is counted', async (context) => {
  const { origin, get } = await originFor(context);
  const health = await get('/health');
  assert.deepEqual([health.status, await health.text()], [200, 'ok']);
  const elsewhere = ['/', '/live/news/7', '/live/news/07.ts', '/live/news/-1.ts', '/live/News/7.ts', '/live//7.ts'];
  for (const path of [...elsewhere, '/live/news/7.ts?a', '/health/']) {
    const answer = await get(path);
    assert.equal(answer.status, 404, path);
    await answer.arrayBuffer();
  }
  assert.equal((await get('/health', 'POST')).status, 404);
  assert.equal(origin.requests, 10);
});

test('origin: when it stops, connections end in the middle of a request and its port is closed', async (context) => {
  const { origin } = await originFor(context);
  const kept = connect(origin.port, '127.0.0.1');
  const ended = new Promise((resolve) => kept.on('close', resolve));
  kept.on('error', () => {});
  const answered = new Promise((resolve) => kept.once('data', resolve));
  kept.write('GET /health HTTP/1.1\r\nhost: a\r\n\r\n');
  await answered;
  kept.write('GET /health HTTP/1.1\r\n');
  await origin.stop();
  await ended;
  await assert.rejects(fetch(`http://127.0.0.1:${origin.port}/health`));
});

test('segment: the path is read strictly, up to numbers that are still exact', () => {
  assert.deepEqual(parseSegmentPath('/live/a-1/0.ts'), { channel: 'a-1', number: 0 });
  assert.deepEqual(parseSegmentPath('/live/a/999999999999999.ts'), { channel: 'a', number: 999_999_999_999_999 });
  assert.equal(parseSegmentPath('/live/a/1000000000000000.ts'), undefined);
  assert.equal(parseSegmentPath(`/live/${'a'.repeat(65)}/1.ts`), undefined);
});

test('segment: wrong bytes, missing ones and surplus ones are counted, one each', () => {
  const expected = segmentContent({ channel: 'news', number: 1 }, 100);
  const damaged = Buffer.from(expected);
  damaged[3]! ^= 1;
  damaged[99]! ^= 128;
  assert.equal(countWrongBytes(damaged, expected), 2);
  assert.equal(countWrongBytes(expected.subarray(0, 90), expected), 10);
  assert.equal(countWrongBytes(Buffer.concat([expected, Buffer.alloc(5)]), expected), 5);
});
