import assert from 'node:assert/strict';
import test from 'node:test';
import type { Tables } from '#journal/tables.ts';
import type { Certificate } from '#model/approval.ts';
import { type Cause, type Change, digestOfChanges, put, remove } from '#model/change.ts';
import type { HoldDocument } from '#model/documents.ts';
import type { Verdict } from '#model/verdict.ts';
import type { Gate } from './gate.ts';
import { testGate, testPlace } from './test-gate.ts';
import { approvalDocument, TestOperator } from './test-operators.ts';
import { placement, region, serving, target } from './test-serving.ts';

const ada = '111111111111/ada';
const bob = '222222222222/bob';
const cause = (channel: Cause['channel'], principal = ada): Cause => ({
  principal,
  channel,
  action: 'DeleteLoadBalancer',
  requestId: 'r',
});

/** A state, the guard before it, and what happened to it. */
class World {
  readonly view: Tables;
  readonly gate: Gate;
  revision = 1;

  constructor(view: Tables, gate = testGate()) {
    this.view = view;
    this.gate = gate;
  }

  judge(changes: readonly Change[], by: Cause, atMs: number): Verdict {
    return this.gate.judge(this.view, changes, by, { revision: this.revision + 1, timeMs: atMs });
  }

  /** Judges, and writes what the verdict says is to be written. */
  transact(changes: readonly Change[], by: Cause, atMs: number): Verdict {
    const verdict = this.judge(changes, by, atMs);
    if (verdict.kind === 'admit') this.apply([...changes, ...(verdict.also ?? [])]);
    if (verdict.kind === 'hold') this.apply(verdict.changes);
    return verdict;
  }

  apply(changes: readonly Change[]): void {
    this.revision += 1;
    this.view.apply(this.revision, changes, 0);
  }

  deletion(number: number): Change[] {
    return [
      remove(this.view, 'listener', `l${number}`),
      remove(this.view, 'placement', `lb${number}/node-1`),
      remove(this.view, 'load-balancer', `lb${number}`),
    ];
  }

  /** How many deletions go through, one after the other, before one is held. */
  deletionsFrom(first: number, by: Cause, atMs: number): number {
    for (let count = 0; ; count += 1) {
      if (this.view.get('load-balancer', `lb${first + count}`) === undefined) return count;
      if (this.transact(this.deletion(first + count), by, atMs).kind !== 'admit') return count;
    }
  }

  employ(...operators: readonly TestOperator[]): void {
    this.apply(operators.map(({ name, document }) => put(this.view, 'operator', name, document)));
  }

  approve(certificate: Certificate, atMs = 1): Verdict {
    const { id } = JSON.parse(certificate.statement) as { readonly id: string };
    const by = { ...cause('maintenance', 'operator'), action: 'Approve' };
    return this.transact([put(this.view, 'approval', id, approvalDocument(certificate))], by, atMs);
  }

  get hold(): { readonly id: string; readonly document: HoldDocument } {
    const [only, ...others] = this.view.all('hold');
    assert(only !== undefined && others.length === 0, 'one change is held');
    return only;
  }
}

function refusalOf(verdict: Verdict): string {
  assert(verdict.kind !== 'admit', 'it is not admitted');
  return `${verdict.fault.code}: ${verdict.fault.message}`;
}

test('gate: an owner deletes up to the limit, is held above it, and goes on when the window has passed', () => {
  const world = new World(region([['111111111111', 300]]));
  // More than 5 % of 300, and at least 10: the sixteenth.
  assert.equal(world.deletionsFrom(1, cause('api'), 0), 15);
  const { document } = world.hold;
  assert.match(document.why, /16 by 111111111111\/ada within the window; the limit 'api' is more than 5 % of/);
  assert.deepEqual(
    document.harmed.map(({ name, reason }) => `${name} ${reason}`),
    ['web-16 deleted'],
  );
  assert.equal(world.deletionsFrom(16, cause('api'), 599_999), 0);
  assert.equal(world.deletionsFrom(16, cause('api'), 600_001), 14);
});

test('gate: in a small region the count decides, and harmless changes pass at all times', () => {
  const world = new World(region([['111111111111', 30]]));
  assert.equal(world.deletionsFrom(1, cause('api'), 0), 9);
  const added = put(world.view, 'load-balancer', 'new', world.view.get('load-balancer', 'lb20')!);
  assert.equal(world.judge([added], cause('api'), 1).kind, 'admit');
});

