/** The main job, end to end, with the official client and real traffic. */
import assert from 'node:assert/strict';
import test from 'node:test';
import {
  AddTagsCommand,
  CreateListenerCommand,
  CreateLoadBalancerCommand,
  CreateTargetGroupCommand,
  DeleteListenerCommand,
  DeleteLoadBalancerCommand,
  DeleteTargetGroupCommand,
  DeregisterTargetsCommand,
  DescribeListenersCommand,
  DescribeLoadBalancersCommand,
  DescribeTagsCommand,
  DescribeTargetGroupsCommand,
  ModifyTargetGroupAttributesCommand,
  paginateDescribeLoadBalancers,
  RegisterTargetsCommand,
  waitUntilLoadBalancerAvailable,
  waitUntilLoadBalancersDeleted,
  waitUntilTargetDeregistered,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { rejection, until } from './running-ballast.ts';
import {
  answers,
  health,
  inStep,
  makeService,
  port,
  progressed,
  refuses,
  resolver,
  running,
  someTargets,
  subnets,
  waiting,
} from './service.ts';
import { Load, send } from './traffic.ts';

test('main job: a load balancer made through the API carries traffic, loses a target, its control plane and more, and no request', async (context) => {
  const ballast = await running(context, ['--nodes', '2']);
  const client = ballast.client();
  const targets = await someTargets(context, 3);
  const service = await makeService(ballast, 'web', targets);
  assert.equal(service.addresses.length, 2, 'it is placed on two nodes');

  const one = await send({
    host: service.addresses[0]!,
    port,
    path: '/hello',
    headers: { 'x-forwarded-for': '203.0.113.9' },
  });
  assert.equal(one.status, 200);
  const seen = JSON.parse(String(one.headers['x-seen'])) as Record<string, string>;
  assert.match(seen['x-forwarded-for']!, /^203\.0\.113\.9, 127\./);
  assert.equal(seen['x-forwarded-proto'], 'http');
  assert.equal(seen['x-forwarded-port'], String(port));
  assert.match(seen['x-amzn-trace-id']!, /^Root=1-[0-9a-f]{8}-[0-9a-f]{24}$/);

  const loads = service.addresses.map((host) => new Load({ host, port, connections: 8 }));
  const stopLoads = () => Promise.all(loads.map((load) => load.stop()));
  context.after(stopLoads);
  const failures = () => loads.flatMap((load) => load.failures);
  const progress = (by: number) => Promise.all(loads.map((load) => progressed(load, by)));

  await context.test('thousands of requests are answered, spread over all targets', async () => {
    await progress(2_000);
    assert.deepEqual(failures(), []);
    const shares = targets.map(({ name }) => loads.reduce((sum, load) => sum + (load.byTarget.get(name) ?? 0), 0));
    const total = shares.reduce((sum, share) => sum + share, 0);
    for (const share of shares) assert(share > total / 5, `${shares}`);
  });

  await context.test('a target that stops costs no request, and is found unhealthy', async () => {
    await targets[0]!.stop();
    await progress(500);
    await until(
      async () => (await health(client, service.targetGroupArn, targets[0]!))?.State === 'unhealthy',
      'it is unhealthy',
    );
    assert.equal((await health(client, service.targetGroupArn, targets[0]!))?.Reason, 'Target.FailedHealthChecks');
    // One that was on its way when the target closed the connection may have been carried out: it is not sent again
    // (RFC 9110, section 9.2.2). Everything else is, and from now on nothing fails.
    for (const load of loads) load.forgivePosts();
    await progress(500);
    assert.deepEqual(failures(), []);
  });

  await context.test('a deregistered target finishes what it has begun and gets nothing new', async () => {
    const leaving = targets[1]!;
    await client.send(
      new ModifyTargetGroupAttributesCommand({
        TargetGroupArn: service.targetGroupArn,
        Attributes: [{ Key: 'deregistration_delay.timeout_seconds', Value: '30' }],
      }),
    );
    // Of two targets in turn, two slow requests leave one waiting on each.
    const slow = [0, 1].map(() =>
      send({ host: service.addresses[0]!, port, path: '/slow', method: 'POST', body: 'patience' }),
    );
    while (leaving.slowWaiting === 0 && slow.length < 200) {
      slow.push(send({ host: service.addresses[0]!, port, path: '/slow', method: 'POST', body: 'patience' }));
      await progress(20);
    }
    await client.send(
      new DeregisterTargetsCommand({
        TargetGroupArn: service.targetGroupArn,
        Targets: [{ Id: '127.0.0.1', Port: leaving.port }],
      }),
    );
    assert.deepEqual(await health(client, service.targetGroupArn, leaving), {
      State: 'draining',
      Reason: 'Target.DeregistrationInProgress',
      Description: 'Target deregistration is in progress',
    });
    await inStep(ballast);
    const before = leaving.requests;
    await progress(300);
    assert.equal(leaving.requests, before);
    for (const target of targets) target.releaseSlow();
    for (const answer of await Promise.all(slow)) assert.deepEqual([answer.status, answer.body], [200, 'patience']);
    assert.deepEqual(failures(), []);
    await client.send(
      new RegisterTargetsCommand({
        TargetGroupArn: service.targetGroupArn,
        Targets: [{ Id: '127.0.0.1', Port: leaving.port }],
      }),
    );
    await until(async () => (await health(client, service.targetGroupArn, leaving))?.State === 'healthy', 'it is back');
  });

  await context.test(
    'the control plane is killed: traffic goes on, and it comes back with the same state',
    async () => {
      const before = {
        revision: (await ballast.status()).revision,
        described: await client.send(new DescribeLoadBalancersCommand({})),
      };
      const pid = ballast.report.pids.controlPlane;
      process.kill(pid, 'SIGKILL');
      await progress(500);
      await until(
        async () => ballast.report.pids.controlPlane !== pid && (await answers(() => ballast.status())),
        'it is back',
      );
      const after = {
        revision: (await ballast.status()).revision,
        described: await ballast.client().send(new DescribeLoadBalancersCommand({})),
      };
      assert.equal(after.revision, before.revision);
      assert.deepEqual(after.described.LoadBalancers, before.described.LoadBalancers);
      await until(
        async () => (await ballast.status()).nodes.every(({ connected, lag }) => connected && lag === 0),
        'the nodes are in step',
      );
      assert.deepEqual(failures(), []);
    },
  );

  await context.test('a node process and the DNS server are killed: traffic goes on, and both come back', async () => {
    const { dns, nodes } = ballast.report.pids;
    process.kill(nodes[0]!.pid, 'SIGKILL');
    process.kill(dns, 'SIGKILL');
    await progress(500);
    await until(async () => {
      const { pids } = ballast.report;
      const status = await ballast.status();
      return (
        pids.dns !== dns &&
        pids.nodes[0]!.pid !== nodes[0]!.pid &&
        status.nodes.every(({ connected, lag }) => connected && lag === 0)
      );
    }, 'both are back');
    await until(
      () => ballast.report.pids.nodes[0]!.workers.every((worker) => !nodes[0]!.workers.includes(worker)),
      'its workers are new',
    );
    await progress(500);
    assert.deepEqual(
      await resolver(ballast)
        .resolve4(service.dnsName)
        .then((found) => found.sort()),
      [...service.addresses].sort(),
    );
    assert.deepEqual(failures(), []);
  });

  await context.test('the metrics tell what happened', async () => {
    const metrics = await ballast.metrics();
    const value = (pattern: RegExp) => [...metrics.matchAll(pattern)].reduce((sum, match) => sum + Number(match[1]), 0);
    assert(value(/^ballast_requests_total\{[^}]*load_balancer="app\/web\/[0-9a-f]{16}"[^}]*\} (\d+)$/gm) > 1_000);
    assert(value(/^ballast_journal_revision (\d+)$/gm) > 5);
    assert.match(metrics, /^ballast_journal_commit_seconds_count \d+$/m);
    assert.equal(value(/^ballast_node_revision_lag\{[^}]*\} (\d+)$/gm), 0);
    assert(value(/^ballast_healthy_hosts\{[^}]*\} (\d+)$/gm) >= 2, metrics.slice(0, 4000));
  });

  await stopLoads();
  await context.test('all is deleted: the port closes, the name is gone, nothing is left', async () => {
    await client.send(new DeleteLoadBalancerCommand({ LoadBalancerArn: service.loadBalancerArn }));
    await waitUntilLoadBalancersDeleted(waiting(client), { LoadBalancerArns: [service.loadBalancerArn] });
    await client.send(new DeleteTargetGroupCommand({ TargetGroupArn: service.targetGroupArn }));
    await until(() => refuses(service.addresses[0]!), 'the port is closed');
    await until(
      async () => (await rejection(resolver(ballast).resolve4(service.dnsName))).message.includes('ENOTFOUND'),
      'the name is gone',
    );
    const { counts } = await ballast.status();
    assert.deepEqual(counts, { loadBalancers: 0, listeners: 0, targetGroups: 0, targets: 0 });
  });
  assert.equal(await ballast.stop(), 0);
});

