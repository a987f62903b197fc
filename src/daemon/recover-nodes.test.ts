import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { accept, refuse } from '#base/result.ts';
import { keyLookup } from '#control/keys.ts';
import { systemClock } from '#io/clock.ts';
import { takeLock } from '#io/lock.ts';
import { silentLog } from '#io/log.ts';
import { openJournal } from '#journal/journal.ts';
import { openReplica } from '#journal/replica.ts';
import { openKeyRing } from '#journal/seal.ts';
import { openSqliteStore } from '#journal/sqlite-store.ts';
import { admitAll } from '#journal/test-guard.ts';
import { testIdentity } from '#journal/test-identity.ts';
import type { Entry, Kind } from '#model/documents.ts';
import { sampleLoadBalancer, sampleTargetGroup } from '#model/test-documents.ts';
import { readCredentials, writeCredentials } from './credentials.ts';
import { paths } from './paths.ts';
import { applyNodesPlan, type NodesPlan, planFromNodes } from './recover-nodes.ts';
import { recoverFromNodes } from './recover-nodes-command.ts';
import { describeNodesPlan, reportNodesPlan } from './recover-nodes-report.ts';

const account = '000000000000';
const credentials = { accessKeyId: 'BALLAST0123456789ABC', secretAccessKey: 'f'.repeat(40) };

