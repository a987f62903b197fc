import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { checkLaws } from '#control/elbv2/test-laws.ts';
import { TestRegion, testSettings } from '#control/elbv2/test-region.ts';
import { begin, type Step, step } from '#control/elbv2/test-steps.ts';
import type { History } from '#journal/history.ts';
import type { Change } from '#model/change.ts';
import { type Documents, type Kind, kinds } from '#model/documents.ts';
import { breachOf } from '#model/laws.ts';
import { type IndexName, indexes, keysOf, type View } from '#model/view.ts';
import { Looking } from './looking.ts';
import { restore } from './restore.ts';
import { revert } from './revert.ts';
import { JournalRegion, settled, type Told, told } from './test-journal-region.ts';

/** The plain model: a full copy of the state for every revision. */
type Copy = ReadonlyMap<string, Documents[Kind]>;

/** Notes what is changed, so that it can be done again in a real journal. */
class NotingRegion extends TestRegion {
  readonly noted: (readonly Change[])[] = [];

  override apply(changes: readonly Change[]): void {
    super.apply(changes);
    if (changes.length > 0) this.noted.push(changes);
  }
}

const serve: fc.Arbitrary<Step> = fc.constantFrom('node-1', 'node-2').map(
  (nodeId): Step =>
    (region) => {
      const placements = [...region.tables.find('placementsOfNode', nodeId)];
      region.report(nodeId, ...placements.map(({ document }) => ({ loadBalancerId: document.loadBalancerId })));
    },
);

const share = fc.double({ min: 0, max: 1, noNaN: true });

const scene = fc.record({
  steps: fc.array(fc.oneof({ weight: 8, arbitrary: step }, { weight: 1, arbitrary: serve }), {
    minLength: 10,
    maxLength: 60,
    size: 'max',
  }),
  looks: fc.array(share, { minLength: 2, maxLength: 2 }),
  returns: fc.array(fc.record({ what: fc.constantFrom('revert', 'revert', 'restore'), from: share, length: share }), {
    minLength: 1,
    maxLength: 4,
  }),
});

test('past: views, diffs, reverts and restores are those of a plain model that keeps a copy of every state', async () => {
  await fc.assert(
    fc.asyncProperty(scene, async ({ steps, looks, returns }) => {
      const cleanUps: (() => unknown)[] = [];
      const region = new JournalRegion({ after: (cleanUp) => cleanUps.push(cleanUp as () => unknown) });
      try {
        const copies = await replay(region, steps);
        for (const look of looks) checkPast(await region.journal.history(), copies, pickAt(look, region.revision));
        const [from, to] = looks.map((look) => 1 + pickAt(look, region.revision - 1)) as [number, number];
        await checkDiff(region, copies, from, to);
        for (const { what, from, length } of returns) {
          if (what === 'restore') await checkRestore(region, copies, pickAt(from, region.revision));
          else {
            const first = 1 + pickAt(from, region.revision - 1);
            await checkRevert(region, copies, first, first + pickAt(length, Math.min(4, region.revision - first)));
          }
          checkLaws(region.view);
          checkLawTable(region.view);
        }
        checkPast(await region.journal.history(), copies, pickAt(looks[0]!, region.revision));
        await checkDiff(region, copies, from, region.revision);
      } finally {
        for (const cleanUp of cleanUps) await cleanUp();
      }
    }),
    { numRuns: 150 },
  );
});

/** The steps happen in a region of plain tables, and what they change is written by the journal. */
async function replay(region: JournalRegion, steps: readonly Step[]): Promise<Copy[]> {
  const plain = new NotingRegion();
  const arns = begin(plain);
  for (const run of steps) run(plain, arns);
  const copies: Copy[] = [new Map()];
  for (const changes of plain.noted) {
    await region.step(() => changes, 'api');
    const copy = new Map(copies.at(-1));
    for (const { kind, id, after } of changes) {
      if (after === null) copy.delete(`${kind}/${id}`);
      else copy.set(`${kind}/${id}`, after);
    }
    copies.push(copy);
  }
  region.nowMs = plain.nowMs + 1;
  return copies;
}

function pickAt(share: number, max: number): number {
  return Math.round(share * max);
}

/** A view of the revision says what the copy says, through every way of asking. */
function checkPast(history: History, copies: readonly Copy[], revision: number): void {
  const copy = copies[revision]!;
  const view = history.viewAt(revision);
  for (const kind of kinds) {
    const wanted = [...copy].filter(([key]) => key.startsWith(`${kind}/`));
    const found = new Map([...view.all(kind)].map(({ id, document }) => [`${kind}/${id}`, document]));
    assert.deepEqual(plainly(found), plainly(new Map(wanted)));
    assert.equal(view.count(kind), wanted.length);
    for (const [key, document] of wanted) assert.deepEqual(view.get(kind, idOf(key)), plainJson(document));
  }
  for (const index of Object.keys(indexes) as IndexName[]) {
    if (indexes[index].past === 'none') continue;
    const { kind } = indexes[index];
    const wanted = new Map<string, string[]>();
    for (const [key, document] of copy) {
      if (!key.startsWith(`${kind}/`)) continue;
      for (const found of keysOf(index, document)) wanted.set(found, [...(wanted.get(found) ?? []), idOf(key)]);
    }
    for (const [found, ids] of wanted) {
      assert.deepEqual([...view.find(index, found)].map(({ id }) => id).toSorted(), ids.toSorted(), index);
    }
  }
}

