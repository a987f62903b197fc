import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import test from 'node:test';
import { readFromFolder, readFromS3, writeToFolder, writeToS3 } from './object-store.ts';

const at = (bucket: string, key: string, version?: string) => ({ bucket, key, version });

test('object store: a folder gives what lies in its buckets, and nothing else', async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'ballast-objects-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(join(folder, 'bucket', 'deep'), { recursive: true });
  mkdirSync(join(folder, 'other'));
  writeFileSync(join(folder, 'bucket', 'deep', 'file.pem'), 'content');
  writeFileSync(join(folder, 'secret'), 'secret');
  writeFileSync(join(folder, 'other', 'file'), 'other');
  symlinkSync('/etc/passwd', join(folder, 'bucket', 'link'));
  symlinkSync(join(folder, 'other', 'file'), join(folder, 'bucket', 'neighbour'));
  const read = readFromFolder(folder);
  const found = await read(at('bucket', 'deep/file.pem'), 7);
  assert(found.ok && Buffer.from(found.value).toString() === 'content');
  const refused = async (...name: Parameters<typeof at>) => {
    const answer = await read(at(...name), 6);
    assert(!answer.ok, name.join(' '));
    return answer.fault;
  };
  assert.match(await refused('bucket', 'deep/file.pem'), /has 7 bytes; at most 6/);
  assert.match(await refused('bucket', 'deep/file.pem', 'v1'), /keeps no versions/);
  for (const key of ['missing', 'deep', 'link', 'neighbour'])
    assert.match(await refused('bucket', key), /no such object/);
  for (const key of ['../secret', 'deep/../../secret', '/etc/passwd', 'a//b', '', '.', 'a\0b']) {
    assert.match(await refused('bucket', key), /none that can be read/, key);
  }
  for (const bucket of ['..', '.', 'a', 'UPPER', 'a..b', 'a/b'])
    assert.match(await refused(bucket, 'x'), /no bucket can have/);
  assert.match(await refused('missing', 'x'), /no such object/);
});

test('object store: an S3 endpoint gives an object, at most so large', async (context) => {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url!);
    if (request.url!.startsWith('/bucket/there.pem')) return response.end('content');
    if (request.url!.startsWith('/bucket/broken')) return response.writeHead(500).end();
    response.writeHead(404, { 'content-type': 'application/xml' });
    return response.end('<?xml version="1.0"?><Error><Code>NoSuchKey</Code><Message>gone</Message></Error>');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  context.after(() => server.close());
  const read = readFromS3(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, 'eu-test-1');
  const found = await read(at('bucket', 'there.pem', 'v1'), 7);
  assert(found.ok && Buffer.from(found.value).toString() === 'content');
  assert.match(asked[0]!, /versionId=v1/);
  const fault = async (key: string, sizeBytesMax = 7) => {
    const answer = await read(at('bucket', key), sizeBytesMax);
    return answer.ok ? 'ok' : answer.fault;
  };
  assert.match(await fault('there.pem', 6), /has 7 bytes; at most 6/);
  assert.match(await fault('missing'), /no such object/);
  assert.match(await fault('broken'), /does not give it/);
  server.close();
  server.closeAllConnections();
  assert.match(await fault('there.pem'), /does not give it/);
});

test('object store: a folder takes objects into the buckets that are there, and nowhere else', async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'ballast-objects-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(join(folder, 'bucket'));
  mkdirSync(join(folder, 'other'));
  symlinkSync(join(folder, 'other'), join(folder, 'bucket', 'link'));
  const write = writeToFolder(folder);
  const written = async (bucket: string, key: string, text = 'content') => {
    const answer = await write({ bucket, key }, Buffer.from(text));
    return answer.ok ? 'written' : answer.fault;
  };
  assert.equal(await written('bucket', 'deep/er/file.gz'), 'written');
  assert.equal(await written('bucket', 'deep/er/file.gz', 'again'), 'written');
  assert.equal(readFileSync(join(folder, 'bucket', 'deep', 'er', 'file.gz'), 'utf8'), 'again');
  assert.match(await written('missing', 'file'), /no such bucket/);
  assert.match(await written('bucket', 'link/file'), /leads out of the bucket/);
  for (const key of ['../other/file', 'a/../../other/file', '/file', '']) {
    assert.match(await written('bucket', key), /none that can be read/, key);
  }
  for (const bucket of ['..', 'UPPER', 'a/b']) assert.match(await written(bucket, 'x'), /no bucket can have/);
  assert.match(await written('bucket', 'deep/er/file.gz/below'), /cannot be written/);
  assert(!existsSync(join(folder, 'other', 'file')));
});

test('object store: an S3 endpoint takes objects', async (context) => {
  const taken: [string, string][] = [];
  const server = createServer(async (request, response) => {
    if (request.method === 'PUT' && request.url!.startsWith('/bucket/')) {
      taken.push([request.url!.replace(/\?.*/, ''), (await buffer(request)).toString()]);
      return response.end();
    }
    request.resume();
    response.writeHead(404, { 'content-type': 'application/xml' });
    return response.end('<?xml version="1.0"?><Error><Code>NoSuchBucket</Code><Message>gone</Message></Error>');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  context.after(() => server.close());
  const write = writeToS3(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, 'eu-test-1');
  const bytes = Buffer.from('content');
  assert((await write({ bucket: 'bucket', key: 'a/b.gz' }, bytes)).ok);
  assert.equal(taken[0]![0], '/bucket/a/b.gz');
  assert.match(taken[0]![1], /content/);
  const refused = await write({ bucket: 'missing', key: 'a' }, bytes);
  assert(!refused.ok && /no such bucket/.test(refused.fault));
  server.close();
  server.closeAllConnections();
  const gone = await write({ bucket: 'bucket', key: 'a' }, bytes);
  assert(!gone.ok && /S3 endpoint refuses it/.test(gone.fault));
});