test('gate: one who is over the limit keeps nobody else from deleting, until it is too much for the region', () => {
  const world = new World(
    region([
      ['111111111111', 100],
      ['222222222222', 100],
    ]),
  );
  assert.equal(world.deletionsFrom(1, cause('api'), 0), 10);
  assert.equal(world.deletionsFrom(101, cause('api', bob), 0), 10);
  for (let each = 1; each <= 20; each += 1) {
    const by = cause('api', `222222222222/p${each}`);
    world.transact(world.deletion(110 + each), by, 1);
  }
  // 40 of 200 are not more than 20 %; one more is.
  assert.equal(world.gate.radius(0), 40);
  const verdict = world.judge(world.deletion(131), cause('api', '222222222222/last'), 2);
  assert.match(refusalOf(verdict), /41 in the region within the window; the limit 'region'/);
});

test('gate: a listener that is made and deleted again and again counts once', () => {
  const world = new World(region([['111111111111', 30]]));
  for (let round = 0; round < 30; round += 1) {
    const listener = world.view.get('listener', 'l1')!;
    assert.equal(world.transact([remove(world.view, 'listener', 'l1')], cause('api'), round).kind, 'admit');
    world.transact([put(world.view, 'listener', 'l1', listener)], cause('api'), round);
  }
  assert.equal(world.gate.radius(0), 1);
});

test('gate: what was not written after all does not count', () => {
  const world = new World(region([['111111111111', 30]]));
  for (let round = 0; round < 30; round += 1) {
    const verdict = world.judge(world.deletion(1 + round), cause('api'), 0);
    assert(verdict.kind === 'admit');
    verdict.undo?.();
  }
  assert.equal(world.gate.radius(0), 0);
});

test('gate: after a restart the window goes on from what the journal says, without what was approved', () => {
  const world = new World(region([['111111111111', 30]]));
  const header = { timeMs: 500, changesCount: 1, digest: '', previousHash: '', hash: '' };
  world.gate.remember(
    [
      { ...header, revision: 9, cause: { ...cause('api'), certificates: [] }, harmed: 20 },
      { ...header, revision: 8, cause: cause('api'), harmed: 8 },
      { ...header, revision: 7, cause: cause('api'), harmed: 0 },
    ],
    600,
  );
  assert.equal(world.deletionsFrom(1, cause('api'), 1_000), 1);
});

test('gate: the same change held twice is one, and is told with the way to let it through', () => {
  const world = new World(region([['111111111111', 12]]));
  world.deletionsFrom(1, cause('api'), 0);
  const first = refusalOf(world.judge(world.deletion(10), cause('api'), 5));
  const { id } = world.hold;
  assert.match(first, new RegExp(`OperationNotPermitted: .* held as ${id} until .* ballast approvals approve ${id}$`));
  assert.equal(world.transact(world.deletion(10), cause('api'), 6).kind, 'refuse');
  assert.equal(world.view.count('hold'), 1);
  // An hour later it has expired, and is held anew when the harm is still unusual.
  world.gate.judge(world.view, world.deletion(1), cause('api'), { revision: 99, timeMs: 3_500_000 });
  const again = world.transact([...world.deletion(10), ...world.deletion(11)], cause('api'), 3_600_001);
  assert.equal(again.kind, 'admit');
});

test('gate: workflows may never harm, nobody can approve it, and a freeze stops them all', () => {
  const world = new World(serving());
  const gone = [remove(world.view, 'placement', 'lb/p1'), remove(world.view, 'placement', 'lb/p2')];
  assert.match(
    refusalOf(world.judge(gone, cause('workflow', 'ballast'), 0)),
    /workflow .* is refused: 1 load balancer/,
  );
  const harmless = [put(world.view, 'placement', 'lb/p1', { ...placement('node-1'), address: '127.80.0.9' })];
  assert.equal(world.judge(harmless, cause('workflow', 'ballast'), 0).kind, 'admit');
  world.apply([put(world.view, 'freeze', 'workflows', { by: 'operator/eve', reason: 'we look', sinceMs: 0 })]);
  assert.match(
    refusalOf(world.judge(harmless, cause('workflow', 'ballast'), 0)),
    /^ServiceUnavailable: workflows are frozen by operator\/eve: we look$/,
  );
  assert.equal(world.judge(harmless, cause('api'), 0).kind, 'admit');
});

