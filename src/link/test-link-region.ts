/** A control plane's end of the link over a real store, and small states to put into it. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { accept } from '#base/result.ts';
import { systemClock } from '#io/clock.ts';
import { silentLog } from '#io/log.ts';
import { sleep } from '#io/timers.ts';
import { beginning } from '#journal/chain.ts';
import { type Journal, openJournal } from '#journal/journal.ts';
import { openSqliteStore } from '#journal/sqlite-store.ts';
import type { StoreIdentity } from '#journal/store.ts';
import { admitAll } from '#journal/test-guard.ts';
import { testIdentity } from '#journal/test-identity.ts';
import type { AnomalyVerdict } from '#model/anomaly.ts';
import { type Change, put } from '#model/change.ts';
import type { Documents, RuleDocument } from '#model/documents.ts';
import { sampleLoadBalancer } from '#model/test-documents.ts';
import type { View } from '#model/view.ts';
import { LinkServer } from './server.ts';

const cause = { principal: '0/admin', channel: 'api', action: 'Test', requestId: 'r' } as const;
export const token = 'secret-token';

export async function until(condition: () => boolean, what: string): Promise<void> {
  for (let tries = 0; tries < 1_000; tries += 1) {
    if (condition()) return;
    await sleep(10);
  }
  assert.fail(`never: ${what}`);
}

/** A control plane's end of the link over a real store. */
export class Region {
  readonly journal: Journal;
  readonly link: LinkServer;
  readonly #server = createServer();
  port = 0;
  /** `FOLLOWER COUNT` of those that were told again what they had lost. */
  readonly healed: string[] = [];
  /** `FOLLOWER KIND ID` of what the state does not know. */
  readonly unknown: string[] = [];
  /** What each follower has said, in this order. */
  readonly anomalies: [follower: string, verdicts: readonly (readonly [string, AnomalyVerdict])[]][] = [];

  constructor(storePath: string, storeId: string, origin: StoreIdentity['origin'] = beginning) {
    const identity = { ...testIdentity, storeId, origin };
    this.journal = openJournal({
      store: openSqliteStore(storePath, identity),
      guard: admitAll,
      clock: systemClock,
      log: silentLog,
    });
    const { journal } = this;
    this.link = new LinkServer({
      source: {
        view: journal.view,
        storeId,
        get head() {
          return journal.head;
        },
        origin: journal.identity.origin.revision,
        hashAt: (revision) => journal.hashAt(revision),
        isLost: (revision) => journal.isLost(revision),
        transactionsFrom: (revision) => journal.transactionsFrom(revision),
        removalOf: (kind, id) => journal.removalOf(kind, id),
        follow: (follower) => journal.follow(follower),
      },
      token,
      clock: systemClock,
      log: silentLog,
      events: {
        admit: async () => ({}),
        serving: () => {},
        health: () => {},
        anomalies: (id, verdicts) => void this.anomalies.push([id, verdicts]),
        held: () => {},
        diverged: () => {},
        healed: (id, count) => void this.healed.push(`${id} ${count}`),
        knowsMore: (id, held) => void this.unknown.push(...held.map((each) => `${id} ${each.kind} ${each.id}`)),
        gone: () => {},
      },
    });
    this.#server.on('upgrade', (request, socket, head) => this.link.upgrade(request, socket, head));
  }

  listen(port = 0): Promise<void> {
    return new Promise((resolve) => {
      this.#server.listen(port, '127.0.0.1', () => {
        this.port = (this.#server.address() as AddressInfo).port;
        resolve();
      });
    });
  }

  async write(decide: (view: View) => Change[]): Promise<void> {
    const result = await this.journal.transact(cause, (view) => accept({ changes: decide(view), output: undefined }));
    assert(result.ok);
  }

  async close(): Promise<void> {
    this.link.close();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    await this.journal.close();
  }
}

export const target = (targetGroupId: string): Documents['target'] => ({
  targetGroupId,
  address: '127.0.0.1',
  port: 1,
  state: { kind: 'registered', sinceMs: 0 },
});

/** A load balancer on a node, with a listener whose rule forwards to the group. */
export function placed(view: View, id: string, nodeId: string, targetGroupId: string): Change[] {
  return [
    put(view, 'load-balancer', id, { ...sampleLoadBalancer, name: id }),
    put(view, 'placement', `${id}/${nodeId}`, {
      loadBalancerId: id,
      nodeId,
      zone: 'a',
      address: '127.80.0.1',
      state: { kind: 'pending' },
    }),
    put(view, 'listener', `${id}-listener`, {
      loadBalancerId: id,
      protocol: 'HTTP',
      port: 80,
      createdAtMs: 0,
      tags: [],
    }),
    put(view, 'rule', `${id}-rule`, defaultRule(`${id}-listener`, targetGroupId)),
  ];
}

export function defaultRule(listenerId: string, targetGroupId: string): RuleDocument {
  const actions = [{ kind: 'forward', groups: [{ targetGroupId, weight: 1 }] } as const];
  return { listenerId, priority: 'default', conditions: [], actions, transforms: [], tags: [] };
}