test('main job: paginators, waiters, tags and refusals work with the official client', async (context) => {
  const ballast = await running(context);
  const client = ballast.client();
  const names = ['one', 'two', 'three'];
  for (const Name of names) await client.send(new CreateLoadBalancerCommand({ Name, Subnets: subnets }));
  const found: string[] = [];
  for await (const page of paginateDescribeLoadBalancers({ client }, { PageSize: 1 })) {
    assert(page.LoadBalancers!.length <= 1);
    found.push(...page.LoadBalancers!.map(({ LoadBalancerName }) => LoadBalancerName!));
  }
  assert.deepEqual(found.sort(), [...names].sort());
  const { LoadBalancers } = await client.send(new DescribeLoadBalancersCommand({ Names: ['one'] }));
  const arn = LoadBalancers![0]!.LoadBalancerArn!;
  await client.send(new AddTagsCommand({ ResourceArns: [arn], Tags: [{ Key: 'a', Value: 'ä + = @' }] }));
  const { TagDescriptions } = await client.send(new DescribeTagsCommand({ ResourceArns: [arn] }));
  assert.deepEqual(TagDescriptions, [{ ResourceArn: arn, Tags: [{ Key: 'a', Value: 'ä + = @' }] }]);
  const missing = await rejection(client.send(new DescribeLoadBalancersCommand({ Names: ['nobody'] })));
  assert.equal(missing.name, 'LoadBalancerNotFoundException');
  const duplicate = await rejection(
    client.send(new CreateLoadBalancerCommand({ Name: 'one', Scheme: 'internal', Subnets: subnets })),
  );
  assert.equal(duplicate.name, 'DuplicateLoadBalancerNameException');
  const group = await client.send(
    new CreateTargetGroupCommand({ Name: 'g', Protocol: 'HTTP', Port: 1, VpcId: 'vpc-1', TargetType: 'ip' }),
  );
  const TargetGroupArn = group.TargetGroups![0]!.TargetGroupArn!;
  await client.send(new RegisterTargetsCommand({ TargetGroupArn, Targets: [{ Id: '10.1.2.3' }] }));
  await client.send(new DeregisterTargetsCommand({ TargetGroupArn, Targets: [{ Id: '10.1.2.3' }] }));
  await waitUntilTargetDeregistered(waiting(client), { TargetGroupArn, Targets: [{ Id: '10.1.2.3', Port: 1 }] });
  assert.equal((await client.send(new DescribeTargetGroupsCommand({}))).TargetGroups!.length, 1);
});

