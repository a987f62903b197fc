/** What happened, who did it, and taking it back: with the real command line, the official client and real traffic. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import test from 'node:test';
import {
  AddTagsCommand,
  DeleteListenerCommand,
  DeleteLoadBalancerCommand,
  DeregisterTargetsCommand,
  DescribeListenersCommand,
  DescribeLoadBalancerAttributesCommand,
  DescribeLoadBalancersCommand,
  DescribeTagsCommand,
  ModifyLoadBalancerAttributesCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import type { BlameLine, Conflict, LogEntry, PlanResult } from '#model/history.ts';
import { type RunningBallast, until } from './running-ballast.ts';
import { answers, health, makeService, port, refuses, resolver, running, someTargets } from './service.ts';
import { send } from './traffic.ts';

const launcher = new URL('../bin/ballast', import.meta.url).pathname;
const idleTimeout = 'idle_timeout.timeout_seconds';

interface Ran {
  readonly code: number | null;
  readonly output: string;
  readonly errors: string;
}

/** Runs `bin/ballast` on the data folder of this Ballast, as a person in another terminal does. */
async function command(ballast: RunningBallast, ...args: readonly string[]): Promise<Ran> {
  const child = spawn(process.execPath, [launcher, ...args, '--data', ballast.data], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const [code] = await once(child, 'close');
  return { code, output, errors };
}

/** The command's output where it must succeed. */
async function said(ballast: RunningBallast, ...args: readonly string[]): Promise<string> {
  const { code, output, errors } = await command(ballast, ...args);
  assert.equal(code, 0, `${args.join(' ')}: ${output}${errors}`);
  return output;
}

async function lines<Line>(ballast: RunningBallast, ...args: readonly string[]): Promise<Line[]> {
  const { output } = await command(ballast, ...args, '--json');
  return output
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
}

/** The newest transaction with this action. */
async function newest(ballast: RunningBallast, action: string): Promise<LogEntry> {
  const log = await lines<LogEntry>(ballast, 'log');
  return log.find((entry) => entry.action === action)!;
}

/** The revision that `Put back … as revision N.` names. */
function revisionIn(output: string): number {
  return Number(/ as revision (\d+)\.$/m.exec(output)![1]);
}

test('time travel: what was broken is found in the log, looked at, and taken back, and traffic flows as before', async (context) => {
  const ballast = await running(context, ['--nodes', '2', '--environment', 'staging']);
  const client = ballast.client();
  const targets = await someTargets(context, 2);
  const service = await makeService(ballast, 'web', targets);
  const { loadBalancerArn, targetGroupArn, dnsName } = service;
  const serves = (host: string) => answers(async () => assert.equal((await send({ host, port })).status, 200));
  const isServed = () =>
    until(async () => (await Promise.all(service.addresses.map(serves))).every(Boolean), 'both addresses serve');
  const addressesNow = () =>
    resolver(ballast)
      .resolve4(dnsName)
      .catch(() => []);
  const attribute = async (name: string) => {
    const found = await client.send(new DescribeLoadBalancerAttributesCommand({ LoadBalancerArn: loadBalancerArn }));
    return found.Attributes!.find(({ Key }) => Key === name)?.Value;
  };
  const setAttribute = (Key: string, Value: string) =>
    client.send(
      new ModifyLoadBalancerAttributesCommand({
        LoadBalancerArn: loadBalancerArn,
        Attributes: [{ Key, Value }],
      }),
    );
  await isServed();

  await context.test('the log tells what was done, newest first, and by whom', async () => {
    const entries = await lines<LogEntry>(ballast, 'log');
    const revisions = entries.map(({ revision }) => revision);
    assert.deepEqual(
      revisions,
      revisions.map((_, index) => revisions[0]! - index),
    );
    assert.equal(revisions.at(-1), 1);
    const creation = entries.find(({ action }) => action === 'CreateLoadBalancer')!;
    assert.match(creation.principal, /^000000000000\//);
    assert.match(creation.summary, /000000000000\/web/);
    const text = await said(ballast, 'log', '--resource', loadBalancerArn);
    assert.match(text, /^REVISION {2}TIME +WHO +THROUGH +WHAT\n/);
    assert.match(text, new RegExp(`^${creation.revision} +\\d{4}-\\d\\d-\\d\\dT[\\d:]+Z +\\S+ +api +\\S`, 'm'));
    const filtered = await lines<LogEntry>(ballast, 'log', '--kind', 'listener', '--until', `${revisions[0]}`);
    assert.deepEqual(
      filtered.map(({ action }) => action),
      ['CreateListener'],
    );
  });

  await context.test(
    'a deleted load balancer comes back as the same: ARN, name, addresses, listener, traffic',
    async () => {
      const before = await client.send(new DescribeLoadBalancersCommand({ LoadBalancerArns: [loadBalancerArn] }));
      const listeners = await client.send(new DescribeListenersCommand({ LoadBalancerArn: loadBalancerArn }));
      await client.send(new DeleteLoadBalancerCommand({ LoadBalancerArn: loadBalancerArn }));
      await until(async () => (await Promise.all(service.addresses.map(refuses))).every(Boolean), 'it serves no more');
      const deletion = await newest(ballast, 'DeleteLoadBalancer');
      assert.equal(deletion.harmed, 1);
      assert.match(await said(ballast, 'log', '--limit', '20'), /harmed 1/);

      const shown = await said(ballast, 'show', `${deletion.revision}`);
      assert.match(shown, new RegExp(`^- load-balancer +000000000000/web +${loadBalancerArn}$`, 'm'));
      assert.match(shown, /^- listener /m);
      const gone = await said(ballast, 'diff', `${deletion.revision - 1}`, `${deletion.revision}`);
      assert.match(gone, /, [4-9] removed, 0 changed\.\n$/);
      const blamed = await said(ballast, 'blame', loadBalancerArn);
      assert.match(blamed, new RegExp(`^Deleted in revision ${deletion.revision}, .* by ${deletion.principal}`, 'm'));
      const past = await said(ballast, 'describe', loadBalancerArn, '--at', `${deletion.revision - 1}`);
      assert.equal(JSON.parse(past).LoadBalancers[0].DNSName, dnsName);
      const present = await command(ballast, 'describe', loadBalancerArn);
      assert.deepEqual([present.code, present.output], [1, '']);
      assert.match(present.errors, /^ballast: [^\n]+\n$/);

      const plan = await said(ballast, 'undelete', loadBalancerArn, '--dry-run');
      assert.match(plan, /^Environment staging, region us-east-1/);
      assert.match(plan, /^\+ load-balancer +000000000000\/web/m);
      assert.match(plan, /^This would put back 1 load balancer/m);
      assert.equal((await newest(ballast, 'DeleteLoadBalancer')).revision, deletion.revision);
      assert.equal(await answers(() => serves(service.addresses[0]!).then((is) => assert(!is))), true);

      const done = await said(ballast, 'undelete', loadBalancerArn, '--reason', 'it was the wrong one');
      assert.match(done, /^Put back 1 load balancer/m);
      await isServed();
      const after = await client.send(new DescribeLoadBalancersCommand({ LoadBalancerArns: [loadBalancerArn] }));
      assert.deepEqual(after.LoadBalancers, before.LoadBalancers);
      const listenersAfter = await client.send(new DescribeListenersCommand({ LoadBalancerArn: loadBalancerArn }));
      assert.deepEqual(listenersAfter.Listeners, listeners.Listeners);
      await until(
        async () => `${(await addressesNow()).sort()}` === `${[...service.addresses].sort()}`,
        'its name has the same addresses',
      );
      const undeletion = await newest(ballast, 'Undelete');
      assert.equal(undeletion.revision, revisionIn(done));
      assert.match(undeletion.reason!, /it was the wrong one$/);
      const again = await command(ballast, 'undelete', loadBalancerArn);
      assert.equal(again.code, 1);
    },
  );

  await context.test('a deregistration is reverted, also when its draining is over', async () => {
    await client.send(
      new DeregisterTargetsCommand({
        TargetGroupArn: targetGroupArn,
        Targets: targets.map((target) => ({ Id: '127.0.0.1', Port: target.port })),
      }),
    );
    const { revision } = await newest(ballast, 'DeregisterTargets');
    assert.match(await said(ballast, 'log', '--resource', targetGroupArn), new RegExp(`^${revision} `, 'm'));
    await said(ballast, 'revert', `${revision}`);
    for (const target of targets) {
      await until(
        async () => (await health(client, targetGroupArn, target))?.State === 'healthy',
        'it is healthy again',
      );
    }
    await isServed();
  });

  await context.test('a revert leaves alone what was changed since, and asks about what conflicts', async () => {
    await setAttribute(idleTimeout, '1');
    const bad = await newest(ballast, 'ModifyLoadBalancerAttributes');
    await client.send(new AddTagsCommand({ ResourceArns: [loadBalancerArn], Tags: [{ Key: 'owner', Value: 'ada' }] }));
    assert.equal(revisionIn(await said(ballast, 'revert', `${bad.revision}`)), bad.revision + 2);
    assert.equal(await attribute(idleTimeout), '60');
    const tags = await client.send(new DescribeTagsCommand({ ResourceArns: [loadBalancerArn] }));
    assert(tags.TagDescriptions![0]!.Tags!.some(({ Key, Value }) => Key === 'owner' && Value === 'ada'));

    await setAttribute(idleTimeout, '30');
    const first = await newest(ballast, 'ModifyLoadBalancerAttributes');
    await setAttribute(idleTimeout, '40');
    const left = await command(ballast, 'revert', `${first.revision}`);
    assert.equal(left.code, 1);
    assert.match(left.output, /^! load-balancer 000000000000\/web/m);
    assert.match(left.output, /^ {4}theirs {2}"30"\n {4}ours {4}"40"$/m);
    const decide = /To decide: (--keep \S+=base)/.exec(left.output)![1]!;
    assert.equal(await attribute(idleTimeout), '40');
    const answer = await lines<Conflict | PlanResult>(ballast, 'revert', `${first.revision}`, '--dry-run');
    assert(answer.some((line) => line.type === 'conflict' && decide === `--keep ${line.key}=base`));
    await said(ballast, 'revert', `${first.revision}`, ...decide.split(' '));
    assert.equal(await attribute(idleTimeout), '60');

    const blamed = await lines<BlameLine>(ballast, 'blame', loadBalancerArn);
    const owner = blamed.find(({ member }) => member === 'tags.owner')!;
    assert.deepEqual([owner.value, owner.setBy.action], ['ada', 'AddTags']);
  });

  await context.test('what a revert did is reverted like anything else', async () => {
    await setAttribute(idleTimeout, '7');
    const { revision } = await newest(ballast, 'ModifyLoadBalancerAttributes');
    const reverted = revisionIn(await said(ballast, 'revert', `${revision}`));
    assert.equal(await attribute(idleTimeout), '60');
    await said(ballast, 'revert', `${reverted}`);
    assert.equal(await attribute(idleTimeout), '7');
    const nothing = await said(ballast, 'revert', `${revision}..${reverted}`, '--only', targetGroupArn);
    assert.match(nothing, /^There is nothing to revert\.$/m);
  });

  await context.test('after several mistakes a load balancer is what it was at a moment', async () => {
    const { revision } = await ballast.status();
    const { Listeners } = await client.send(new DescribeListenersCommand({ LoadBalancerArn: loadBalancerArn }));
    await client.send(new DeleteListenerCommand({ ListenerArn: Listeners![0]!.ListenerArn! }));
    await setAttribute(idleTimeout, '9');
    await until(async () => (await Promise.all(service.addresses.map(refuses))).every(Boolean), 'it serves no more');
    const changed = await said(ballast, 'diff', `${revision}`, '--resource', loadBalancerArn);
    assert.match(changed, /^- listener /m);
    assert.match(changed, /^ {4}attributes\.idle_timeout\.timeout_seconds: "7" → "9"$/m);
    await said(ballast, 'restore', '--at', `${revision}`, '--only', loadBalancerArn);
    await isServed();
    assert.equal(await attribute(idleTimeout), '7');
    assert.match(
      await said(ballast, 'diff', `${revision}`, '--resource', loadBalancerArn),
      /Nothing is different\.\n$/,
    );
  });

  await context.test('new keys seal the secrets, and clients go on with the same access key', async () => {
    assert.match(await said(ballast, 'rekey'), /^Sealed 1 secret with the new key [0-9a-f]{8} as revision \d+\.$/m);
    await ballast.client().send(new DescribeLoadBalancersCommand({}));
  });

  await context.test('what is not there is said in one line', async () => {
    const refusals: [string[], number][] = [
      [['show', '999999'], 1],
      [['revert', '999999'], 1],
      [['log', '--since', 'yesterday'], 2],
      [['diff', '2001-01-01'], 1],
      [['describe', 'arn:aws:s3:::bucket'], 2],
      [['undelete', loadBalancerArn.replace(/.$/, (last) => (last === '0' ? '1' : '0'))], 1],
    ];
    for (const [args, code] of refusals) {
      const refused = await command(ballast, ...args);
      assert.match(refused.errors, /^ballast: [^\n]+\n$/, args.join(' '));
      assert.equal(refused.code, code, `${args.join(' ')}: ${refused.errors}`);
    }
  });
});
