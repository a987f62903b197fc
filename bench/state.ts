/**
 * The state that benchmarks work on: load balancers that serve, each with all that belongs to it, written through the
 * real journal into the real store.
 */
import { accept } from '#base/result.ts';
import { testGuard } from '#guard/test-gate.ts';
import { systemClock } from '#io/clock.ts';
import { silentLog } from '#io/log.ts';
import { beginning } from '#journal/chain.ts';
import { type Journal, openJournal } from '#journal/journal.ts';
import { openSqliteStore } from '#journal/sqlite-store.ts';
import { formatAddress, parseAddress } from '#model/address.ts';
import { formatArn } from '#model/arn.ts';
import { type Cause, type Change, put } from '#model/change.ts';
import type { Documents, HexId } from '#model/documents.ts';
import { targetKey } from '#model/keys.ts';
import type { View } from '#model/view.ts';

export const benchAccount = '000000000000';
export const benchEnvironment = 'bench';
export const benchRegion = 'us-east-1';
const cause: Cause = { principal: `${benchAccount}/admin`, channel: 'api', action: 'Bench', requestId: '' };
const port = 8_000;
/** A time as large as real ones: small numbers take less memory. */
const registeredAtMs = Date.UTC(2026, 10, 1);

/** Opens the journal at the path, and makes it when it is not there. Its guard admits everything. */
export function openBenchJournal(path: string): Journal {
  const identity = {
    storeId: 'bench',
    environment: benchEnvironment,
    region: benchRegion,
    createdAtMs: 0,
    origin: beginning,
  };
  const store = openSqliteStore(path, identity);
  return openJournal({ store, guard: testGuard({ isOff: true }), clock: systemClock, log: silentLog });
}

/** Commits what is decided as one transaction. */
export async function change(journal: Journal, decide: (view: View) => readonly Change[]): Promise<void> {
  const result = await journal.transact(cause, (view) => accept({ changes: decide(view), output: undefined }));
  if (!result.ok) throw new Error(result.fault.message);
}

/** The node that every load balancer is placed on. */
export function node(view: View): Change {
  return put(view, 'node', 'node-1', { zone: 'us-east-1a', prefix: '127.80.0.0/12' });
}

/** A load balancer that serves, and everything that belongs to it. */
export function bundle(view: View, number: number, targetsCount: number): Change[] {
  const [loadBalancer, listener, rule, group] = [id('a', number), id('b', number), id('c', number), id('d', number)];
  const account = benchAccount;
  return [
    put(view, 'load-balancer', loadBalancer, {
      account,
      name: `lb-${number}`,
      type: 'application',
      scheme: 'internet-facing',
      ipAddressType: 'ipv4',
      vpcId: 'vpc-00000001',
      zones: [
        { zone: 'us-east-1a', subnetId: 'subnet-0000000a' },
        { zone: 'us-east-1b', subnetId: 'subnet-0000000b' },
      ],
      securityGroups: [],
      dnsName: `lb-${number}-${loadBalancer}.us-east-1.elb.ballast.internal`,
      createdAtMs: 1,
      attributes: {},
      tags: [{ key: 'team', value: 'video' }],
    }),
    put(view, 'placement', `${loadBalancer}/node-1`, {
      loadBalancerId: loadBalancer,
      nodeId: 'node-1',
      zone: 'us-east-1a',
      address: addressOf('127.80.0.0', number),
      state: { kind: 'serving', sinceMs: 1 },
    }),
    put(view, 'target-group', group, {
      account,
      name: `tg-${number}`,
      targetType: 'ip',
      protocol: 'HTTP',
      protocolVersion: 'HTTP1',
      ipAddressType: 'ipv4',
      port: 80,
      vpcId: 'vpc-00000001',
      healthCheck: {
        enabled: true,
        protocol: 'HTTP',
        port: 'traffic-port',
        path: '/',
        intervalSeconds: 30,
        timeoutSeconds: 5,
        healthyThresholdCount: 5,
        unhealthyThresholdCount: 2,
        matcher: '200',
      },
      createdAtMs: 1,
      attributes: {},
      tags: [],
    }),
    put(view, 'listener', listener, {
      loadBalancerId: loadBalancer,
      protocol: 'HTTP',
      port: 80,
      createdAtMs: 1,
      tags: [],
    }),
    put(view, 'rule', rule, {
      listenerId: listener,
      priority: 'default',
      conditions: [],
      transforms: [],
      actions: [{ kind: 'forward', groups: [{ targetGroupId: group, weight: 1 }] }],
      tags: [],
    }),
    ...Array.from({ length: targetsCount }, (_, index) => {
      const address = addressOf('10.0.0.0', number * targetsCount + index);
      return put(
        view,
        'target',
        targetKey({ targetGroupId: group, address, port }),
        target(group, address, port, registeredAtMs),
      );
    }),
  ];
}

export function target(targetGroupId: string, address: string, port: number, sinceMs: number): Documents['target'] {
  return { targetGroupId, address, port, state: { kind: 'registered', sinceMs } };
}

/** Begins with a for the load balancer `number`, with b for its listener, c for its rule and d for its group. */
export function id(letter: 'a' | 'b' | 'c' | 'd', number: number): HexId {
  return letter + number.toString(16).padStart(15, '0');
}

/** The ARN of the group that the load balancer `number` forwards to. */
export function targetGroupArn(number: number): string {
  const name = `tg-${number}`;
  return formatArn({ kind: 'target-group', region: benchRegion, account: benchAccount, name, id: id('d', number) });
}

/** The address so far behind the first. */
export function addressOf(first: string, number: number): string {
  return formatAddress(parseAddress(first)! + number);
}
