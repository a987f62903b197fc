import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { type WriteObject, writeToFolder } from '#io/object-store.ts';
import { formatLogHeading } from '#model/log-place.ts';
import { LogCourier } from './log-courier.ts';

const endMs = Date.UTC(2026, 10, 23, 19, 45);
const key = 'AWSLogs/1/elasticloadbalancing/eu-test-1/2026/11/23';

function heading(bucket: string): string {
  const folder = 'AWSLogs/1/elasticloadbalancing/eu-test-1';
  return formatLogHeading({ bucket, folder, name: `1_app.web.${bucket}`, address: '127.0.0.1' });
}

function delivering(context: TestContext, write?: WriteObject) {
  const parent = mkdtempSync(join(tmpdir(), 'ballast-courier-'));
  context.after(() => rmSync(parent, { recursive: true, force: true }));
  const [folder, store] = [join(parent, 'spool'), join(parent, 's3')];
  for (const path of [folder, join(store, 'bucket')]) mkdirSync(path, { recursive: true });
  let nowMs = endMs;
  const said: string[] = [];
  const note = (sentence: string) => said.push(sentence);
  const courier = new LogCourier({
    folder,
    write: write ?? writeToFolder(store),
    clock: { wallMs: () => nowMs, monotonicMs: () => nowMs },
    log: { info: note, warn: note, error: note },
  });
  context.after(() => courier.stop());
  return {
    courier,
    said,
    store,
    put: (name: string, text: string) => writeFileSync(join(folder, name), text),
    left: () => readdirSync(folder).sort(),
    delivered: (bucket = 'bucket') => {
      const at = join(store, bucket, key);
      return readdirSync(at).map((name) => [name, gunzipSync(readFileSync(join(at, name))).toString()] as const);
    },
    pass: (durationMs: number) => {
      nowMs += durationMs;
    },
  };
}

test('log courier: a complete file becomes one packed object under its name, and is gone from the folder', async (context) => {
  const { courier, put, left, delivered } = delivering(context);
  put(`${endMs}-w-1.log`, `${heading('bucket')}\none\ntwo\n`);
  await courier.round();
  assert.deepEqual(left(), []);
  const [[name, text]] = delivered() as [[string, string]];
  assert.match(name, /^1_app\.web\.bucket_20261123T1945Z_127\.0\.0\.1_[0-9a-f]{8}\.log\.gz$/);
  assert.equal(text, 'one\ntwo\n');
  assert.deepEqual(courier.stats, { delivered: 1, failures: 0, waitingBytes: 0 });
  put(`${endMs}-w-1.log`, `${heading('bucket')}\none\ntwo\n`);
  await courier.round();
  assert.equal(delivered().length, 1, 'delivered again, it takes the place of the first');
});

test('log courier: a file that a process left behind is delivered later, without the line that it did not finish', async (context) => {
  const { courier, put, left, delivered, pass } = delivering(context);
  put(`${endMs}-w-1.open`, `${heading('bucket')}\nwhole\ntor`);
  put(`${endMs}-w-2.open`, heading('bucket').slice(0, 10));
  await courier.round();
  assert.equal(left().length, 2);
  assert(courier.stats.waitingBytes > 0);
  pass(121_000);
  await courier.round();
  assert.deepEqual(left(), []);
  assert.deepEqual(
    delivered().map(([, text]) => text),
    ['whole\n'],
  );
});

test('log courier: a bucket that is not there keeps nobody else waiting, and gets its files once it is', async (context) => {
  const { courier, put, left, delivered, pass, said, store } = delivering(context);
  put(`${endMs}-w-1.log`, `${heading('missing')}\nlate\n`);
  put(`${endMs}-w-2.log`, `${heading('bucket')}\nnow\n`);
  await courier.round();
  await courier.round();
  assert.deepEqual(left(), [`${endMs}-w-1.log`]);
  assert.equal(delivered().length, 1);
  assert.equal(courier.stats.failures, 1, 'it is left alone for a while');
  assert.match(said.join(), /bucket missing yet: there is no such bucket/);
  mkdirSync(join(store, 'missing'));
  pass(30_000);
  await courier.round();
  assert.deepEqual(left(), []);
  assert.equal(delivered('missing')[0]![1], 'late\n');
});

test('log courier: a file that does not say where it goes is kept and named', async (context) => {
  const { courier, put, left, said } = delivering(context);
  put(`${endMs}-w-1.log`, 'no heading\nentry\n');
  await courier.round();
  assert.deepEqual(left(), [`${endMs}-w-1.log.unreadable`]);
  assert.match(said.join(), /does not say where/);
  await courier.round();
  assert.deepEqual(left(), [`${endMs}-w-1.log.unreadable`]);
});
