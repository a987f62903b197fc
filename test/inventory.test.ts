/** An inventory, end to end: what the operator writes into one file decides what is served, and to whom. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { Agent, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import test, { type TestContext } from 'node:test';
import {
  CreateListenerCommand,
  CreateLoadBalancerCommand,
  CreateTargetGroupCommand,
  CreateTrustStoreCommand,
  DescribeLoadBalancersCommand,
  DescribeTargetHealthCommand,
  GetTrustStoreCaCertificatesBundleCommand,
  RegisterTargetsCommand,
  type TargetTypeEnum,
  waitUntilTargetInService,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { makeCertificate } from '#control/test-certificates.ts';
import { ballastCommand, rejection, temporaryFolder, until } from './running-ballast.ts';
import { inStep, port, resolver, running, someTargets, waiting } from './service.ts';
import { send } from './traffic.ts';

const instanceId = 'i-0123456789abcdef0';
const functionArn = 'arn:aws:lambda:us-east-1:000000000000:function:hello';

/** Answers as a function whose answer is the path that it was asked for. */
async function startFunction(context: TestContext): Promise<string> {
  const endpoint = createServer(async (incoming, outgoing) => {
    const { path } = (await json(incoming)) as { path: string };
    outgoing.end(JSON.stringify({ statusCode: 200, headers: { 'x-target': 'function' }, body: path }));
  });
  await new Promise<void>((resolve) => endpoint.listen(0, '127.0.0.1', resolve));
  context.after(() => endpoint.close());
  return `http://127.0.0.1:${(endpoint.address() as AddressInfo).port}/2015-03-31/functions/function/invocations`;
}

