/**
 * A region for tests: real tables, to which every decided change is applied as the journal would apply it. Documents
 * are frozen, so a decision that writes into what it was given fails at once.
 */
import assert from 'node:assert/strict';
import { type AccountLimits, defaultLimits } from '#control/limits.ts';
import { type Network, unknownNetwork } from '#control/network.ts';
import type { Answer, Operation, OperationContext, RegionSettings } from '#control/operation.ts';
import { admitNode, placeUnplaced } from '#control/workflows/placement.ts';
import { recordServing, type ServingReport } from '#control/workflows/serving.ts';
import { Tables } from '#journal/tables.ts';
import { type AnomalyVerdict, noAnomaly } from '#model/anomaly.ts';
import type { Change } from '#model/change.ts';
import type { Entry } from '#model/documents.ts';
import type { FaultCode } from '#model/fault.ts';
import type { HealthVerdict } from '#model/health.ts';
import { createListener } from './create-listener.ts';
import { createLoadBalancer } from './create-load-balancer.ts';
import { createTargetGroup } from './create-target-group.ts';

export const testSettings: RegionSettings = {
  region: 'eu-test-1',
  zones: ['eu-test-1a', 'eu-test-1b', 'eu-test-1c'],
  defaultSubnets: [
    { id: 'subnet-a', zone: 'eu-test-1a' },
    { id: 'subnet-b', zone: 'eu-test-1b' },
    { id: 'subnet-c', zone: 'eu-test-1c' },
  ],
  vpcId: 'vpc-test',
  domain: 'ballast.test',
  holdAddressesMs: 3_600_000,
};

export class TestRegion {
  readonly tables = new Tables();
  readonly health = new Map<string, HealthVerdict>();
  readonly anomalies = new Map<string, AnomalyVerdict>();
  account = '111111111111';
  network: Network = unknownNetwork;
  limits: AccountLimits = defaultLimits;
  /** What the next call gathers. */
  objects: readonly Uint8Array[] | undefined;
  nowMs = 1_000_000;
  #idsCount = 0;

  /** Decides and applies, as the control plane does. */
  call<Input, Output>(operation: Operation<Input, Output>, input: Input): Answer<Output> {
    const context = this.context();
    if (operation.kind === 'read') return operation.answer(this.tables, input, context);
    const decision = operation.decide(this.tables, input, context);
    if (!decision.ok) return decision;
    this.apply(decision.value.changes);
    return { ok: true, value: decision.value.output };
  }

  /** The output of a call that must be accepted. */
  accepted<Input, Output>(operation: Operation<Input, Output>, input: Input): Output {
    const answer = this.call(operation, input);
    assert(answer.ok, answer.ok ? '' : `${answer.fault.code}: ${answer.fault.message}`);
    return answer.value;
  }

  /** The message of a call that must be refused with the code, and must leave everything as it is. */
  refused<Input, Output>(operation: Operation<Input, Output>, input: Input, code: FaultCode): string {
    const before = this.tables.revision;
    const answer = this.call(operation, input);
    assert(!answer.ok, 'the call is refused');
    assert.equal(answer.fault.code, code, answer.fault.message);
    assert.equal(this.tables.revision, before);
    return answer.fault.message;
  }

  /** Runs what must change nothing, and gives back what it returned. */
  unchanged<Value>(run: () => Value): Value {
    const before = this.tables.revision;
    const value = run();
    assert.equal(this.tables.revision, before, 'nothing changes');
    return value;
  }

  apply(changes: readonly Change[]): void {
    if (changes.length === 0) return;
    assert.equal(
      new Set(changes.map(({ kind, id }) => `${kind} ${id}`)).size,
      changes.length,
      'one change for each key',
    );
    for (const { after } of changes) freeze(after);
    this.tables.apply(this.tables.revision + 1, changes, this.nowMs);
  }

  context(): OperationContext {
    return {
      settings: testSettings,
      account: this.account,
      principal: `${this.account}/admin`,
      nowMs: this.nowMs,
      newId: () => {
        this.#idsCount += 1;
        return this.#idsCount.toString(16).padStart(16, '0');
      },
      seal: (secret, id) => `sealed ${secret.length} for ${id}`,
      network: this.network,
      limits: this.limits,
      download: (text) => `http://127.0.0.1/${text.length}`,
      ...(this.objects !== undefined && { objects: this.objects }),
      health: (key) => this.health.get(key),
      anomaly: (key) => this.anomalies.get(key) ?? noAnomaly,
    };
  }

  admit(nodeId: string, zone: string, prefix: string): void {
    this.apply(admitNode(this.tables, { nodeId, zone, prefix }));
    this.apply(placeUnplaced(this.tables, { nowMs: this.nowMs, holdAddressesMs: testSettings.holdAddressesMs }));
  }

  report(nodeId: string, ...reports: readonly ServingReport[]): void {
    this.apply(recordServing(this.tables, { nodeId, reports, nowMs: this.nowMs }));
  }

  /** All addresses that are given out. */
  placements(): readonly Entry<'placement'>[] {
    return [...this.tables.all('placement')];
  }

  loadBalancer(name: string): string {
    return this.accepted(createLoadBalancer, { Name: name }).LoadBalancers![0]!.LoadBalancerArn!;
  }

  targetGroup(name: string, port = 8080): string {
    const input = { Name: name, Protocol: 'HTTP', Port: port, VpcId: 'vpc-test', TargetType: 'ip' };
    return this.accepted(createTargetGroup, input).TargetGroups![0]!.TargetGroupArn!;
  }

  listener(loadBalancerArn: string, targetGroupArn: string, port = 80): string {
    const input = {
      LoadBalancerArn: loadBalancerArn,
      Protocol: 'HTTP',
      Port: port,
      DefaultActions: [{ Type: 'forward', TargetGroupArn: targetGroupArn }],
    };
    return this.accepted(createListener, input).Listeners![0]!.ListenerArn!;
  }
}

/** The id in an ARN, by which its document stands. */
export function idOf(arn: string): string {
  return arn.slice(arn.lastIndexOf('/') + 1);
}

function freeze(value: unknown): void {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return;
  Object.freeze(value);
  for (const member of Object.values(value)) freeze(member);
}
