import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { WebSocket } from 'ws';
import { systemClock } from '#io/clock.ts';
import { silentLog } from '#io/log.ts';
import { sealTransaction } from '#journal/chain.ts';
import { gather } from '#journal/gather.ts';
import { appendGathered, bridgeToFollowers } from '#journal/rebuild.ts';
import { openReplica, type Replica } from '#journal/replica.ts';
import { openSqliteStore } from '#journal/sqlite-store.ts';
import { testIdentity } from '#journal/test-identity.ts';
import { type Change, put, remove } from '#model/change.ts';
import { sampleTargetGroup } from '#model/test-documents.ts';
import type { View } from '#model/view.ts';
import { ReplicaBrake } from '#node/brake.ts';
import { Holdings } from '#node/holdings.ts';
import { LinkClient } from './client.ts';
import { type FollowerRole, frameBytesMax } from './frames.ts';
import { defaultRule, placed, Region, target, token, until } from './test-link-region.ts';

/** A follower with a real replica. */
class Follower {
  readonly replica: Replica;
  readonly client: LinkClient;
  readonly brake: ReplicaBrake;
  readonly holdings: Holdings;
  diverged = '';
  statesAsked = 0;

  constructor(path: string, port: number, role: FollowerRole = { kind: 'node', id: 'node-1', zone: 'a', prefix: 'p' }) {
    this.replica = openReplica(path, silentLog);
    this.brake = new ReplicaBrake({
      replica: this.replica,
      environment: 'test',
      region: 'us-east-1',
      clock: systemClock,
      isOff: false,
    });
    this.holdings = new Holdings({
      replica: this.replica,
      role,
      send: (frame) => void this.client.send(frame),
      clock: systemClock,
    });
    this.client = new LinkClient({
      url: `ws://127.0.0.1:${port}/link`,
      token,
      role,
      log: silentLog,
      state: () => ({
        asked: ++this.statesAsked,
        position: this.replica.position,
        holds: {
          loadBalancers: [...this.replica.view.all('load-balancer')].map(({ id }) => id),
          targetGroups: [...this.replica.view.all('target-group')].map(({ id }) => id),
        },
      }),
      onNews: (news) => {
        this.brake.take(news);
        this.client.send({ type: 'applied', revision: news.position.revision });
      },
      onAgain: (transaction) => this.brake.takeAgain(transaction),
      onInventory: () => this.holdings.tellAll(),
      onConnected: () => {},
      onDiverged: (reason) => {
        this.diverged = reason;
      },
    });
  }

  get held(): string[] {
    const kinds = ['load-balancer', 'listener', 'rule', 'target-group', 'target', 'placement', 'principal'] as const;
    return kinds.flatMap((kind) => [...this.replica.view.all(kind)].map(({ id }) => `${kind} ${id}`)).sort();
  }

  close(): void {
    this.client.stop();
    this.replica.close();
  }
}

async function region(context: TestContext, storeId = 'store-1') {
  const folder = mkdtempSync(join(tmpdir(), 'ballast-link-'));
  const closers: (() => void | Promise<void>)[] = [];
  context.after(async () => {
    for (const close of closers.reverse()) await close();
    rmSync(folder, { recursive: true, force: true });
  });
  const first = new Region(join(folder, 'store.db'), storeId);
  await first.listen();
  return { folder, first, closers };
}

const withGroup = (view: View, id: string): Change[] => [
  put(view, 'target-group', id, sampleTargetGroup),
  put(view, 'target', `${id}/t1`, target(id)),
];

