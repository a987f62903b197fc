/** A load balancer in service, made with the official client, and how tests look at it. */
import { Resolver } from 'node:dns/promises';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import {
  CreateListenerCommand,
  CreateLoadBalancerCommand,
  CreateTargetGroupCommand,
  DescribeTargetHealthCommand,
  type ElasticLoadBalancingV2Client,
  RegisterTargetsCommand,
  waitUntilLoadBalancerAvailable,
  waitUntilTargetInService,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import type { Incident } from '#model/incident.ts';
import { type RunningBallast, startBallast, until } from './running-ballast.ts';
import { type Load, send, startTarget, type Target } from './traffic.ts';

export const port = 8080;
export const subnets = ['subnet-0000000a', 'subnet-0000000b'];
export const waiting = (client: ElasticLoadBalancingV2Client) => ({
  client,
  maxWaitTime: 60,
  minDelay: 1,
  maxDelay: 1,
});

const ending = new WeakMap<TestContext, Set<RunningBallast>>();

/** Stopped at the end of the test, and their folders removed once all are: whoever serves needs its folder. */
export function endWith(context: TestContext, ballast: RunningBallast): void {
  const known = ending.get(context);
  if (known !== undefined) return void known.add(ballast);
  const all = new Set([ballast]);
  ending.set(context, all);
  context.after(async () => {
    await Promise.all([...all].map((each) => each.stop()));
    for (const { data } of all) rmSync(data, { recursive: true, force: true });
  });
}

/** What the sentinel has written down, the oldest first. */
export function incidentsOf({ data }: RunningBallast): Incident[] {
  const folder = join(data, 'incidents');
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder).filter((name) => name.endsWith('.json'));
  return names.sort().map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as Incident);
}

/** Everything that was answered is in the vault. */
export async function inVault(ballast: RunningBallast): Promise<void> {
  await until(async () => /^ballast_vault_lag_revisions 0$/m.test(await ballast.metrics()), 'the vault is in step');
}

export async function running(context: TestContext, flags: readonly string[] = []): Promise<RunningBallast> {
  const ballast = await startBallast({ flags });
  endWith(context, ballast);
  return ballast;
}

export interface Service {
  readonly loadBalancerArn: string;
  readonly targetGroupArn: string;
  readonly dnsName: string;
  readonly addresses: readonly string[];
}

/** A load balancer with a listener and these targets in service. */
export async function makeService(ballast: RunningBallast, name: string, targets: readonly Target[]): Promise<Service> {
  const client = ballast.client();
  const group = await client.send(
    new CreateTargetGroupCommand({
      Name: `${name}-targets`,
      Protocol: 'HTTP',
      Port: 80,
      VpcId: 'vpc-00000001',
      TargetType: 'ip',
      HealthCheckPath: '/health',
      HealthCheckIntervalSeconds: 5,
      HealthCheckTimeoutSeconds: 2,
      UnhealthyThresholdCount: 2,
    }),
  );
  const targetGroupArn = group.TargetGroups![0]!.TargetGroupArn!;
  await client.send(
    new RegisterTargetsCommand({
      TargetGroupArn: targetGroupArn,
      Targets: targets.map(({ port: Port }) => ({ Id: '127.0.0.1', Port })),
    }),
  );
  const made = await client.send(
    new CreateLoadBalancerCommand({ Name: name, Subnets: subnets, Tags: [{ Key: 'team', Value: 'video' }] }),
  );
  const loadBalancer = made.LoadBalancers![0]!;
  const loadBalancerArn = loadBalancer.LoadBalancerArn!;
  await client.send(
    new CreateListenerCommand({
      LoadBalancerArn: loadBalancerArn,
      Protocol: 'HTTP',
      Port: port,
      DefaultActions: [{ Type: 'forward', TargetGroupArn: targetGroupArn }],
    }),
  );
  await waitUntilLoadBalancerAvailable(waiting(client), { LoadBalancerArns: [loadBalancerArn] });
  await waitUntilTargetInService(waiting(client), { TargetGroupArn: targetGroupArn });
  await inStep(ballast);
  const dnsName = loadBalancer.DNSName!;
  const addresses = await resolver(ballast).resolve4(dnsName);
  return { loadBalancerArn, targetGroupArn, dnsName, addresses };
}

export function resolver(ballast: RunningBallast): Resolver {
  const found = new Resolver();
  found.setServers([ballast.report.dnsServer]);
  return found;
}

export async function someTargets(context: TestContext, count: number): Promise<Target[]> {
  const targets = await Promise.all(Array.from({ length: count }, (_, index) => startTarget(`target-${index + 1}`)));
  context.after(() => Promise.all(targets.map((target) => target.stop())));
  return targets;
}

export async function health(client: ElasticLoadBalancingV2Client, targetGroupArn: string, of: Target) {
  const described = await client.send(new DescribeTargetHealthCommand({ TargetGroupArn: targetGroupArn }));
  return described.TargetHealthDescriptions!.find(({ Target: target }) => target!.Port === of.port)?.TargetHealth;
}

/** What was answered until now is in service on every node. */
export async function inStep(ballast: RunningBallast): Promise<void> {
  const { revision } = await ballast.status();
  await until(
    async () => (await ballast.status()).nodes.every((node) => node.revision >= revision),
    'the nodes are in step',
  );
}

export const progressed = (load: Load, by: number) => {
  const goal = load.answered + by;
  return until(() => load.answered >= goal, `${by} more answers`);
};

export async function answers(call: () => Promise<unknown>): Promise<boolean> {
  return call().then(
    () => true,
    () => false,
  );
}

export function isGone(pid: number): boolean {
  try {
    return !process.kill(pid, 0);
  } catch {
    return true;
  }
}

export async function refuses(host: string): Promise<boolean> {
  return send({ host, port }).then(
    () => false,
    (error: NodeJS.ErrnoException) => error.code === 'ECONNREFUSED',
  );
}