test('main job: redirects and fixed responses are answered at the listener, and a listener goes alone', async (context) => {
  const ballast = await running(context);
  const client = ballast.client();
  const made = await client.send(new CreateLoadBalancerCommand({ Name: 'edge', Subnets: subnets }));
  const { LoadBalancerArn, DNSName } = made.LoadBalancers![0]!;
  const listen = (Port: number, action: object) =>
    client.send(
      new CreateListenerCommand({ LoadBalancerArn, Protocol: 'HTTP', Port, DefaultActions: [action as never] }),
    );
  await listen(8081, { Type: 'redirect', RedirectConfig: { Protocol: 'HTTPS', Port: '443', StatusCode: 'HTTP_301' } });
  await listen(8082, {
    Type: 'fixed-response',
    FixedResponseConfig: { StatusCode: '418', ContentType: 'text/plain', MessageBody: 'short and stout' },
  });
  await waitUntilLoadBalancerAvailable(waiting(client), { LoadBalancerArns: [LoadBalancerArn!] });
  await inStep(ballast);
  const [host] = await resolver(ballast).resolve4(DNSName!);
  const redirect = await send({ host: host!, port: 8081, path: '/a/b?c=d', headers: { host: 'example.com' } });
  assert.deepEqual([redirect.status, redirect.headers.location], [301, 'https://example.com:443/a/b?c=d']);
  const fixed = await send({ host: host!, port: 8082 });
  assert.deepEqual([fixed.status, fixed.headers['content-type'], fixed.body], [418, 'text/plain', 'short and stout']);
  const { Listeners } = await client.send(new DescribeListenersCommand({ LoadBalancerArn }));
  assert.deepEqual(Listeners!.map(({ Port }) => Port).sort(), [8081, 8082]);
  await client.send(
    new DeleteListenerCommand({ ListenerArn: Listeners!.find(({ Port }) => Port === 8081)!.ListenerArn! }),
  );
  await until(
    () =>
      send({ host: host!, port: 8081 }).then(
        () => false,
        () => true,
      ),
    'its port is closed',
  );
  assert.equal((await send({ host: host!, port: 8082 })).status, 418);
});