/** What differs between two revisions, in either direction, is what differs between their copies, member by member. */
async function checkDiff(region: JournalRegion, copies: readonly Copy[], from: number, to: number): Promise<void> {
  const looking = new Looking(region.journal, testSettings);
  const moment = (revision: number) => ({ kind: 'revision', revision }) as const;
  const answer = await looking.diff({ from: moment(from), to: moment(to) });
  assert(answer.ok);
  const found = [...answer.value].filter((line) => line?.type === 'change');
  const [before, after] = [copies[from]!, copies[to]!];
  const wanted: string[] = [];
  for (const key of new Set([...before.keys(), ...after.keys()])) {
    const [was, is] = [before.get(key), after.get(key)];
    if (JSON.stringify(was) === JSON.stringify(is)) continue;
    const [old, now] = [was ?? {}, is ?? {}].map((document) => membersOf(document));
    const names = [...new Set([...Object.keys(old!), ...Object.keys(now!)])].filter(
      (name) => old![name] !== now![name],
    );
    const members = names.toSorted().map((name) => `${name}: ${old![name]} > ${now![name]}`);
    wanted.push(`${was === undefined ? 'added' : is === undefined ? 'removed' : 'changed'} ${key} ${members}`);
  }
  const told = found.map(({ did, kind, id, members }) => {
    const texts = members.map(
      ({ member, ...values }) => `${member}: ${JSON.stringify(values.before)} > ${JSON.stringify(values.after)}`,
    );
    return `${did} ${kind}/${id} ${texts.toSorted()}`;
  });
  assert.deepEqual(told.toSorted(), wanted.toSorted());
}

/** By their paths: each tag, each attribute, and what else is in an object is a member of its own. */
function membersOf(value: object, path = ''): Record<string, string> {
  const members: Record<string, string> = {};
  for (const [name, inside] of Object.entries(value)) {
    if (name === 'tags') for (const { key, value: text } of inside) members[`tags.${key}`] = JSON.stringify(text);
    else if (typeof inside !== 'object' || Array.isArray(inside)) members[path + name] = JSON.stringify(inside);
    else Object.assign(members, membersOf(inside, `${path}${name}.`));
  }
  return members;
}

async function checkRevert(region: JournalRegion, copies: Copy[], from: number, to: number): Promise<void> {
  const [base, theirs, ours] = [copies[from - 1]!, copies[to]!, copies.at(-1)!];
  const plan = await told(revert(region.travel, { from, to, dryRun: true }));
  assert.equal(region.revision, copies.length - 1, 'a dry run writes nothing');
  const done = await told(revert(region.travel, { from, to }));
  assert.deepEqual(done.conflicts, plan.conflicts);
  const after = remember(region, copies);
  const hindered = new Set(done.conflicts.map(({ key }) => key));
  for (const key of new Set([...base.keys(), ...theirs.keys(), ...ours.keys(), ...after.keys()])) {
    const kind = kindOf(key);
    const sides = { base: base.get(key), theirs: theirs.get(key), ours: ours.get(key) };
    const wanted = goesBack(kind) ? mergePlainly(kind, sides) : sides.ours;
    if (isLike(kind, after.get(key), wanted)) continue;
    if (isPlacedAnew(kind, wanted, ours.get(key))) continue;
    assert(hindered.has(key), `${key} is not what it should be, and no conflict says why`);
    assert(isLike(kind, after.get(key), sides.ours) || wanted !== undefined, `${key} stays as it is`);
  }
  checkTold(plan, ours, after);
  if (done.result.revision !== undefined && done.conflicts.length === 0) {
    await told(revert(region.travel, { from: done.result.revision, to: done.result.revision }));
    const back = remember(region, copies);
    for (const key of new Set([...ours.keys(), ...back.keys()])) {
      assert(isLike(kindOf(key), back.get(key), ours.get(key)), `${key} is as it was before the revert`);
    }
  }
}

async function checkRestore(region: JournalRegion, copies: Copy[], revision: number): Promise<void> {
  const [wanted, ours] = [copies[revision]!, copies.at(-1)!];
  const { conflicts } = await told(restore(region.travel, { at: { kind: 'revision', revision } }));
  const after = remember(region, copies);
  const hindered = new Set(conflicts.map(({ key }) => key));
  for (const key of new Set([...wanted.keys(), ...ours.keys(), ...after.keys()])) {
    const kind = kindOf(key);
    const right = goesBack(kind) ? wanted.get(key) : ours.get(key);
    if (isPlacedAnew(kind, right, ours.get(key))) continue;
    assert(isLike(kind, after.get(key), right) || hindered.has(key), `${key} is as it was at ${revision}`);
  }
  // Nodes do not go back, so only what refers to one can be in the way of a state that was whole once.
  assert.deepEqual(
    conflicts.filter(({ kind }) => kind !== 'placement'),
    [],
  );
}