test('gate: maintenance changes nothing of tenants without a grant, harmful or not', () => {
  const world = new World(serving());
  const by = cause('maintenance', 'operator');
  const deletion = world.judge([remove(world.view, 'load-balancer', 'lb')], by, 0);
  assert.match(refusalOf(deletion), /refused, because nobody has approved it: 1 load balancer would stop serving/);
  assert.match(refusalOf(world.judge([put(world.view, 'target', 't9', target(9))], by, 0)), /1 documents of tenants/);
  const key = put(world.view, 'principal', ada, { account: '1', name: 'ada', createdAtMs: 0 });
  assert.equal(world.judge([key], by, 0).kind, 'admit');
});

/** A region in which the next deletion is held, and two people. */
function heldWorld() {
  const world = new World(region([['111111111111', 12]]));
  const [eve, pat] = [new TestOperator('eve'), new TestOperator('pat')];
  world.employ(eve, pat);
  world.deletionsFrom(1, cause('api'), 0);
  const { digest } = world.hold.document;
  return { world, eve, pat, digest, deletion: () => world.deletion(10) };
}

test('gate: approved by another person, what was held goes through once, with the word along, and counts no more', () => {
  const { world, eve, digest, deletion } = heldWorld();
  const certificate = eve.approve({ kind: 'digest', digest });
  assert.equal(world.approve(certificate).kind, 'admit');
  const before = world.gate.radius(0);
  const verdict = world.transact(deletion(), cause('api'), 10);
  assert(verdict.kind === 'admit');
  assert.deepEqual(verdict.cause?.certificates, [certificate]);
  assert.equal(world.view.count('hold'), 0);
  assert.equal(world.gate.radius(0), before);
  // It was for these changes and no others.
  assert.notEqual(world.judge(world.deletion(11), cause('api'), 11).kind, 'admit');
});

test('gate: a scope given before lets so many load balancers of so much through, for so long', () => {
  const world = new World(region([['111111111111', 60]]));
  const eve = new TestOperator('eve');
  world.employ(eve);
  const covers = { kind: 'scope', principal: '111111111111/*', channel: 'api' } as const;
  world.approve(eve.approve(covers, { loadBalancersMax: 30 }), 1);
  assert.equal(world.deletionsFrom(1, cause('api'), 2), 9 + 30);
  assert.equal(world.view.get('approval', '00000000000000a1')?.usedBy, 30);
  assert.notEqual(world.judge(world.deletion(40), cause('api'), 3).kind, 'admit');
});