test('link: a node gets what is placed on it and all that this refers to, and nothing of others', async (context) => {
  const { folder, first, closers } = await region(context);
  closers.push(() => first.close());
  await first.write((view) => [
    ...withGroup(view, 'g1'),
    ...withGroup(view, 'g2'),
    put(view, 'principal', '0/admin', { account: '0', name: 'admin', createdAtMs: 0 }),
  ]);
  await first.write((view) => placed(view, 'lb1', 'node-1', 'g1'));
  await first.write((view) => placed(view, 'lb2', 'node-2', 'g2'));
  const follower = new Follower(join(folder, 'node.db'), first.port);
  closers.push(() => follower.close());
  await until(() => first.link.followers.get('node-1')?.revision === 3, 'in step');
  const mine = [
    'listener lb1-listener',
    'load-balancer lb1',
    'placement lb1/node-1',
    'rule lb1-rule',
    'target g1/t1',
    'target-group g1',
  ];
  assert.deepEqual(follower.held, mine);

  // News while connected: a target of mine, one of another's, and a load balancer that draws in an old group.
  await first.write((view) => [put(view, 'target', 'g1/t2', target('g1')), put(view, 'target', 'g2/t2', target('g2'))]);
  await first.write((view) => placed(view, 'lb3', 'node-1', 'g2'));
  await until(() => first.link.followers.get('node-1')?.revision === 5, 'in step');
  assert.deepEqual(
    follower.held,
    [
      ...mine,
      'target g1/t2',
      'listener lb3-listener',
      'load-balancer lb3',
      'placement lb3/node-1',
      'rule lb3-rule',
      'target-group g2',
      'target g2/t1',
      'target g2/t2',
    ].sort(),
  );
  assert.equal(follower.statesAsked, 1, 'a node lets go of what is out of use when it is asked');
});

test('link: a follower that was away resumes, learns of removals by tombstone, and keeps what nobody mentions', async (context) => {
  const { folder, first, closers } = await region(context);
  closers.push(() => first.close());
  await first.write((view) => [
    ...withGroup(view, 'g1'),
    ...withGroup(view, 'g2'),
    ...placed(view, 'lb1', 'node-1', 'g1'),
  ]);
  await first.write((view) => placed(view, 'lb2', 'node-1', 'g1'));
  const path = join(folder, 'node.db');
  const before = new Follower(path, first.port);
  await until(() => first.link.followers.get('node-1')?.revision === 2, 'in step');
  before.close();
  await first.write((view) => [
    remove(view, 'load-balancer', 'lb1'),
    remove(view, 'listener', 'lb1-listener'),
    remove(view, 'rule', 'lb1-rule'),
    remove(view, 'placement', 'lb1/node-1'),
  ]);
  // The other load balancer begins to use a group that the follower never held.
  await first.write((view) => [put(view, 'rule', 'lb2-rule', defaultRule('lb2-listener', 'g2'))]);
  const after = new Follower(path, first.port);
  closers.push(() => after.close());
  await until(() => first.link.followers.get('node-1')?.revision === 4, 'in step');
  assert.deepEqual(after.held, [
    'listener lb2-listener',
    'load-balancer lb2',
    'placement lb2/node-1',
    'rule lb2-rule',
    'target g1/t1',
    'target g2/t1',
    'target-group g1',
    'target-group g2',
  ]);
});

test('link: a store that was emptied, or another one, takes nothing away from a follower', async (context) => {
  const { folder, first, closers } = await region(context);
  await first.write((view) => [...withGroup(view, 'g1'), ...placed(view, 'lb1', 'node-1', 'g1')]);
  await first.write((view) => placed(view, 'lb2', 'node-1', 'g1'));
  const follower = new Follower(join(folder, 'node.db'), first.port);
  closers.push(() => follower.close());
  await until(() => first.link.followers.get('node-1')?.revision === 2, 'in step');
  const held = follower.held;
  await first.close();
  for (const [index, storeId] of ['store-1', 'store-2'].entries()) {
    const emptied = new Region(join(folder, `emptied-${index}.db`), storeId);
    // One store pretends to be the same and is at the same revision: only the hash tells.
    if (index === 0)
      for (const id of ['x', 'y']) await emptied.write((view) => [put(view, 'node', id, { zone: 'a', prefix: 'p' })]);
    await emptied.listen(first.port);
    await until(() => emptied.link.followers.get('node-1')?.diverged === true, 'the divergence is seen');
    await until(() => follower.diverged !== '', 'the follower is told');
    assert.match(follower.diverged, index === 0 ? /another hash/ : /store-2/);
    await emptied.write((view) => placed(view, 'lb3', 'node-1', 'g1'));
    assert.deepEqual(follower.held, held);
    await emptied.close();
    follower.diverged = '';
  }
});

