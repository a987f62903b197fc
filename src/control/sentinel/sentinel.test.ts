import assert from 'node:assert/strict';
import { mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { accept, refuse } from '#base/result.ts';
import { testGate } from '#guard/test-gate.ts';
import { systemClock } from '#io/clock.ts';
import { silentLog } from '#io/log.ts';
import { systemRandom } from '#io/random.ts';
import { type Journal, openJournal } from '#journal/journal.ts';
import { openSqliteStore } from '#journal/sqlite-store.ts';
import { testIdentity } from '#journal/test-identity.ts';
import { type Cause, type Change, put, remove } from '#model/change.ts';
import type { Incident } from '#model/incident.ts';
import { sampleLoadBalancer } from '#model/test-documents.ts';
import type { View } from '#model/view.ts';
import { Alarm, type Traffic } from './alarm.ts';
import { IncidentBook } from './incident-book.ts';
import { Incidents } from './incidents.ts';
import type { StoreMender } from './mender.ts';
import { Sentinel } from './sentinel.ts';

const nothingToMend: StoreMender = {
  findLost: async function* () {},
  mend: async () => refuse('there is nothing to mend with'),
};

/** A journal whose guard lets everything through but what is protected, and the sentinel that watches it. */
class Watched {
  readonly journal: Journal;
  readonly book: IncidentBook;
  readonly alarm: Alarm;
  readonly sentinel: Sentinel;
  readonly incidents: Incidents;
  readonly told: Record<string, unknown>[] = [];
  traffic = new Map<string, Traffic>();

  constructor(context: TestContext, { mender = nothingToMend, folder = newFolder(context) } = {}) {
    const gate = testGate({
      isOff: false,
      protection: (id) => this.alarm.protection(id),
      hasProtected: () => this.alarm.hasProtected,
    });
    const off = testGate({ isOff: true });
    this.journal = openJournal({
      store: openSqliteStore(join(folder, 'journal.db'), testIdentity),
      // Damage is planted as a broken guard would let it through; what is protected is asked of the real one.
      guard: (view, changes, cause, moment) =>
        (cause.action === 'Plant' ? off : gate).judge(view, changes, cause, moment),
      clock: systemClock,
      log: silentLog,
    });
    const { journal } = this;
    this.book = new IncidentBook({ folder: join(folder, 'incidents'), log: silentLog });
    this.alarm = new Alarm({
      journal,
      book: this.book,
      environment: 'test',
      region: 'us-east-1',
      traffic: async () => this.traffic,
      webhook: { tell: async (message) => void this.told.push(message as Record<string, unknown>) },
      clock: systemClock,
      random: systemRandom,
      log: silentLog,
    });
    this.sentinel = new Sentinel({
      journal,
      mender,
      book: this.book,
      alarm: this.alarm,
      storePaths: [],
      verifyNow: () => {},
      clock: systemClock,
      log: silentLog,
    });
    this.incidents = new Incidents({ journal, book: this.book, alarm: this.alarm, nowMs: systemClock.wallMs });
    context.after(async () => {
      this.sentinel.close();
      await journal.close();
    });
  }

  async change(decide: (view: View) => readonly Change[], cause: Partial<Cause> = {}): Promise<string | number> {
    const by: Cause = { principal: 'someone', channel: 'api', action: 'Plant', requestId: 'r-1', ...cause };
    const result = await this.journal.transact(by, (view) => accept({ changes: decide(view), output: undefined }));
    return result.ok ? (result.value.transaction?.revision ?? 0) : `${result.fault.code}: ${result.fault.message}`;
  }

  /** Load balancers that serve. */
  make(...names: readonly string[]): Promise<string | number> {
    return this.change((view) => [
      put(view, 'node', 'node-1', { zone: 'a', prefix: '127.80.0.0/16' }),
      ...names.flatMap((id) => serving(view, id)),
    ]);
  }

  /** The incidents, once there are as many. */
  async found(count: number): Promise<readonly Incident[]> {
    for (let tries = 0; tries < 500 && this.book.all.length < count; tries += 1) await sleep(10);
    assert.equal(this.book.all.length, count);
    return this.book.all;
  }
}

function newFolder(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'ballast-sentinel-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const listener = (loadBalancerId: string) =>
  ({ loadBalancerId, protocol: 'HTTP', port: 80, createdAtMs: 0, tags: [] }) as const;
const serving = (view: View, id: string): Change[] => [
  put(view, 'load-balancer', id, { ...sampleLoadBalancer, name: id, dnsName: id }),
  put(view, 'listener', `${id}-l`, listener(id)),
  put(view, 'rule', `${id}-r`, {
    listenerId: `${id}-l`,
    priority: 'default',
    conditions: [],
    actions: [{ kind: 'fixed-response', statusCode: 200 }],
    transforms: [],
    tags: [],
  }),
  put(view, 'placement', `${id}/node-1`, {
    loadBalancerId: id,
    nodeId: 'node-1',
    zone: 'a',
    address: `127.80.${id}`,
    state: { kind: 'serving', sinceMs: 0 },
  }),
];
const ids = (count: number) => Array.from({ length: count }, (_, index) => `lb${index}`);
const gone = (view: View, id: string) => [
  remove(view, 'rule', `${id}-r`),
  remove(view, 'listener', `${id}-l`),
  remove(view, 'placement', `${id}/node-1`),
  remove(view, 'load-balancer', id),
];

test('sentinel: a reference to nowhere is found, its load balancer protected, and everything else goes on', async (context) => {
  const watched = new Watched(context);
  watched.traffic.set('lb1', { requests: 100, failedRequests: 2 });
  await watched.make('lb1', 'lb2');
  const planted = await watched.change((view) => [remove(view, 'rule', 'lb1-r')]);
  const [incident] = await watched.found(1);
  assert.match(
    incident!.title,
    new RegExp(`revision ${planted} \\(Plant of someone\\) left listener lb1-l without a default rule`),
  );
  assert.deepEqual(
    incident!.affected.map(({ name }) => name),
    ['lb1'],
  );
  assert.deepEqual(incident!.open, [
    `look at it with: ballast show ${planted}`,
    `undo it with: ballast revert ${planted}`,
  ]);
  const touch = (id: string, cause: Partial<Cause>) =>
    watched.change((view) => [put(view, 'listener', `${id}-l`, { ...listener(id), port: 81 })], {
      action: 'Touch',
      ...cause,
    });
  for (const channel of ['api', 'workflow'] as const) {
    const refused = await touch('lb1', { channel });
    assert.match(
      String(refused),
      new RegExp(`^ServiceUnavailable: load balancer lb1 is protected since .*, incident ${incident!.id}: `),
    );
    assert.equal(typeof (await touch('lb2', { channel })), 'number');
  }
  // An operator takes it back, and says that it is over.
  watched.traffic = new Map([['lb1', { requests: 150, failedRequests: 2 }]]);
  const put1 = (view: View) => [serving(view, 'lb1')[2]!];
  assert.equal(typeof (await watched.change(put1, { channel: 'restore', action: 'Revert' })), 'number');
  const closed = await watched.incidents.close('operator/eve', { id: incident!.id });
  assert(closed.ok && closed.value.state === 'closed');
  assert.deepEqual(
    closed.value.affected.map(({ requests, failedRequests }) => [requests, failedRequests]),
    [[50, 0]],
  );
  assert.equal(typeof (await touch('lb1', {})), 'number');
  assert.deepEqual(
    watched.told.map(({ type, state }) => [type, state]),
    [
      ['alarm', undefined],
      ['incident', 'closed'],
    ],
  );
});

test('sentinel: what is referred to and goes leaves a reference to nowhere, too', async (context) => {
  const watched = new Watched(context);
  await watched.make('lb1');
  await watched.change((view) => [remove(view, 'load-balancer', 'lb1')]);
  const [incident] = await watched.found(1);
  assert.match(incident!.title, /left listener lb1-l, which refers to load-balancer lb1 that is gone/);
});

test('sentinel: a sudden drop is an alarm, at once or little by little, unless it was approved', async (context) => {
  const watched = new Watched(context);
  await watched.make(...ids(100));
  const approved = { certificates: [] };
  await watched.change((view) => ids(20).flatMap((id) => gone(view, id)), approved);
  await watched.change((view) =>
    ids(28)
      .slice(20)
      .flatMap((id) => gone(view, id)),
  );
  assert.deepEqual(watched.book.all, []);
  const revision = await watched.change((view) =>
    ids(40)
      .slice(28)
      .flatMap((id) => gone(view, id)),
  );
  const [incident] = await watched.found(1);
  assert.match(
    incident!.title,
    /removed 20 rules, 20 listeners, 20 placements, 20 load balancers within a minute, and nobody/,
  );
  assert.equal(incident!.affected.length, 20);
  assert(incident!.open.at(-1)!.endsWith(`..${revision}`));

  const little = new Watched(context);
  await little.make(...ids(100));
  for (const id of ids(50)) await little.change((view) => gone(view, id));
  const [slow] = await little.found(1);
  assert.match(slow!.title, /40 load balancers within a minute/);
});

test('sentinel: nodes that hold back, know more or follow another history are said once', async (context) => {
  const watched = new Watched(context);
  await watched.make('lb1');
  const { sentinel } = watched;
  for (let times = 0; times < 3; times += 1) {
    sentinel.nodeHolds('node-1', { revision: 7, reason: 'maintenance Clean is held', harmed: ['lb1'] });
    sentinel.nodeHolds('node-2', { revision: 7, reason: 'maintenance Clean is held', harmed: ['lb1'] });
    sentinel.nodeKnowsMore('node-1', [{ kind: 'load-balancer', id: 'lb9' }]);
    sentinel.nodeDiverged('node-2', 'it is at revision 90, this store ends at 3');
  }
  const all = await watched.found(3);
  assert.deepEqual(
    all.map(({ title }) => title),
    [
      'node-1 holds back revision 7 and serves on: maintenance Clean is held',
      'node-1 works with 1 documents that the state does not know and never removed: load-balancer lb9',
      'node-2 holds another history than the state store and goes on serving what it has: it is at revision 90, this store ends at 3',
    ],
  );
  assert(all.every(({ open }) => open.length > 0) && sentinel.stats.alarms === 3);
});

test('sentinel: damage that cannot be mended waits for a person, and what it touches stays protected over a restart', async (context) => {
  const folder = newFolder(context);
  const watched = new Watched(context, { folder });
  await watched.make('lb1');
  const touched = [{ kind: 'load-balancer', id: 'lb1' }];
  watched.sentinel.onBreak({ where: 'log', what: 'revision 1 has lost part 1', revision: 1, timeMs: 1, touched });
  for (let tries = 0; tries < 500 && watched.book.open[0]?.open.length !== 1; tries += 1) await sleep(10);
  assert.deepEqual(watched.book.open[0]?.open, ['there is nothing to mend with']);
  assert.equal(watched.sentinel.stats.protectedLoadBalancers, 1);
  const again = new IncidentBook({ folder: join(folder, 'incidents'), log: silentLog });
  const { journal } = watched;
  const alarm = new Alarm({
    journal,
    book: again,
    environment: 'test',
    region: 'us-east-1',
    traffic: async () => new Map(),
    webhook: undefined,
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
  });
  assert.match(alarm.protection('lb1')!, new RegExp(`incident ${watched.book.all[0]!.id}`));
});

test('sentinel: what cannot be mended yet stays one incident, is tried again, and is mended once it can be', async (context) => {
  const folder = newFolder(context);
  const path = join(folder, 'journal.db');
  let mends = 0;
  const mender: StoreMender = {
    ...nothingToMend,
    mend: async () => {
      mends += 1;
      if (mends < 3) return refuse('the vault cannot be read');
      renameSync(`${path}.away`, path);
      return accept({ revision: 1, aside: folder });
    },
  };
  const watched = new Watched(context, { folder, mender });
  await watched.make('lb1');
  renameSync(path, `${path}.away`);
  for (let tries = 0; tries < 3_000 && watched.book.all[0]?.state !== 'mended'; tries += 1) await sleep(10);
  assert.equal(mends, 3);
  const [incident] = await watched.found(1);
  assert.deepEqual(
    incident!.timeline.filter(({ source }) => source === 'sentinel').map(({ text }) => text.replace(/ in .*/, '')),
    [
      "noticed: the state store's file was removed",
      'it cannot be put back without a person: the vault cannot be read',
      'put back from vault and memory as it was at revision 1; the damaged files are',
    ],
  );
  assert.deepEqual([watched.sentinel.stats.alarms, watched.sentinel.stats.openIncidents], [1, 0]);
});

test('sentinel: memory that is wrong is said, and the store is left as it is', async (context) => {
  let mends = 0;
  const mend: StoreMender['mend'] = async () => {
    mends += 1;
    return refuse('no');
  };
  const mender = { ...nothingToMend, mend };
  const watched = new Watched(context, { mender });
  const what = { what: 'memory lacks listener l', revision: 1, timeMs: 1, touched: [] };
  watched.sentinel.onBreak({ where: 'memory', ...what });
  const [incident] = await watched.found(1);
  assert.deepEqual([incident!.findings[0]!.check, mends], ['memory', 0]);
  assert.deepEqual(incident!.open, ['start the control plane again: it reads its memory from the store']);
});
