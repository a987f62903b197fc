/** Two people: what is unusual is held, and made once somebody else has approved it, with the command line. */
import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import {
  CreateListenerCommand,
  CreateLoadBalancerCommand,
  DeleteLoadBalancerCommand,
  DescribeLoadBalancersCommand,
  type ElasticLoadBalancingV2Client,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { ballastCommand, type RunningBallast, rejection, until } from './running-ballast.ts';
import { inStep, refuses, running, subnets } from './service.ts';
import { send } from './traffic.ts';

const port = 8080;

/** Load balancers that answer everything with 200 themselves. */
async function makeMany(client: ElasticLoadBalancingV2Client, count: number): Promise<string[]> {
  const arns: string[] = [];
  for (let number = 1; number <= count; number += 1) {
    const made = await client.send(new CreateLoadBalancerCommand({ Name: `web-${number}`, Subnets: subnets }));
    const arn = made.LoadBalancers![0]!.LoadBalancerArn!;
    const FixedResponseConfig = { StatusCode: '200', MessageBody: 'here' };
    const DefaultActions = [{ Type: 'fixed-response', FixedResponseConfig }] as const;
    await client.send(
      new CreateListenerCommand({
        LoadBalancerArn: arn,
        Protocol: 'HTTP',
        Port: port,
        DefaultActions: [...DefaultActions],
      }),
    );
    arns.push(arn);
  }
  return arns;
}

async function addressesOf(ballast: RunningBallast, client: ElasticLoadBalancingV2Client): Promise<string[]> {
  const described = await client.send(new DescribeLoadBalancersCommand({}));
  const key = readFileSync(join(ballast.data, 'operator.key'), 'utf8').trim();
  const addresses: string[] = [];
  for (const { LoadBalancerArn } of described.LoadBalancers!) {
    const url = `${ballast.report.operatorEndpoint}/v1/log?resource=${encodeURIComponent(LoadBalancerArn!)}`;
    const text = await (await fetch(url, { headers: { authorization: `Bearer ${key}` } })).text();
    addresses.push(/127\.\d+\.\d+\.\d+/.exec(text)?.[0] ?? '');
  }
  return addresses;
}

test('approvals: a mass deletion is held, two people let it through, and the node follows on their word', async (context) => {
  const ballast = await running(context, ['--workers', '1', '--environment', 'production']);
  const { data } = ballast;
  const client = ballast.client();
  const keyOf = (name: string) => join(data, `${name}.key`);
  const run = (...args: string[]) => ballastCommand(...args, '--data', data);
  const as = (name: string) => ['--as', name, '--key', keyOf(name)];
  const refused = async (...args: string[]) => (await rejection(run(...args))).message;

  // The first operator comes alone, the second by the word of the first.
  for (const name of ['eve', 'pat']) {
    const made = await ballastCommand('operators', 'key', name, '--key-file', keyOf(name));
    assert.equal(statSync(keyOf(name)).mode & 0o777, 0o600);
    const publicKey = /--public-key (\S+)/.exec(made)![1]!;
    const by = name === 'pat' ? as('eve') : [];
    assert.match(
      await run('operators', 'create', name, '--public-key', publicKey, ...by),
      new RegExp(`^Environment PRODUCTION.*Admitted ${name}, who may approve and govern`, 's'),
    );
  }
  assert.match(await run('operators'), /eve +approve, govern +\d{4}.*\n +pat +approve, govern/);

  const arns = await makeMany(client, 12);
  await inStep(ballast);
  const addresses = await addressesOf(ballast, client);
  const gone = (index: number) => client.send(new DeleteLoadBalancerCommand({ LoadBalancerArn: arns[index]! }));
  for (let index = 0; index < 9; index += 1) await gone(index);
  const tenth = await rejection(gone(9));
  assert.equal(tenth.name, 'OperationNotPermittedException');
  const id = /ballast approvals approve ([0-9a-f]{16})/.exec(tenth.message)![1]!;
  assert.match(tenth.message, /1 load balancer would stop serving: 000000000000\/web-10 \(deleted\), 10 by /);
  // Asked again it is the same one.
  assert.match((await rejection(gone(9))).message, new RegExp(id));

  const list = await run('approvals');
  assert.match(
    list,
    new RegExp(`Waiting\\n.*\\n +${id} +DeleteLoadBalancer +000000000000/admin +1 load balancer +0 of 1`),
  );
  assert(Number(/^ballast_approvals_waiting (\d+)$/m.exec(await ballast.metrics())![1]) >= 1);
  assert(/^ballast_guard_harmed_load_balancers 9$/m.test(await ballast.metrics()));
  assert.match(await run('approvals', 'show', id), /web-10 +deleted/);
  assert.match(await refused('approvals', 'approve', id), /say who you are with --as NAME/);
  assert.match(await refused('approvals', 'approve', id, ...as('eve')), /this is PRODUCTION: say so/);
  const staging = ['--environment', 'staging'];
  assert.match(await refused('approvals', 'approve', id, ...as('eve'), ...staging), /but this is 'production'/);
  const production = ['--environment', 'production'];
  assert.match(
    await refused('approvals', 'approve', id, '--as', 'mallory', ...production),
    /there is no key of operator/,
  );
  assert.match(
    await refused('approvals', 'approve', id, '--as', 'pat', '--key', keyOf('eve'), ...production),
    /not signed by pat's key/,
  );
  assert.match(
    await run('approvals', 'approve', id, ...as('eve'), ...production),
    /Approved as eve\. Done as revision \d+/,
  );
  const left = await client.send(new DescribeLoadBalancersCommand({}));
  assert.deepEqual(
    left.LoadBalancers!.map(({ LoadBalancerName }) => LoadBalancerName),
    ['web-11', 'web-12'],
  );
  assert.match(await run('log', '--limit', '3'), /operator +maintenance|000000000000\/admin/);

  // The node took two of twelve by itself, and the one that was approved; what it holds back serves on.
  await until(async () => (await ballast.status()).nodes[0]!.held > 0, 'the node holds back');
  assert.equal((await send({ host: addresses[5]!, port })).body, 'here');
  await until(
    () =>
      refuses(addresses[9]!).then(() =>
        send({ host: addresses[9]!, port }).then(
          () => false,
          () => true,
        ),
      ),
    'the tenth is gone',
  );
  const held = /^ +(r\d+) .*held back by/m.exec(await run('approvals'))![1]!;
  assert.match(await run('approvals', 'approve', held, ...as('pat'), ...production), /Approved as pat/);
  const grant = ['--principal', '000000000000/*', '--load-balancers', '20', '--for', '1h'];
  assert.match(await run('approvals', 'grant', ...grant, ...as('pat'), ...production), /It holds from now on/);
  await until(async () => (await ballast.status()).nodes[0]!.held === 0, 'the node has let go');
  await gone(10);
  await gone(11);

  // A limit is changed by two.
  const limit = ['limits', 'set', 'api', '--percent', '50', '--count', '100'];
  const change = /approve ([0-9a-f]{16})/.exec(await refused(...limit, ...as('eve')))![1]!;
  assert.match(await refused('approvals', 'approve', change, ...as('eve'), ...production), /nobody approves their own/);
  assert.match(await run('approvals', 'approve', change, ...as('pat'), ...production), /Done as revision/);
  assert.match(await run('limits'), /api +one principal.* +more than 50 %, and at least 100, within 600 s +set/);

  assert.match(await run('freeze', '--reason', 'we look', ...as('eve')), /Frozen/);
  assert.match(await refused('freeze', '--reason', 'again'), /frozen already, by operator\/eve: we look/);
  assert.match(await run('thaw'), /Thawed/);
});