test('gate: an approval of the wrong person, place, time, changes or size is worth nothing', () => {
  const { world, eve, digest, deletion } = heldWorld();
  const mallory = new TestOperator('mallory');
  const clerk = new TestOperator('clerk', ['govern']);
  world.employ(clerk);
  const covers = { kind: 'digest', digest } as const;
  const changed = eve.approve(covers);
  const refused: readonly (readonly [Certificate, RegExp])[] = [
    [mallory.approve(covers), /there is no operator 'mallory'/],
    [mallory.approve(covers, { approver: 'eve' }), /not signed by eve's key/],
    [clerk.approve(covers), /clerk does not have the right 'approve'/],
    [eve.approve(covers, { environment: 'staging' }), /is for environment 'staging', and this is 'test'/],
    [eve.approve(covers, { region: 'eu-1' }), /is for region 'eu-1'/],
    [eve.approve(covers, { storeId: 'other' }), /is for store 'other'/],
    [{ ...changed, statement: changed.statement.replace('1000,', '9000,') }, /not signed by eve's key/],
    [eve.sign('{}'), /is no approval of Ballast/],
    [eve.sign('{'), /not JSON/],
    [eve.approve(covers, { notAfterMs: 10 ** 12 }), /holds for longer than 24 hours/],
  ];
  for (const [certificate, why] of refused) {
    const document = { ...approvalDocument(changed), certificate };
    const id = '00000000000000a1';
    const by = { ...cause('maintenance', 'operator'), action: 'Approve' };
    assert.match(refusalOf(world.judge([put(world.view, 'approval', id, document)], by, 1)), why);
    // Nor when it came into the state some other way.
    world.apply([put(world.view, 'approval', id, document)]);
    assert.notEqual(world.judge(deletion(), cause('api'), 5).kind, 'admit');
    world.apply([remove(world.view, 'approval', id)]);
  }
  const useless: readonly Certificate[] = [
    eve.approve(covers, { notBeforeMs: 100 }),
    eve.approve(covers, { notAfterMs: 4 }),
    eve.approve(covers, { loadBalancersMax: 0 }),
    eve.approve({ kind: 'digest', digest: digestOfChanges(world.deletion(11)) }),
    eve.approve({ kind: 'scope', principal: bob, channel: 'api' }),
    eve.approve({ kind: 'scope', principal: ada, channel: 'restore' }),
    eve.approve({ kind: 'scope', principal: '11111111111/*', channel: 'api' }),
  ];
  for (const certificate of useless) {
    assert.equal(world.approve(certificate).kind, 'admit');
    assert.notEqual(world.judge(deletion(), cause('api'), 5).kind, 'admit');
    world.apply([remove(world.view, 'approval', '00000000000000a1')]);
  }
});

test('gate: nobody approves their own, and what the region asks for without a name takes two people', () => {
  const world = new World(region([['111111111111', 30]]));
  const [eve, pat] = [new TestOperator('eve'), new TestOperator('pat')];
  world.employ(eve, pat);
  const many = Array.from({ length: 12 }, (_, index) => world.deletion(index + 1)).flat();
  const digest = digestOfChanges(many);
  world.approve(eve.approve({ kind: 'digest', digest }));
  assert.notEqual(world.judge(many, cause('restore', 'operator/eve'), 5).kind, 'admit');
  assert.equal(world.judge(many, cause('restore', 'operator/pat'), 5).kind, 'admit');
  assert.notEqual(world.judge(many, cause('restore', 'operator'), 5).kind, 'admit');
  // Twice the same person is one person.
  world.approve(eve.approve({ kind: 'digest', digest }, { id: '00000000000000a2' }));
  assert.notEqual(world.judge(many, cause('restore', 'operator'), 5).kind, 'admit');
  world.approve(pat.approve({ kind: 'digest', digest }, { id: '00000000000000a3' }));
  assert.equal(world.judge(many, cause('restore', 'operator'), 5).kind, 'admit');
});

test('gate: the approvals of one who is an operator no more fall, and those of a new key are not those of the old', () => {
  const { world, eve, pat, digest, deletion } = heldWorld();
  world.approve(eve.approve({ kind: 'digest', digest }));
  assert.equal(world.judge(deletion(), cause('api'), 5).kind, 'admit');
  world.apply([remove(world.view, 'operator', 'eve')]);
  assert.notEqual(world.judge(deletion(), cause('api'), 6).kind, 'admit');
  world.employ(new TestOperator('eve'));
  assert.notEqual(world.judge(deletion(), cause('api'), 7).kind, 'admit');
  world.approve(pat.approve({ kind: 'digest', digest }, { id: '00000000000000a4' }));
  assert.equal(world.judge(deletion(), cause('api'), 8).kind, 'admit');
});

test('gate: a limit is changed by two people, and by nobody while there are none', () => {
  const world = new World(region([['111111111111', 30]]));
  const limit = [put(world.view, 'limit', 'api', { percentMax: 100, countMin: 1_000, windowSeconds: 60 })];
  const by = cause('maintenance', 'operator/eve');
  assert.equal(world.transact(limit, by, 0).kind, 'hold');
  const { digest, right } = world.hold.document;
  assert.equal(right, 'govern');
  const [eve, pat, clerk] = [new TestOperator('eve'), new TestOperator('pat'), new TestOperator('clerk', ['approve'])];
  world.employ(eve, pat, clerk);
  assert.match(refusalOf(world.approve(clerk.approve({ kind: 'digest', digest }))), /does not have the right 'govern'/);
  world.approve(eve.approve({ kind: 'digest', digest }, { id: '00000000000000a2' }));
  assert.notEqual(world.judge(limit, by, 5).kind, 'admit');
  world.approve(pat.approve({ kind: 'digest', digest }, { id: '00000000000000a3' }));
  assert.equal(world.transact(limit, by, 5).kind, 'admit');
  assert.equal(world.deletionsFrom(1, cause('api'), 6), 30);
});

test('gate: the first operators come by themselves, later ones by the word of those who are there', () => {
  const world = new World(region([]));
  const people = ['eve', 'pat', 'kim', 'lee'].map((name) => new TestOperator(name));
  const [eve, pat, kim] = people as [TestOperator, TestOperator, TestOperator];
  const join = ({ name, document }: TestOperator) => [put(world.view, 'operator', name, document)];
  assert.equal(world.transact(join(eve), cause('maintenance', 'operator'), 0).kind, 'admit');
  // Eve alone is asked about the second, unless she brings him herself.
  const second = world.judge(join(pat), cause('maintenance', 'operator'), 0);
  assert(second.kind === 'hold');
  assert.equal(world.transact(join(pat), cause('maintenance', 'operator/eve'), 0).kind, 'admit');
  const third = world.transact(join(kim), cause('maintenance', 'operator/eve'), 0);
  assert(third.kind === 'hold');
  world.approve(pat.approve({ kind: 'digest', digest: world.hold.document.digest }));
  assert.equal(world.transact(join(kim), cause('maintenance', 'operator/eve'), 1).kind, 'admit');
  // Of three, one cannot get rid of another alone.
  const rid = [remove(world.view, 'operator', 'pat')];
  assert.equal(world.judge(rid, cause('maintenance', 'operator/eve'), 2).kind, 'hold');
  const bad = put(world.view, 'operator', 'x', { publicKey: 'AAAA', rights: ['approve'], createdAtMs: 0 });
  assert.match(refusalOf(world.judge([bad], cause('maintenance', 'operator/eve'), 2)), /no Ed25519 public key/);
});

test('gate: of an approved plan exactly its changes are made, and only while it is carried out', () => {
  const world = new World(region([['111111111111', 30]]));
  const [eve, pat] = [new TestOperator('eve'), new TestOperator('pat')];
  world.employ(eve, pat);
  const plan = [1, 2].flatMap((number) => world.deletion(number));
  const digest = digestOfChanges(plan);
  const request = {
    process: 'clean',
    parameters: {},
    digest,
    changesCount: plan.length,
    harmed: [],
    harmedCount: 2,
    summary: [],
    requestedBy: 'operator/eve',
    environment: testPlace.environment,
    reason: '',
    approvalsNeeded: 1,
    requestedAtMs: 0,
    expiresAtMs: 1_000,
  };
  const put1 = (id: string, but: object) => world.apply([put(world.view, 'request', id, { ...request, ...but })]);
  put1('r1', {});
  put1('r2', { environment: 'staging' });
  put1('r3', { expiresAtMs: 3 });
  const open = (id: string, changes = plan, of = digest) => world.gate.open(world.view, id, changes, of, 5);
  assert.match(String(open('r0')), /there is no request r0/);
  assert.match(String(open('r1')), /needs the approval of another person, and has 0/);
  world.approve(eve.approve({ kind: 'digest', digest }));
  assert.match(String(open('r1')), /has 0: eve asked for it, and nobody approves their own/);
  world.approve(pat.approve({ kind: 'digest', digest }, { id: '00000000000000a2', loadBalancersMax: 1 }));
  assert.match(String(open('r1')), /needs the approval of another person, and has 1/);
  world.approve(pat.approve({ kind: 'digest', digest }, { id: '00000000000000a3' }));
  assert.match(String(open('r2')), /is for environment 'staging', and this is 'test'/);
  assert.match(String(open('r3')), /has expired/);
  assert.match(String(open('r1', plan.slice(1), 'other')), /not the one of request r1 any more/);

  const by = { ...cause('maintenance', 'operator/eve'), grant: 'r1' };
  assert.match(refusalOf(world.judge(world.deletion(1), by, 5)), /nobody has approved it/);
  const run = open('r1');
  assert(typeof run !== 'string');
  assert.match(refusalOf(world.judge(world.deletion(3), by, 5)), /listener l3 is not in the plan that was approved/);
  const verdict = world.transact(world.deletion(1), by, 5);
  assert(verdict.kind === 'admit');
  assert.equal(verdict.cause?.certificates?.length, 1);
  run.end();
  assert.match(refusalOf(world.judge(world.deletion(2), by, 5)), /nobody has approved it/);
});

test('gate: a protected load balancer is changed by nobody but who mends, everything else goes on', () => {
  const gate = testGate({
    hasProtected: () => true,
    protection: (id) => (id === 'lb1' ? 'web-1 is protected since noon, incident inc-1' : undefined),
  });
  const world = new World(region([['111111111111', 30]]), gate);
  const touching: readonly (readonly Change[])[] = [
    world.deletion(1),
    [remove(world.view, 'listener', 'l1')],
    [put(world.view, 'listener', 'l99', { ...world.view.get('listener', 'l1')!, port: 81 })],
    [put(world.view, 'placement', 'lb1/node-2', { ...placement('node-2'), loadBalancerId: 'lb1' })],
    [put(world.view, 'load-balancer', 'lb1', { ...world.view.get('load-balancer', 'lb1')!, tags: [] })],
  ];
  for (const changes of touching) {
    for (const channel of ['api', 'workflow'] as const) {
      assert.equal(
        refusalOf(world.judge(changes, cause(channel), 0)),
        'ServiceUnavailable: web-1 is protected since noon, incident inc-1',
      );
    }
    assert.equal(world.judge(changes, cause('restore', 'ballast'), 0).kind, 'admit');
  }
  assert.equal(world.judge(world.deletion(2), cause('api'), 0).kind, 'admit');
});