/** A load balancer that comes back and cannot have its former addresses, or had none, is placed where nobody wanted. */
function isPlacedAnew(kind: Kind, wanted: Side, ours: Side): boolean {
  return kind === 'placement' && wanted === undefined && ours === undefined;
}

/** What a dry run tells is what then happened. */
function checkTold({ changes }: Told, ours: Copy, after: Copy): void {
  const told = changes.map(({ kind, id, did }) => `${did} ${kind}/${id}`);
  const happened: string[] = [];
  for (const key of new Set([...ours.keys(), ...after.keys()])) {
    if (!after.has(key)) happened.push(`removed ${key}`);
    else if (!ours.has(key)) happened.push(`added ${key}`);
    else if (JSON.stringify(ours.get(key)) !== JSON.stringify(after.get(key))) happened.push(`changed ${key}`);
  }
  assert.deepEqual(told.toSorted(), happened.toSorted());
}

/** Every document of a lawful state is found lawful. */
function checkLawTable(view: View): void {
  for (const kind of kinds) {
    for (const { id, document } of view.all(kind)) assert.equal(breachOf<Kind>(view, kind, id, document), undefined);
  }
}

function remember(region: JournalRegion, copies: Copy[]): Copy {
  const copy = new Map<string, Documents[Kind]>();
  for (const kind of kinds) for (const { id, document } of region.view.all(kind)) copy.set(`${kind}/${id}`, document);
  if (region.revision === copies.length) copies.push(copy);
  assert.equal(region.revision, copies.length - 1);
  return copy;
}

type Side = Documents[Kind] | undefined;

/** The merge in the plainest way: member by member where all three are there, else as a whole; conflicts keep ours. */
function mergePlainly(kind: Kind, { base, theirs, ours }: { base: Side; theirs: Side; ours: Side }): Side {
  if (isLike(kind, base, theirs)) return ours;
  if (isLike(kind, ours, theirs)) return base;
  if (base === undefined || theirs === undefined || ours === undefined) return ours;
  const [was, became, is] = [base, theirs, ours].map((document) => flatten(kind, document)) as [Flat, Flat, Flat];
  const merged = { ...is };
  for (const member of new Set([...Object.keys(was), ...Object.keys(became)])) {
    if (was[member] === became[member] || is[member] !== became[member]) continue;
    if (was[member] === undefined) delete merged[member];
    else merged[member] = was[member];
  }
  return unflatten(merged, ours);
}

type Flat = Record<string, string | undefined>;

function flatten(kind: Kind, document: Documents[Kind]): Flat {
  const flat: Flat = {};
  for (const [name, value] of Object.entries(document)) {
    if (name === 'tags') for (const { key, value: text } of value) flat[`tags ${key}`] = JSON.stringify(text);
    else if (name === 'attributes')
      for (const [key, text] of Object.entries(value)) flat[`attributes ${key}`] = JSON.stringify(text);
    else if (name !== 'state' || (kind !== 'target' && kind !== 'placement')) flat[name] = JSON.stringify(value);
  }
  return flat;
}

function unflatten(flat: Flat, ours: Documents[Kind]): Documents[Kind] {
  const document: Record<string, unknown> = { ...ours };
  if ('tags' in ours) document.tags = [];
  if ('attributes' in ours) document.attributes = {};
  for (const [member, text] of Object.entries(flat)) {
    const value = JSON.parse(text!) as unknown;
    const [place, key] = [member.slice(0, member.indexOf(' ')), member.slice(member.indexOf(' ') + 1)];
    if (place === 'tags') (document.tags as object[]).push({ key, value });
    else if (place === 'attributes') (document.attributes as Record<string, unknown>)[key] = value;
    else document[member] = value;
  }
  return document as unknown as Documents[Kind];
}

/** Whether two documents stand for the same: not when something was observed, nor in which order tags stand. */
function isLike(kind: Kind, one: Side, other: Side): boolean {
  const [some, others] = [one, other].map((document) => {
    if (document === undefined) return undefined;
    if (kind === 'target') {
      if ((document as Documents['target']).state.kind === 'draining') return undefined;
      return { ...document, state: undefined };
    }
    const plain = settled(kind, document) as { readonly tags?: readonly { readonly key: string }[] };
    return plain.tags === undefined
      ? plain
      : { ...plain, tags: plain.tags.toSorted((a, b) => (a.key < b.key ? -1 : 1)) };
  });
  return JSON.stringify(inOrder(some)) === JSON.stringify(inOrder(others));
}

function inOrder(value: object | undefined): unknown {
  return value && Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
}

function goesBack(kind: Kind): boolean {
  return kind !== 'node' && kind !== 'principal' && kind !== 'access-key';
}

function kindOf(key: string): Kind {
  return key.slice(0, key.indexOf('/')) as Kind;
}

function idOf(key: string): string {
  return key.slice(key.indexOf('/') + 1);
}

function plainly(copy: ReadonlyMap<string, unknown>): unknown {
  return plainJson(Object.fromEntries([...copy].toSorted(([a], [b]) => (a < b ? -1 : 1))));
}

function plainJson(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}