test('link: news larger than a frame goes over in several: one transaction, many, and the documents of one who begins', async (context) => {
  const { folder, first, closers } = await region(context);
  closers.push(() => first.close());
  await first.write((view) => [...withGroup(view, 'g1'), ...placed(view, 'lb1', 'node-1', 'g1')]);
  const path = join(folder, 'node.db');
  const follower = new Follower(path, first.port);
  await until(() => first.link.followers.get('node-1')?.revision === 1, 'in step');
  const perTransaction = 30_000;
  // Long ids, so that fewer documents make more than what a frame may hold.
  const many = (view: View, letter: string, count = perTransaction) =>
    Array.from({ length: count }, (_, index) =>
      put(view, 'target', `g1/${letter.repeat(400)}${index}`, { ...target('g1'), port: index }),
    );
  await first.write((view) => many(view, 'a'));
  assert(perTransaction * 400 > frameBytesMax / 2, 'a transaction is larger than one frame takes');
  const held = () => follower.replica.view.count('target');
  await until(() => first.link.followers.get('node-1')?.revision === 2, 'in step');
  assert.equal(held(), 1 + perTransaction);
  follower.close();
  for (const letter of ['b', 'c']) await first.write((view) => many(view, letter, perTransaction / 2));
  await first.write((view) => many(view, 'd'));
  const after = new Follower(path, first.port);
  await until(() => first.link.followers.get('node-1')?.revision === 5, 'in step again');
  assert.equal(after.replica.view.count('target'), 1 + 3 * perTransaction);
  after.close();
  const beginner = new Follower(join(folder, 'beginner.db'), first.port);
  closers.push(() => beginner.close());
  await until(() => beginner.replica.position.revision === 5, 'the beginner is in step');
  assert.equal(beginner.replica.view.count('target'), 1 + 3 * perTransaction);
});

test('link: the DNS server gets load balancers, listeners and placements of all nodes, and who is connected', async (context) => {
  const { folder, first, closers } = await region(context);
  closers.push(() => first.close());
  await first.write((view) => [...withGroup(view, 'g1'), ...placed(view, 'lb1', 'node-1', 'g1')]);
  const dns = new Follower(join(folder, 'dns.db'), first.port, { kind: 'dns', id: 'dns' });
  closers.push(() => dns.close());
  await first.write((view) => placed(view, 'lb2', 'node-2', 'g1'));
  await until(() => dns.replica.position.revision === 2, 'in step');
  assert.deepEqual(dns.held, [
    'listener lb1-listener',
    'listener lb2-listener',
    'load-balancer lb1',
    'load-balancer lb2',
    'placement lb1/node-1',
    'placement lb2/node-2',
  ]);
});

test('link: without the token nobody follows, and rubbish ends only the connection that sent it', async (context) => {
  const { folder, first, closers } = await region(context);
  closers.push(() => first.close());
  const url = `ws://127.0.0.1:${first.port}/link`;
  const refused = await new Promise<string>((resolve) => {
    new WebSocket(url, { headers: { authorization: 'Bearer wrong-token!' } }).on('error', ({ message }) =>
      resolve(message),
    );
  });
  assert.match(refused, /401/);
  const hello = {
    type: 'hello',
    protocol: 1,
    role: { kind: 'dns', id: 'x' },
    position: { storeId: '', revision: 0, hash: '' },
  };
  for (const rubbish of [
    '',
    '{',
    '[]',
    'null',
    '{"type":"hello"}',
    JSON.stringify(hello),
    '{"type":"applied","revision":-1}',
    '\0'.repeat(100),
  ]) {
    const socket = new WebSocket(url, { headers: { authorization: `Bearer ${token}` } });
    const code = await new Promise<number>((resolve) => {
      socket.on('open', () => socket.send(rubbish));
      socket.on('close', resolve);
    });
    assert.equal(code, 1008, rubbish);
  }
  const follower = new Follower(join(folder, 'node.db'), first.port);
  closers.push(() => follower.close());
  await first.write((view) => placed(view, 'lb1', 'node-1', 'g1'));
  await until(() => follower.held.includes('load-balancer lb1'), 'an honest follower is served');
});

const restoring = { principal: 'operator', channel: 'restore', action: 'RecoverFromNodes', requestId: 'r' } as const;

