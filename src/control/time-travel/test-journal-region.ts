/** A region for tests of going back: real operations, decided through a real journal on a real file. */

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { accept } from '#base/result.ts';
import { elbv2Operations } from '#control/elbv2/operations.ts';
import { testSettings } from '#control/elbv2/test-region.ts';
import { defaultLimits } from '#control/limits.ts';
import { unknownNetwork } from '#control/network.ts';
import { removeDrained } from '#control/workflows/draining.ts';
import { admitNode, placeUnplaced } from '#control/workflows/placement.ts';
import { recordServing } from '#control/workflows/serving.ts';
import { testGuard } from '#guard/test-gate.ts';
import { silentLog } from '#io/log.ts';
import { type Journal, openJournal } from '#journal/journal.ts';
import { openSqliteStore } from '#journal/sqlite-store.ts';
import { testIdentity } from '#journal/test-identity.ts';
import type { Cause, Change, Channel } from '#model/change.ts';
import { type Documents, type Kind, kinds } from '#model/documents.ts';
import type { Conflict, PlanLine, PlanResult, ResourceChange } from '#model/history.ts';
import type { View } from '#model/view.ts';
import type { PlanAnswer, TimeTravel } from './carry-out.ts';

export interface Told {
  readonly changes: readonly ResourceChange[];
  readonly conflicts: readonly Conflict[];
  readonly result: PlanResult;
}

export class JournalRegion {
  readonly journal: Journal;
  readonly travel: TimeTravel;
  readonly folder: string;
  /** In their order, the journal last. */
  readonly closing: (() => Promise<void>)[] = [() => this.journal.close()];
  account = '111111111111';
  /** The name of who calls. */
  caller = 'ada';
  nowMs = 1_000_000;
  #idsCount = 0;

  constructor(context: Pick<TestContext, 'after'>) {
    const folder = mkdtempSync(join(tmpdir(), 'ballast-time-travel-'));
    this.folder = folder;
    const store = openSqliteStore(join(folder, 'journal.db'), testIdentity);
    const clock = { wallMs: () => this.nowMs, monotonicMs: () => performance.now() };
    this.journal = openJournal({ store, guard: testGuard(), clock, log: silentLog });
    this.travel = {
      journal: this.journal,
      region: testSettings.region,
      holdAddressesMs: testSettings.holdAddressesMs,
      newRequestId: () => 'request-1',
      nowMs: () => this.nowMs,
    };
    context.after(async () => {
      await this.close();
      rmSync(folder, { recursive: true, force: true });
    });
  }

  /** Closes the journal, once. */
  async close(): Promise<void> {
    for (const close of this.closing.splice(0)) await close();
  }

  get view(): View {
    return this.journal.view;
  }

  get revision(): number {
    return this.journal.head.revision;
  }