function folder(context: TestContext): string {
  const made = mkdtempSync(join(tmpdir(), 'ballast-recover-'));
  context.after(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

/** What a node holds of one load balancer with a listener, a rule, a target group and a target. */
function served(id: string, nodeId: string, revision: number): Entry[] {
  const group = `${id}-group`;
  const documents: [Kind, string, object][] = [
    ['load-balancer', id, { ...sampleLoadBalancer, name: `web-${id}` }],
    [
      'placement',
      `${id}/${nodeId}`,
      {
        loadBalancerId: id,
        nodeId,
        zone: 'a',
        address: `127.80.0.${id.length}${nodeId.at(-1)}`,
        state: { kind: 'serving', sinceMs: 1 },
      },
    ],
    ['listener', `${id}-listener`, { loadBalancerId: id, protocol: 'HTTP', port: 80, createdAtMs: 0, tags: [] }],
    [
      'rule',
      `${id}-rule`,
      {
        listenerId: `${id}-listener`,
        priority: 'default',
        conditions: [],
        transforms: [],
        actions: [{ kind: 'forward', groups: [{ targetGroupId: group, weight: 1 }] }],
        tags: [],
      },
    ],
    ['target-group', group, { ...sampleTargetGroup, name: group }],
    ['target', `${group}/t`, target(group)],
  ];
  return documents.map(([kind, key, document]) => ({ kind, id: key, revision, document }) as Entry);
}

const target = (targetGroupId: string) => ({
  targetGroupId,
  address: '127.0.0.1',
  port: 9000,
  state: { kind: 'registered', sinceMs: 0 },
});

function follower(data: string, id: string, revision: number, entries: readonly Entry[], storeId = 'store-1') {
  const replica = openReplica(paths.lastGood(data, id), silentLog);
  replica.apply({ entries, changes: [], position: { storeId, revision, hash: `${revision}`.padStart(64, 'a') } });
  return replica;
}

const plan = (data: string, more: { region?: string; otherFolders?: readonly string[] } = {}) =>
  planFromNodes({ data, otherFolders: [], environment: 'production', region: undefined, account, ...more });

function planned(data: string): NodesPlan {
  const made = plan(data);
  assert(made.ok, made.ok ? '' : made.fault);
  return made.value;
}

function refused(data: string, more: Parameters<typeof plan>[1] = {}): string {
  const made = plan(data, more);
  assert(!made.ok);
  return made.fault;
}

const text = (made: NodesPlan) => describeNodesPlan(reportNodesPlan(made)).join('\n');

test('recover from nodes: the new store holds what nodes and DNS serve, under the old id, behind the last revision seen', async (context) => {
  const data = folder(context);
  // Both are in use while they are read.
  const one = follower(data, 'node-1', 40, [...served('x', 'node-1', 7), ...served('yy', 'node-1', 30)]);
  const two = follower(data, 'node-2', 42, served('x', 'node-2', 9));
  const dns = follower(data, 'dns', 42, [
    ...served('x', 'node-1', 7).slice(0, 2),
    ...served('yy', 'node-1', 30).slice(0, 2),
  ]);
  for (const replica of [one, two, dns]) context.after(() => replica.close());
  const ring = openKeyRing(paths.sealKey(data), true);
  assert(ring.ok);
  writeCredentials(paths.credentials(data), credentials, 'us-east-1');
  assert.deepEqual(readCredentials(paths.credentials(data)), credentials);

  const made = planned(data);
  const { identity } = made;
  assert.deepEqual(
    [identity.storeId, identity.environment, identity.region, identity.origin.revision],
    ['store-1', 'production', 'us-east-1', 42],
  );
  assert.match(text(made), /Put back: 2 load balancers, 2 listeners, 2 rules, 2 target groups, 2 targets, 3 addresses/);
  assert.match(text(made), /account 000000000000: 2 load balancers: web-x, web-yy/);
  assert.match(text(made), /node-1 at revision 40, 2 behind/);
  assert(
    !text(made).includes(credentials.secretAccessKey) && !JSON.stringify(made).includes(credentials.secretAccessKey),
  );

  const done = await applyNodesPlan(made, { data, nowMs: 5 });
  assert.deepEqual(done, accept({ revision: 43, documents: 15 }));
  assert.deepEqual(readdirSync(data).sort(), [
    'credentials',
    'journal-index.db',
    'journal.db',
    'last-good',
    'run',
    'seal.key',
  ]);
  const store = openSqliteStore(paths.journal(data), testIdentity);
  const journal = openJournal({ store, guard: admitAll, clock: systemClock, log: silentLog });
  context.after(() => journal.close());
  assert.deepEqual(journal.identity, { ...identity, createdAtMs: 5 });
  assert.deepEqual(
    [journal.head.revision, journal.hashAt(42), journal.view.revisionOf('rule', 'x-rule')],
    [43, `${'42'.padStart(64, 'a')}`, 43],
  );
  assert.equal(keyLookup(journal, ring.value)(credentials.accessKeyId)?.secret, credentials.secretAccessKey);
  const history = await journal.history();
  assert.deepEqual(
    [history.header(43)!.cause.principal, history.header(43)!.cause.action],
    ['operator', 'RecoverFromNodes'],
  );
  // And once more: what is there now is never written over.
  assert.match(refused(data), /journal\.db holds a state store at revision 43; move it aside first: mkdir /);
});

test('recover from nodes: what only a node holds that is behind is kept and named, and so is what was displaced', (context) => {
  const data = folder(context);
  const behind = follower(data, 'node-2', 20, [
    ...served('x', 'node-2', 7),
    { kind: 'target', id: 'x-group/u', revision: 8, document: target('x-group') } as Entry,
    ...served('gone', 'node-2', 9),
  ]);
  const renamed = JSON.parse(
    JSON.stringify(served('x', 'node-1', 25)).replaceAll(/x-(listener|rule)/g, 'new-$1'),
  ) as Entry[];
  const ahead = follower(data, 'node-1', 30, renamed);
  const dns = follower(data, 'dns', 30, [...renamed.slice(0, 2), served('x', 'node-2', 7)[1]!]);
  for (const replica of [behind, ahead, dns]) replica.close();
  const said = text(planned(data));
  assert.match(said, /Only nodes that are behind hold these; they are kept[^\n]*\n {2}address \S+ of \S+web-gone/);
  assert.match(said, /\n {2}load balancer 000000000000\/web-gone\n/);
  assert.match(said, /\n {2}target 127\.0\.0\.1:9000 of 000000000000\/x-group\n/);
  assert(!said.split('Left out')[0]!.includes('listener :80 of 000000000000/web-x'), 'it is not in doubt');
  assert.match(
    said,
    /Left out, because a later one has taken their place:\n {2}listener :80 of \S+web-x\n {2}rule default/,
  );
  assert.match(said, /no access key: \S+credentials does not hold it/);
});

test('recover from nodes: a load balancer that only DNS knows is put back by name and address, and said so', async (context) => {
  const data = folder(context);
  follower(data, 'dns', 3, served('x', 'node-1', 2).slice(0, 2)).close();
  const made = planned(data);
  assert.match(text(made), /Known by name and address alone[^\n]*\n {2}load balancer 000000000000\/web-x\n/);
  assert.deepEqual(await applyNodesPlan(made, { data, nowMs: 5 }), accept({ revision: 4, documents: 2 }));
});

test('recover from nodes: it refuses what is not clear, says so in one line and writes nothing', (context) => {
  const data = folder(context);
  assert.match(refused(data), /^no last good state of a node is in \S+last-good$/);
  mkdirSync(paths.lastGoodFolder(data));
  writeFileSync(paths.lastGood(data, 'node-9'), 'rubbish '.repeat(1_000));
  openReplica(paths.lastGood(data, 'node-8'), silentLog).close();
  assert.match(refused(data), /; \S+node-9\.db cannot be read: /);
  follower(data, 'node-1', 3, served('x', 'node-1', 2)).close();
  assert.match(text(planned(data)), /left out: \S+node-9\.db cannot be read/);
  assert.match(refused(data, { region: 'eu-west-1' }), /names are of region us-east-1, not eu-west-1/);
  const other = folder(context);
  follower(other, 'node-2', 3, served('x', 'node-2', 2), 'store-2').close();
  assert.match(
    refused(data, { otherFolders: [paths.lastGoodFolder(other)] }),
    /node-\d\.db and \S+node-\d\.db belong to two different state stores/,
  );
  const nothing = folder(context);
  follower(nothing, 'node-2', 3, []).close();
  assert.match(refused(nothing), /no load balancer tells the region: give --region NAME/);
  for (const content of ['rubbish', 'rubbish '.repeat(1_000)]) {
    writeFileSync(paths.journal(data), content);
    assert.match(refused(data), /journal\.db cannot be read, and may hold something: .*; move it aside first: mkdir /);
    rmSync(paths.journal(data));
  }
  writeFileSync(paths.journal(data), '');
  assert(plan(data).ok, 'an empty file is nothing');
  assert(!existsSync(paths.recovering(data)));
});

test('recover from nodes: files of other machines are taken in from their folders', (context) => {
  const [data, other] = [folder(context), folder(context)];
  follower(data, 'node-1', 3, served('x', 'node-1', 2)).close();
  follower(other, 'node-2', 5, served('yy', 'node-2', 4)).close();
  const made = plan(data, { otherFolders: [paths.lastGoodFolder(other)] });
  assert(made.ok);
  assert.equal(made.value.gathered.documents.count('load-balancer'), 2);
  assert.equal(made.value.identity.origin.revision, 5);
});

test('recover from nodes: while a control plane runs nothing is planned or written', async (context) => {
  const data = folder(context);
  follower(data, 'node-1', 3, served('x', 'node-1', 2)).close();
  const made = planned(data);
  const lock = takeLock(paths.processLock(data, 'control-plane'))!;
  assert.match(refused(data), /^a control plane runs on \S+; stop it first$/);
  assert.deepEqual(
    await applyNodesPlan(made, { data, nowMs: 5 }),
    refuse(`a control plane runs on ${data}; stop it first`),
  );
  lock.release();
  assert((await applyNodesPlan(made, { data, nowMs: 5 })).ok);
});

test('recover from nodes: what an earlier try left behind is cleared away, and nothing else is', async (context) => {
  const data = folder(context);
  follower(data, 'node-1', 3, served('x', 'node-1', 2)).close();
  const made = planned(data);
  writeFileSync(paths.recovering(data), 'half of it');
  writeFileSync(`${paths.recovering(data)}-wal`, 'rubbish');
  writeFileSync(`${paths.journal(data)}-wal`, 'rubbish');
  writeFileSync(join(data, 'mine.txt'), 'stays');
  assert((await applyNodesPlan(made, { data, nowMs: 5 })).ok);
  assert.deepEqual(readdirSync(data).sort(), ['journal-index.db', 'journal.db', 'last-good', 'mine.txt', 'run']);
  const store = openSqliteStore(paths.journal(data), testIdentity);
  assert.equal(store.head().revision, 4);
  store.close();
});

test('recover from nodes: the access key is put back also without its seal key, and a damaged seal key is left alone', async (context) => {
  const data = folder(context);
  follower(data, 'node-1', 3, served('x', 'node-1', 2)).close();
  writeCredentials(paths.credentials(data), credentials, 'us-east-1');
  writeFileSync(paths.sealKey(data), 'rubbish');
  assert.match(text(planned(data)), /no access key: \S+seal\.key, line 1 does not hold a key/);
  rmSync(paths.sealKey(data));
  const made = planned(data);
  assert(!existsSync(paths.sealKey(data)), 'a plan writes nothing');
  assert((await applyNodesPlan(made, { data, nowMs: 5 })).ok);
  const ring = openKeyRing(paths.sealKey(data), false);
  const store = openSqliteStore(paths.journal(data), testIdentity);
  const journal = openJournal({ store, guard: admitAll, clock: systemClock, log: silentLog });
  context.after(() => journal.close());
  assert(ring.ok);
  assert.equal(keyLookup(journal, ring.value)(credentials.accessKeyId)?.principal, `${account}/admin`);
});

test('recover from nodes: the command shows its plan, writes nothing without a yes, and says what it wrote', async (context) => {
  const data = folder(context);
  follower(data, 'node-1', 3, served('x', 'node-1', 2)).close();
  const run = async (more: { json?: boolean; yes?: boolean; data?: string }) => {
    let [printed, complained, asked] = ['', '', ''];
    const code = await recoverFromNodes(
      {
        output: { isTerminal: false, write: (said) => (printed += said), flushed: () => Promise.resolve(true) },
        errors: { isTerminal: false, write: (said) => (complained += said), flushed: () => Promise.resolve(true) },
      },
      {
        data: more.data ?? data,
        lastGood: [],
        environment: 'production',
        region: undefined,
        account,
        json: more.json === true,
        nowMs: 5,
        confirm: (question) => {
          asked = question;
          return Promise.resolve(more.yes === true);
        },
      },
    );
    return { code, printed, complained, asked };
  };
  const shown = await run({});
  assert.equal(shown.code, 1);
  assert.match(shown.printed, /^Store store-1, region us-east-1, environment production/);
  assert.deepEqual([shown.asked, shown.complained], [`Write this into ${data}?`, 'ballast: nothing was written\n']);
  assert(!existsSync(paths.journal(data)));
  const nowhere = await run({ data: join(data, 'nowhere') });
  assert.deepEqual([nowhere.code, nowhere.printed, nowhere.asked], [1, '', '']);
  assert(!existsSync(join(data, 'nowhere')), 'a folder that was mistyped is not made');
  const done = await run({ json: true, yes: true });
  const lines = done.printed
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.equal(done.code, 0, done.complained);
  assert.deepEqual([lines[0].type, lines[0].counts['load-balancer'], lines[0].originRevision], ['plan', 1, 3]);
  assert.deepEqual(lines[1], { type: 'result', revision: 4, documents: 6 });
  const again = await run({ yes: true });
  assert.match(
    again.complained,
    /^ballast: \S+journal\.db holds a state store at revision 4; move it aside first: mkdir /,
  );
});