/** What a follower holds, as a copy that a store can be made of. */
const copyOf = ({ replica }: Follower) => ({
  position: replica.position,
  revision: replica.position.revision,
  entries: (['load-balancer', 'listener', 'rule', 'target-group', 'target', 'placement'] as const).flatMap((kind) => [
    ...replica.view.all(kind),
  ]),
});

test('link: followers of a lost store go on with one that begins where the first of them was, and lose nothing', async (context) => {
  const { folder, first, closers } = await region(context);
  await first.write((view) => [
    ...withGroup(view, 'g1'),
    ...placed(view, 'lb1', 'node-1', 'g1'),
    ...placed(view, 'lb2', 'node-2', 'g1'),
  ]);
  const paths = ['one.db', 'two.db'].map((name) => join(folder, name));
  const roles = ['node-1', 'node-2'].map((id) => ({ kind: 'node', id, zone: 'a', prefix: 'p' }) as const);
  const behind = new Follower(paths[1]!, first.port, roles[1]);
  await until(() => first.link.followers.get('node-2')?.revision === 1, 'in step');
  behind.close();
  await first.write((view) => [put(view, 'target', 'g1/t2', target('g1'))]);
  const ahead = new Follower(paths[0]!, first.port, roles[0]);
  await until(() => first.link.followers.get('node-1')?.revision === 2, 'in step');
  const held = [ahead.held, behind.held];
  const copies = [copyOf(ahead), copyOf(behind)];
  ahead.close();
  await first.close();

  const { revision, hash } = copies[0]!.position;
  const path = join(folder, 'again.db');
  const identity = { ...testIdentity, origin: { revision, hash } };
  const store = openSqliteStore(path, identity);
  appendGathered(store, { gathered: gather(copies), cause: restoring, nowMs: 1 });
  store.close();
  const again = new Region(path, 'store-1', identity.origin);
  await again.listen(first.port);
  closers.push(() => again.close());
  const followers = paths.map((each, index) => new Follower(each, again.port, roles[index]));
  for (const follower of followers) closers.push(() => follower.close());
  const inStep = (at: number) =>
    until(() => ['node-1', 'node-2'].every((id) => again.link.followers.get(id)?.revision === at), 'in step');
  await inStep(3);
  assert.deepEqual(followers[0]!.held, held[0]);
  assert.deepEqual(followers[1]!.held, [...held[1]!, 'target g1/t2'].sort());
  // What happens from now on reaches both.
  await again.write((view) => [remove(view, 'target', 'g1/t1'), put(view, 'target', 'g1/t3', target('g1'))]);
  await inStep(4);
  for (const { held: now, diverged } of followers) {
    assert.deepEqual([now.includes('target g1/t1'), now.includes('target g1/t3'), diverged], [false, true, '']);
  }
});