  /** The output of a call that must be accepted. */
  async call<Output>(action: string, input: object): Promise<Output> {
    const operation = elbv2Operations[action]!;
    assert(operation.kind === 'write');
    const cause: Cause = {
      principal: `${this.account}/${this.caller}`,
      channel: 'api',
      action,
      requestId: 'request-1',
    };
    const result = await this.journal.transact(cause, (view) => operation.decide(view, input, this.#context()));
    assert(result.ok, result.ok ? '' : result.fault.message);
    return result.value.output as Output;
  }

  async step(decide: (view: View) => readonly Change[], channel: Channel = 'workflow'): Promise<void> {
    const cause = { principal: 'ballast', channel, action: 'Test', requestId: 'request-1' };
    const result = await this.journal.transact(cause, (view) => accept({ changes: decide(view), output: 0 }));
    assert(result.ok, result.ok ? '' : result.fault.message);
  }

  /** Takes a node in, and lets it serve what is placed on it. */
  async admit(nodeId: string, zone = testSettings.zones[0]!, prefix = '127.81.0.0/24'): Promise<void> {
    await this.step((view) => admitNode(view, { nodeId, zone, prefix }));
    await this.step((view) =>
      placeUnplaced(view, { nowMs: this.nowMs, holdAddressesMs: testSettings.holdAddressesMs }),
    );
    await this.serve(nodeId);
  }

  /** The node reports that everything placed on it serves. */
  async serve(nodeId: string): Promise<void> {
    await this.step((view) =>
      recordServing(view, {
        nodeId,
        reports: [...view.find('placementsOfNode', nodeId)].map(({ document }) => ({
          loadBalancerId: document.loadBalancerId,
        })),
        nowMs: this.nowMs,
      }),
    );
  }

  /** Time passes, and what has drained goes. */
  async drain(): Promise<void> {
    this.nowMs += 1_000_000;
    await this.step((view) => removeDrained(view, this.nowMs));
  }

  async loadBalancer(Name: string): Promise<string> {
    const output = await this.call<{ LoadBalancers: { LoadBalancerArn: string }[] }>('CreateLoadBalancer', { Name });
    return output.LoadBalancers[0]!.LoadBalancerArn;
  }

  async targetGroup(Name: string): Promise<string> {
    const input = { Name, Protocol: 'HTTP', Port: 8080, VpcId: 'vpc-test', TargetType: 'ip' };
    const output = await this.call<{ TargetGroups: { TargetGroupArn: string }[] }>('CreateTargetGroup', input);
    return output.TargetGroups[0]!.TargetGroupArn;
  }

  async listener(LoadBalancerArn: string, TargetGroupArn: string, Port = 80): Promise<string> {
    const DefaultActions = [{ Type: 'forward', TargetGroupArn }];
    const input = { LoadBalancerArn, Protocol: 'HTTP', Port, DefaultActions };
    const output = await this.call<{ Listeners: { ListenerArn: string }[] }>('CreateListener', input);
    return output.Listeners[0]!.ListenerArn;
  }

  async register(TargetGroupArn: string, ...ids: readonly string[]): Promise<void> {
    await this.call('RegisterTargets', { TargetGroupArn, Targets: ids.map((Id) => ({ Id })) });
  }

  async deregister(TargetGroupArn: string, ...ids: readonly string[]): Promise<void> {
    await this.call('DeregisterTargets', { TargetGroupArn, Targets: ids.map((Id) => ({ Id })) });
  }

  /** All documents by `KIND/ID`; what nodes observe of placements is left out. */
  state(): Record<string, Documents[Kind]> {
    const state: Record<string, Documents[Kind]> = {};
    for (const kind of kinds) {
      for (const { id, document } of this.view.all(kind)) state[`${kind}/${id}`] = settled(kind, document);
    }
    return state;
  }

  #context() {
    return {
      settings: testSettings,
      account: this.account,
      principal: `${this.account}/${this.caller}`,
      nowMs: this.nowMs,
      newId: () => {
        this.#idsCount += 1;
        return this.#idsCount.toString(16).padStart(16, '0');
      },
      seal: (secret: string) => secret,
      network: unknownNetwork,
      limits: { ...defaultLimits, 'application-load-balancers': 100_000 },
      download: () => '',
      health: () => undefined,
      anomaly: undefined,
    };
  }
}

/** The document without what nodes observe of it. */
export function settled(kind: Kind, document: Documents[Kind]): Documents[Kind] {
  return kind === 'placement' ? { ...(document as Documents['placement']), state: { kind: 'pending' } } : document;
}

/** What was answered, which must be no refusal. */
export async function told(answer: Promise<PlanAnswer>): Promise<Told> {
  const result = await answer;
  assert(result.ok, result.ok ? '' : result.fault.error);
  const lines: readonly PlanLine[] = [...result.value];
  const last = lines.at(-1);
  assert(last?.type === 'plan', 'the last line is the result');
  return {
    changes: lines.filter((line) => line.type === 'change'),
    conflicts: lines.filter((line) => line.type === 'conflict'),
    result: last,
  };
}

export async function refused(answer: Promise<PlanAnswer>, status: number): Promise<string> {
  const result = await answer;
  assert(!result.ok, 'it is refused');
  assert.equal(result.fault.status, status, result.fault.error);
  return result.fault.error;
}
