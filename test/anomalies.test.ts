/** A target that passes its health checks and fails requests: found and relieved, and seen by the official client. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import test from 'node:test';
import {
  DescribeTargetHealthCommand,
  ModifyTargetGroupAttributesCommand,
  RegisterTargetsCommand,
  waitUntilTargetInService,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { until } from './running-ballast.ts';
import { makeService, port, running, someTargets, waiting } from './service.ts';
import { send } from './traffic.ts';

test('anomalies: a healthy target that fails every second request is described as anomalous, and gets less', async (context) => {
  let count = 0;
  const failing = createServer((incoming, outgoing) => {
    if (incoming.url !== '/health') count += 1;
    outgoing.writeHead(incoming.url !== '/health' && count % 2 === 0 ? 500 : 200).end();
  }).listen(0, '127.0.0.1');
  await once(failing, 'listening');
  context.after(() => failing.close());
  const failingPort = (failing.address() as AddressInfo).port;
  const targets = await someTargets(context, 3);
  const ballast = await running(context);
  const client = ballast.client();
  const service = await makeService(ballast, 'web', targets);
  const TargetGroupArn = service.targetGroupArn;
  await client.send(
    new ModifyTargetGroupAttributesCommand({
      TargetGroupArn,
      Attributes: [
        { Key: 'load_balancing.algorithm.type', Value: 'weighted_random' },
        { Key: 'load_balancing.algorithm.anomaly_mitigation', Value: 'on' },
      ],
    }),
  );
  const Targets = [{ Id: '127.0.0.1', Port: failingPort }];
  await client.send(new RegisterTargetsCommand({ TargetGroupArn, Targets }));
  await waitUntilTargetInService(waiting(client), { TargetGroupArn, Targets });

  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  context.after(() => agent.destroy());
  const load = async (requests: number) => {
    const before = count;
    for (let each = 0; each < requests; each += 1) await send({ host: service.addresses[0]!, port, agent });
    return count - before;
  };
  const described = async () => {
    const all = await client.send(new DescribeTargetHealthCommand({ TargetGroupArn, Include: ['AnomalyDetection'] }));
    return all.TargetHealthDescriptions!.map((each) => ({
      isFailing: each.Target!.Port === failingPort,
      state: each.TargetHealth!.State,
      ...each.AnomalyDetection,
    }));
  };
  const normal = { Result: 'normal', MitigationInEffect: 'no' };
  for (const { Result, MitigationInEffect } of await described()) {
    assert.deepEqual({ Result, MitigationInEffect }, normal);
  }
  await until(async () => {
    await load(100);
    return (await described()).some(({ Result }) => Result === 'anomalous');
  }, 'it is found');
  for (const { isFailing, state, Result, MitigationInEffect } of await described()) {
    assert.equal(state, 'healthy', 'health is another matter');
    const found = isFailing ? { Result: 'anomalous', MitigationInEffect: 'yes' } : normal;
    assert.deepEqual({ Result, MitigationInEffect }, found);
  }
  assert((await load(1_000)) < 195, 'it gets less than its fourth');
  const metrics = await ballast.metrics();
  assert.match(metrics, /^ballast_anomalous_hosts\{[^}]*\} 1$/m);
  assert.match(metrics, /^ballast_mitigated_hosts\{[^}]*\} 1$/m);
});
