/** The key file of a whole Ballast: what is wrong with it is said in one sentence, and what serves goes on. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { DescribeLoadBalancersCommand } from '@aws-sdk/client-elastic-load-balancing-v2';
import { rejection, startBallast, until } from './running-ballast.ts';
import { answers, endWith, makeService, port, progressed, running, someTargets } from './service.ts';
import { Load } from './traffic.ts';

test('keys: without the right key file Ballast does not start, says why in one sentence, and writes nothing', async (context) => {
  const ballast = await startBallast();
  endWith(context, ballast);
  const { data } = ballast;
  const { credentialsFile } = ballast.report;
  assert.equal(await ballast.stop(), 0);
  const path = join(data, 'seal.key');
  const key = readFileSync(path, 'utf8');
  const credentials = readFileSync(credentialsFile, 'utf8');
  assert.equal(statSync(path).mode & 0o777, 0o600);
  const faults: [string, () => void, RegExp][] = [
    ['missing', () => {}, /seal\.key is missing: .*; put back your copy of it$/m],
    [
      'too short',
      () => writeFileSync(path, key.slice(4)),
      /seal\.key, line 1 does not hold a key of 32 bytes .*: put back/,
    ],
    ['empty', () => writeFileSync(path, ''), /seal\.key does not hold a key of 32 bytes/],
    ['not readable', () => mkdirSync(path), /seal\.key cannot be read \(EISDIR\)/],
    [
      'of another store',
      () => writeFileSync(path, `${'ab'.repeat(32)}\n`),
      /the secret of BALLAST\w+ is sealed with key [0-9a-f]{8}, which \S+seal\.key does not hold; put back the copy/,
    ],
  ];
  for (const [name, damage, expected] of faults) {
    rmSync(path, { recursive: true, force: true });
    damage();
    const { message } = await rejection(startBallast({ data }));
    assert.match(message, /^ballast up ended with 1:/, name);
    assert.match(message, expected, name);
    assert(!/\n\s+at /.test(message), `no stack: ${message}`);
    assert(!message.includes(key.slice(0, 16)) && !message.includes('abab'), 'no key is shown');
    assert.equal(readFileSync(credentialsFile, 'utf8'), credentials);
    if (name === 'missing') assert(!existsSync(path), 'no other key is made');
  }
  rmSync(path);
  // One that holds more keys than are needed, the right one among them, is right.
  writeFileSync(path, `${'ab'.repeat(32)}\n${key}`);
  const again = await startBallast({ data });
  endWith(context, again);
  assert.equal((await again.client().send(new DescribeLoadBalancersCommand({}))).LoadBalancers!.length, 0);
});

test('keys: traffic goes on while the key file is lost, and the control plane comes back with it', async (context) => {
  const ballast = await running(context);
  const targets = await someTargets(context, 1);
  const service = await makeService(ballast, 'web', targets);
  const load = new Load({ host: service.addresses[0]!, port, connections: 4 });
  context.after(() => load.stop());
  const path = join(ballast.data, 'seal.key');
  const key = readFileSync(path);
  rmSync(path);
  process.kill(ballast.report.pids.controlPlane, 'SIGKILL');
  await until(() => /seal\.key is missing/.test(ballast.output()), 'it says what is missing');
  await progressed(load, 500);
  writeFileSync(path, key, { mode: 0o600 });
  await until(() => answers(() => ballast.client().send(new DescribeLoadBalancersCommand({}))), 'it is back');
  await progressed(load, 100);
  assert.deepEqual(load.failures, []);
});