test('inventory: instances and functions carry traffic, security groups let in whom they name, bundles come from a folder', async (context) => {
  const folder = temporaryFolder();
  const [target] = await someTargets(context, 1);
  const invocations = await startFunction(context);
  const file = join(folder, 'inventory.json');
  const write = (ingress: object[], limit: number) => {
    const inventory = {
      complete: true,
      vpcs: [{ id: 'vpc-1', cidr: '10.0.0.0/16' }],
      subnets: [
        { id: 'subnet-1', zone: 'us-east-1a', vpc: 'vpc-1', cidr: '10.0.1.0/24' },
        { id: 'subnet-2', zone: 'us-east-1b', vpc: 'vpc-1', cidr: '10.0.2.0/24' },
      ],
      securityGroups: [{ id: 'sg-1', vpc: 'vpc-1', ingress }],
      instances: [{ id: instanceId, address: '127.0.0.1', subnet: 'subnet-1' }],
      functions: { [functionArn]: invocations },
      limits: { default: { 'application-load-balancers': limit } },
    };
    writeFileSync(file, JSON.stringify(inventory));
  };
  write([{ fromPort: port, cidrs: ['127.0.0.0/8'] }], 2);
  mkdirSync(join(folder, 'bundles'));
  const authority = makeCertificate({ name: 'ca.test', isAuthority: true });
  writeFileSync(join(folder, 'bundles', 'ca.pem'), authority.certificate);
  const ballast = await running(context, ['--inventory', file, '--s3-folder', folder]);
  const client = ballast.client();

  const makeGroup = async (
    Name: string,
    TargetType: TargetTypeEnum,
    more: object,
    target: { Id: string; Port?: number },
  ) => {
    const made = await client.send(new CreateTargetGroupCommand({ Name, TargetType, ...more }));
    const { TargetGroupArn } = made.TargetGroups![0]!;
    await client.send(new RegisterTargetsCommand({ TargetGroupArn, Targets: [target] }));
    return TargetGroupArn!;
  };
  const http = {
    Protocol: 'HTTP',
    Port: 80,
    VpcId: 'vpc-1',
    HealthCheckPath: '/health',
    HealthCheckIntervalSeconds: 5,
  };
  const ofInstances = await makeGroup('instances', 'instance', http, { Id: instanceId, Port: target!.port });
  const ofFunctions = await makeGroup('functions', 'lambda', {}, { Id: functionArn });
  const make = (Name: string, more: object = {}) => {
    const input = { Name, Subnets: ['subnet-1', 'subnet-2'], SecurityGroups: ['sg-1'], ...more };
    return client.send(new CreateLoadBalancerCommand(input));
  };
  assert.equal((await rejection(make('web', { Subnets: ['subnet-1', 'subnet-3'] }))).name, 'SubnetNotFoundException');
  assert.equal((await rejection(make('web', { SecurityGroups: ['sg-2'] }))).name, 'InvalidSecurityGroupException');
  const [loadBalancer] = (await make('web')).LoadBalancers!;
  assert.equal(loadBalancer!.VpcId, 'vpc-1');
  for (const [index, TargetGroupArn] of [ofInstances, ofFunctions].entries()) {
    await client.send(
      new CreateListenerCommand({
        LoadBalancerArn: loadBalancer!.LoadBalancerArn,
        Protocol: 'HTTP',
        Port: port + index,
        DefaultActions: [{ Type: 'forward', TargetGroupArn }],
      }),
    );
  }
  await waitUntilTargetInService(waiting(client), { TargetGroupArn: ofInstances });
  const described = await client.send(new DescribeTargetHealthCommand({ TargetGroupArn: ofInstances }));
  assert.deepEqual(described.TargetHealthDescriptions![0]!.Target, { Id: instanceId, Port: target!.port });
  await inStep(ballast);
  const [host] = await resolver(ballast).resolve4(loadBalancer!.DNSName!);

  const instance = await send({ host: host!, port, path: '/' });
  assert.deepEqual([instance.status, instance.headers['x-target']], [200, target!.name]);
  // Only the first listener's port is let in; the file then says otherwise, and nobody has to be told. What is
  // connected stays, so everybody comes over a connection of their own.
  const asked = (at: number) =>
    send({ host: host!, port: at, path: '/hello', agent: new Agent() }).then(
      ({ status, headers }) => `${status} ${headers['x-target']}`,
      () => 'closed',
    );
  assert.equal(await asked(port + 1), 'closed');
  write([{ fromPort: port + 1, cidrs: ['127.0.0.0/8'] }], 1);
  await until(async () => (await asked(port)) === 'closed', 'the first port is closed');
  assert.equal(await asked(port + 1), '200 function');
  write([], 1);
  await until(async () => (await asked(port + 1)) === 'closed', 'everything is closed');
  write([{ fromPort: port + 1, cidrs: ['127.0.0.0/8'] }], 1);
  await until(async () => (await asked(port + 1)) !== 'closed', 'it is open again');
  const { revision } = await ballast.status();
  await ballastCommand('revert', `${revision}`, '--data', ballast.data);
  const followed = async () => (await ballast.status()).revision > revision + 1;
  await until(followed, 'the file counts, and not what was reverted');
  await inStep(ballast);
  assert.equal(await asked(port + 1), '200 function');
  // What cannot be understood changes nothing.
  writeFileSync(file, '{ "securityGroups": []');
  await until(() => ballast.output().includes('the inventory is left as it was'), 'it is said');
  assert.equal(await asked(port + 1), '200 function');
  assert.match(await ballast.metrics(), /^ballast_connections_blocked_total\{.*app\/web\/.*\} [1-9]\d*$/m);
  assert.equal((await rejection(make('second'))).name, 'TooManyLoadBalancersException');
  const { LoadBalancers } = await client.send(new DescribeLoadBalancersCommand({}));
  assert.deepEqual(
    LoadBalancers!.map(({ SecurityGroups }) => SecurityGroups),
    [['sg-1']],
  );

  const store = { Name: 'store', CaCertificatesBundleS3Bucket: 'bundles', CaCertificatesBundleS3Key: 'ca.pem' };
  const { TrustStores } = await client.send(new CreateTrustStoreCommand(store));
  const { TrustStoreArn } = TrustStores![0]!;
  const { Location } = await client.send(new GetTrustStoreCaCertificatesBundleCommand({ TrustStoreArn }));
  const downloaded = await fetch(Location!);
  assert.deepEqual([downloaded.status, await downloaded.text()], [200, authority.certificate]);
  assert.equal((await fetch(`${Location!.slice(0, -1)}x`)).status, 404);
});
