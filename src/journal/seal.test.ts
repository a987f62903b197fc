import assert from 'node:assert/strict';
import { createCipheriv } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { type KeyRing, openKeyRing, SealFailure } from './seal.ts';

function keyFile(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'ballast-seal-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'seal.key');
}

function ringAt(path: string): KeyRing {
  const ring = openKeyRing(path, true);
  assert(ring.ok);
  return ring.value;
}

function faultOf(path: string, mayMake = false): string {
  const ring = openKeyRing(path, mayMake);
  assert(!ring.ok);
  return ring.fault;
}

test('seal: what was sealed opens in its place alone, and says nothing', (context) => {
  const ring = ringAt(keyFile(context));
  const sealed = ring.seal('open sesame', 'KEY1');
  assert.match(sealed, /^v2\.[0-9a-f]{8}\.[\w-]+$/);
  assert.equal(ring.unseal(sealed, 'KEY1'), 'open sesame');
  assert.notEqual(ring.seal('open sesame', 'KEY1'), sealed, 'no two are alike');
  assert.throws(() => ring.unseal(sealed, 'KEY2'), SealFailure);
  for (let index = 0; index < sealed.length; index += 1) {
    const other = sealed[index] === 'A' ? 'B' : 'A';
    const changed = `${sealed.slice(0, index)}${other}${sealed.slice(index + 1)}`;
    // The last letter of base64url may hold bits that mean nothing.
    const isSame = Buffer.from(changed.slice(12), 'base64url').equals(Buffer.from(sealed.slice(12), 'base64url'));
    if (index < 12 || !isSame) assert.throws(() => ring.unseal(changed, 'KEY1'), SealFailure, `letter ${index}`);
  }
  for (const rubbish of ['', 'v1.', 'v2.', 'v3.00000000.AAAA', 'v1.AAAA', 'v2.zzzzzzzz.AAAA', `${sealed} `]) {
    assert.throws(() => ring.unseal(rubbish, 'KEY1'), SealFailure, rubbish);
  }
});

test('seal: a ring keeps every older key, in a file for its owner alone, and seals with the newest', (context) => {
  const path = keyFile(context);
  const ring = ringAt(path);
  const texts: string[] = [];
  const ids: string[] = [];
  for (let round = 0; round < 3; round += 1) {
    texts.push(ring.seal(`secret ${round}`, 'KEY'));
    ids.push(ring.keyId);
    assert(ring.isNewest(texts.at(-1)!));
    assert(ring.addKey().ok);
    assert(!ring.isNewest(texts.at(-1)!));
  }
  assert.equal(new Set([...ids, ring.keyId]).size, 4);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.equal(readFileSync(path, 'utf8').split('\n').length, 5);
  for (const each of [ring, ringAt(path)]) {
    assert.equal(each.keyId, ring.keyId);
    for (const [round, text] of texts.entries()) assert.equal(each.unseal(text, 'KEY'), `secret ${round}`);
  }
});

test('seal: a file of one line is a ring of one key, and texts of the first form open with any of its keys', (context) => {
  const path = keyFile(context);
  const key = Buffer.alloc(32, 7);
  writeFileSync(path, key.toString('hex'));
  const nonce = Buffer.alloc(12, 1);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from('KEY'));
  const bytes = Buffer.concat([nonce, cipher.update('old secret'), cipher.final(), cipher.getAuthTag()]);
  const sealed = `v1.${bytes.toString('base64url')}`;
  const ring = ringAt(path);
  assert.equal(ring.unseal(sealed, 'KEY'), 'old secret');
  assert(!ring.isNewest(sealed));
  assert(ring.addKey().ok);
  assert.equal(ring.unseal(sealed, 'KEY'), 'old secret');
  writeFileSync(path, `${'0'.repeat(64)}\n`);
  assert.throws(() => ringAt(path).unseal(sealed, 'KEY'), /no key in .*seal\.key opens the secret of KEY; put back/);
});

test('seal: a key that was put back while the ring was in use stays in it', (context) => {
  const path = keyFile(context);
  const ring = ringAt(path);
  const other = '7'.repeat(64);
  writeFileSync(path, `${readFileSync(path, 'utf8')}${other}\n`);
  assert(ring.addKey().ok);
  assert.match(readFileSync(path, 'utf8'), new RegExp(other));
  assert.equal(readFileSync(path, 'utf8').trim().split('\n').length, 3);
});

test('seal: a file that was lost while the ring was in use is whole again with the next key', (context) => {
  const path = keyFile(context);
  const ring = ringAt(path);
  const sealed = ring.seal('secret', 'KEY');
  rmSync(path);
  assert(ring.addKey().ok);
  for (const each of [ring, ringAt(path)]) assert.equal(each.unseal(sealed, 'KEY'), 'secret');
});

test('seal: what is wrong with the key file is said in one sentence with its name, and nothing is written', (context) => {
  const path = keyFile(context);
  assert.match(faultOf(path), /^\S+seal\.key is missing: .* put back your copy of it$/);
  assert(!existsSync(path));
  const secret = 'ab'.repeat(32);
  for (const [text, place] of [
    ['', ''],
    ['\n\n', ''],
    [secret.slice(2), ', line 1'],
    [`${secret}\n${secret}00\n`, ', line 2'],
    [`${secret}\nrubbish\n`, ', line 2'],
    [`${secret} ${secret}`, ', line 1'],
  ] as const) {
    writeFileSync(path, text);
    const fault = faultOf(path, true);
    assert(fault.startsWith(`${path}${place} does not hold a key of 32 bytes`), fault);
    assert(!fault.includes('abab'), 'it does not tell what stands there');
    assert.equal(readFileSync(path, 'utf8'), text);
  }
  rmSync(path);
  mkdirSync(path);
  assert.match(faultOf(path, true), /seal\.key cannot be read \(EISDIR\)/);
});

test('seal: a text of a key that the ring lacks names that key', (context) => {
  const path = keyFile(context);
  const sealed = ringAt(path).seal('secret', 'KEY');
  const id = sealed.slice(3, 11);
  rmSync(path);
  const other = ringAt(path);
  assert.throws(
    () => other.unseal(sealed, 'KEY'),
    new RegExp(`sealed with key ${id}, which \\S+seal.key does not hold`),
  );
});

test('seal: a key that cannot be written is not used', (context) => {
  const path = keyFile(context);
  const ring = ringAt(path);
  const before = ring.keyId;
  rmSync(path);
  mkdirSync(path);
  assert(!ring.addKey().ok);
  assert.equal(ring.keyId, before);
  assert.equal(ring.unseal(ring.seal('secret', 'KEY'), 'KEY'), 'secret');
});
