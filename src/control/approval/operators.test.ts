import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { accept } from '#base/result.ts';
import { JournalRegion } from '#control/time-travel/test-journal-region.ts';
import { TestOperator } from '#guard/test-operators.ts';
import { systemRandom } from '#io/random.ts';
import { Limits } from './limits.ts';
import { Operators, requestText } from './operators.ts';

async function people(context: TestContext) {
  const region = new JournalRegion(context);
  const operators = new Operators({ journal: region.journal, random: systemRandom, nowMs: () => region.nowMs });
  const eve = new TestOperator('eve');
  const { publicKey } = eve.document;
  assert((await operators.create('operator', { name: 'eve', publicKey })).ok);
  return { region, operators, eve, publicKey };
}

const request = { method: 'POST', url: '/v1/revert?x=1', body: '{"from":1}' };

test('operators: a signed request is its signer’s, once, in its time, and only as it was signed', async (context) => {
  const { region, operators, eve } = await people(context);
  const signed = (what = request, timeMs = region.nowMs, by = eve) => ({
    name: 'eve',
    time: `${timeMs}`,
    signature: by.sign(requestText(what, `${timeMs}`)).signature,
  });
  assert.deepEqual(operators.identify(request, undefined), accept('operator'));
  const good = signed();
  assert.deepEqual(operators.identify(request, good), accept('operator/eve'));
  const refusal = (credentials: ReturnType<typeof signed>, what = request) => {
    const result = operators.identify(what, credentials);
    assert(!result.ok);
    return result.fault;
  };
  assert.match(refusal(good), /was sent before/);
  for (const part of ['method', 'url', 'body'] as const) {
    assert.match(refusal(signed({ ...request, [part]: 'other' })), /is not signed by eve's key/);
  }
  assert.match(refusal(signed(request, region.nowMs, new TestOperator('eve'))), /is not signed by eve's key/);
  for (const away of [-300_001, 300_001]) {
    assert.match(refusal(signed(request, region.nowMs + away)), /signed at another time/);
  }
  assert.match(refusal({ ...signed(), time: 'now' }), /signed at another time/);
  assert.match(refusal({ ...signed(), name: 'mallory' }), /there is no operator 'mallory'/);
  assert.match(refusal({ ...signed(), signature: '' }), /is not signed/);
  assert((await operators.revoke('operator/eve', { name: 'eve' })).ok);
  assert.match(refusal(signed()), /there is no operator 'eve'/);
});

test('operators: what is no name, no key or no right is refused with what is allowed', async (context) => {
  const { operators, publicKey } = await people(context);
  const refused = async (given: Parameters<Operators['create']>[1]) => {
    const result = await operators.create('operator/eve', given);
    assert(!result.ok);
    return `${result.fault.status} ${result.fault.error}`;
  };
  for (const name of ['', 'Eve', '1st', 'a/b', 'x'.repeat(33)]) {
    assert.match(await refused({ name, publicKey }), /^400 '.*' is no name; allowed: up to 32/);
  }
  assert.match(await refused({ name: 'pat', publicKey: 'AAAA' }), /^400 publicKey is no Ed25519 public key/);
  assert.match(
    await refused({ name: 'pat', publicKey, rights: ['rule'] }),
    /^400 rights: found 'rule'; allowed: approve, govern/,
  );
  assert.match(await refused({ name: 'pat', publicKey, rights: [] }), /^400 rights: found ''/);
  assert.match(await refused({ name: 'eve', publicKey }), /^409 there is an operator eve already/);
  assert.match(JSON.stringify(await operators.revoke('operator', { name: 'kim' })), /404/);
});

test('limits: what cannot be a limit is refused before anybody is asked', async (context) => {
  const { region } = await people(context);
  const limits = new Limits({ journal: region.journal, random: systemRandom });
  const limit = { id: 'api', percentMax: 5, countMin: 10, windowSeconds: 600 };
  for (const [wrong, allowed] of [
    [{ id: 'workflow' }, /^id: found 'workflow'; allowed: api, restore, region, node, api\/ACCOUNT/],
    [{ id: 'api/1' }, /^id: found/],
    [{ percentMax: 101 }, /^percentMax: found 101; allowed: 0 to 100/],
    [{ windowSeconds: 86_401 }, /^windowSeconds: found 86401; allowed: 1 to 86400/],
  ] as const) {
    const result = await limits.set('operator/eve', { ...limit, ...wrong });
    assert(!result.ok && result.fault.status === 400);
    assert.match(result.fault.error, allowed);
  }
  const held = await limits.set('operator/eve', limit);
  assert(!held.ok && held.fault.status === 409);
  assert.match(held.fault.error, /which nobody does alone\. Nothing was changed: it is held as/);
  assert.deepEqual(
    limits.list().map(({ id, isDefault }) => [id, isDefault]),
    [
      ['api', true],
      ['restore', true],
      ['region', true],
      ['node', true],
    ],
  );
  const reset = await limits.reset('operator/eve', { id: 'api' });
  assert(!reset.ok && /is the default already/.test(reset.fault.error));
});