test('link: followers that saw more than a rebuilt store holds go on with it once it has taken in what they hold', async (context) => {
  const { folder, first, closers } = await region(context);
  await first.write((view) => [...withGroup(view, 'g1'), ...placed(view, 'lb1', 'node-1', 'g1')]);
  await first.write((view) => [put(view, 'target', 'g1/t2', target('g1'))]);
  const copyPath = join(folder, 'copy.db');
  const copy = openSqliteStore(copyPath, testIdentity);
  for (const transaction of first.journal.transactionsFrom(1)) {
    const { previousHash, cause: by, ...rest } = transaction;
    copy.append([sealTransaction({ ...rest, previousHash, cause: by })]);
  }
  // The copy ends here; one document more, one less and one changed are in no copy but the followers'.
  const nodePath = join(folder, 'node.db');
  const early = new Follower(nodePath, first.port);
  await first.write((view) => [remove(view, 'target', 'g1/t2')]);
  await until(() => first.link.followers.get('node-1')?.revision === 3, 'in step');
  early.close();
  await first.write((view) => [
    put(view, 'target', 'g1/t3', target('g1')),
    put(view, 'target', 'g1/t1', { ...target('g1'), port: 81 }),
  ]);
  const dnsPath = join(folder, 'dns.db');
  const dns = new Follower(dnsPath, first.port, { kind: 'dns', id: 'dns' });
  const late = new Follower(nodePath, first.port);
  await until(() => late.replica.position.revision === 4 && dns.replica.position.revision === 4, 'in step');
  const copies = [copyOf(late), copyOf(dns)];
  late.close();
  dns.close();
  await first.close();

  const bridged = await bridgeToFollowers(copy, { followers: copies, cause: restoring, nowMs: 5 });
  assert.deepEqual([bridged?.lost, bridged?.revision], [{ from: 3, to: 4 }, 5]);
  assert.deepEqual(bridged?.learned.map(({ id }) => id).sort(), ['g1/t1', 'g1/t3']);
  assert.equal(await bridgeToFollowers(copy, { followers: copies, cause: restoring, nowMs: 5 }), undefined);
  assert.equal([...copy.transactionsFrom(1)].length, 5, 'the chain verifies');
  copy.close();
  const again = new Region(copyPath, 'store-1');
  await again.listen(first.port);
  closers.push(() => again.close());
  const node = new Follower(nodePath, again.port);
  const names = new Follower(dnsPath, again.port, { kind: 'dns', id: 'dns' });
  closers.push(
    () => node.close(),
    () => names.close(),
  );
  await until(() => node.replica.position.revision === 5 && names.replica.position.revision === 5, 'in step');
  assert.deepEqual([node.diverged, names.diverged], ['', '']);
  // What was removed in the lost revisions comes back everywhere: that it is missing proves nothing.
  const targets = (view: View) => [...view.all('target')].map(({ id, document }) => `${id} ${document.port}`).sort();
  assert.deepEqual(targets(node.replica.view), targets(again.journal.view));
  assert.deepEqual(targets(node.replica.view), ['g1/t1 81', 'g1/t2 1', 'g1/t3 1']);
  await again.write((view) => [remove(view, 'target', 'g1/t2')]);
  await until(() => targets(node.replica.view).length === 2, 'later news arrives');
});

test('link: what a follower lost on the way is found by the digest of the whole, and nothing is taken away for absence', async (context) => {
  const { folder, first, closers } = await region(context);
  closers.push(() => first.close());
  await first.write((view) => withGroup(view, 'g1'));
  await first.write((view) => placed(view, 'lb1', 'node-1', 'g1'));
  await first.write((view) => [put(view, 'target', 'g1/t2', target('g1'))]);
  const follower = new Follower(join(folder, 'node.db'), first.port);
  closers.push(() => follower.close());
  await until(() => first.link.followers.get('node-1')?.revision === 3, 'in step');
  const { replica } = follower;
  const whole = follower.held;
  const old = replica.view.get('target', 'g1/t2')!;

  // Nothing is wrong: nothing is asked.
  follower.holdings.tell();

  // A document that never arrived, and one that was not replaced.
  replica.forget([{ kind: 'listener', id: 'lb1-listener' }]);
  await until(() => {
    follower.holdings.tell();
    return follower.held.length === whole.length;
  }, 'it is told again');
  assert.deepEqual(follower.held, whole);
  // Without its listener, the node had not worked with anything behind it.
  assert.equal(first.healed[0], 'node-1 5');

  // A removal that never arrived.
  await first.write((view) => [remove(view, 'target', 'g1/t2')]);
  await until(() => replica.view.get('target', 'g1/t2') === undefined, 'it is removed');
  const back = { kind: 'target', id: 'g1/t2', revision: 3, document: old } as const;
  replica.apply({ entries: [back], changes: [], position: replica.position });
  await until(() => {
    follower.holdings.tell();
    return replica.view.get('target', 'g1/t2') === undefined;
  }, 'it is removed again');

  // What the state never knew stays, and is reported.
  const stranger = { kind: 'target', id: 'g1/t9', revision: 2, document: { ...old, port: 9 } } as const;
  replica.apply({ entries: [stranger], changes: [], position: replica.position });
  await until(() => {
    follower.holdings.tell();
    return first.unknown.length > 0;
  }, 'it is reported');
  assert.deepEqual(first.unknown[0], 'node-1 target g1/t9');
  assert.notEqual(replica.view.get('target', 'g1/t9'), undefined);
});
