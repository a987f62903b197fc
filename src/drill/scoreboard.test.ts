import assert from 'node:assert/strict';
import test from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { type Paint, type ScenarioResult, scoreboard } from './scoreboard.ts';

const asItIs = (text: string) => text;
const plain: Paint = { strong: asItIs, faint: asItIs, good: asItIs, bad: asItIs };
/** What is good in green, what is bad in red. */
const colours: Paint = {
  strong: (text) => `\x1b[1m${text}\x1b[0m`,
  faint: (text) => `\x1b[2m${text}\x1b[0m`,
  good: (text) => `\x1b[32m${text}\x1b[0m`,
  bad: (text) => `\x1b[31m${text}\x1b[0m`,
};

const unharmed: ScenarioResult = {
  scenario: 'rows',
  title: 'Rows deleted',
  layersOff: [],
  loadBalancers: 1000,
  impaired: 0,
  requests: 48_211,
  failedRequests: 0,
  stalls: 0,
  noticedAfterMs: 310,
  isBarred: false,
  mendedAfterMs: 4212,
  events: [
    { afterMs: 0, text: 'the rows of 68 load balancers are gone' },
    { afterMs: 310, text: 'the sentinel names all 68' },
  ],
  notes: ['Nodes served from their last good state.'],
  target: { holds: true, missed: [] },
};

const harmed: ScenarioResult = {
  ...unharmed,
  scenario: 'bare',
  title: 'Everything off',
  layersOff: ['guard', 'brake'],
  impaired: 68,
  failedRequests: 1234,
  stalls: 41,
  noticedAfterMs: undefined,
  isBarred: false,
  mendedAfterMs: undefined,
  target: { holds: false, missed: ['no viewer may see a stall: 41 did'] },
};

/** The lines from the one that has `text` in it, as words: how far apart they stand is of no interest. */
const from = (lines: readonly string[], text: string) =>
  lines.slice(lines.findIndex((line) => line.includes(text))).map((line) => line.trim().replace(/ {2,}/g, ' | '));

test('scoreboard: our figures stand under those of 2012, in the same columns', () => {
  const lines = scoreboard([unharmed, harmed], plain);
  assert.deepEqual(from(lines, '  24 December 2012').slice(0, 1), [
    '24 December 2012 | 6.8 % | not published | many | 4 h 38 min | 23 h 41 min',
  ]);
  assert.deepEqual(from(lines, 'Rows deleted').slice(0, 5), [
    '✔ | Rows deleted | 0 of 1,000 | 0 of 48,211 | 0 | 310 ms | 4.2 s',
    'every layer of defence on',
    '✘ | Everything off | 68 of 1,000 (6.8 %) | 1,234 of 48,211 | 41 | not noticed | not mended',
    'switched off for this: guard, brake',
    'missed: no viewer may see a stall: 41 did',
  ]);
});

test('scoreboard: the timeline of the first scenario stands beside that of 2012, those of others by themselves, with their notes', () => {
  const lines = from(scoreboard([unharmed, harmed], plain), 'Rows deleted | rows'.replace(' | ', '  '));
  assert.equal(lines[0], 'Rows deleted | rows');
  assert.match(lines[2]!, /^start | a maintenance process, run by mistake, | │ | start | the rows of 68 /);
  assert.match(lines[3]!, / | │ | 310 ms | the sentinel names all 68$/);
  const declared = lines.findIndex((line) => line.startsWith('23 h 41 min | declared normal'));
  assert.equal(lines[declared + 1], 'Nodes served from their last good state.');
  assert.equal(lines.filter((line) => line.startsWith('~')).length, 2, 'two doubtful times, once');
  assert(lines.some((line) => line.startsWith('Everything off')));
  assert.ok(lines.includes('Everything off | bare'));
});

test('scoreboard: the bar between the timelines is one straight line', () => {
  const events = Array.from({ length: 50 }, (_, index) => ({ afterMs: index, text: `event ${index}` }));
  const lines = scoreboard([{ ...unharmed, events }, unharmed], plain).filter((line) => line.includes('│'));
  assert.ok(lines.length > 45);
  assert.equal(new Set(lines.map((line) => line.indexOf('│'))).size, 1);
});

test('scoreboard: the last line is the verdict', () => {
  const verdict = (...results: ScenarioResult[]) => scoreboard(results, plain).at(-1);
  assert.equal(verdict(unharmed), 'All held, and no viewer noticed anything.');
  assert.equal(verdict(unharmed, { ...unharmed, stalls: 1 }), 'All held what was promised.');
  assert.equal(verdict({ ...unharmed, requests: 0 }), 'All held what was promised.');
  assert.equal(verdict(unharmed, harmed), '1 of 2 missed what was promised.');
});

test('scoreboard: what was not mended is told from what there was no need to mend', () => {
  const rowOf = (isBarred: boolean) =>
    from(scoreboard([{ ...unharmed, isBarred, mendedAfterMs: undefined }], plain), '✔')[0]!;
  assert.match(rowOf(true), /no need$/);
  assert.match(rowOf(false), /not mended$/);
});

test('scoreboard: a share that is not nothing never shows as nothing', () => {
  const [row] = from(scoreboard([{ ...harmed, impaired: 1, loadBalancers: 5000 }], plain), '✘');
  assert.match(row!, /1 of 5,000 \(< 0\.1 %\)/);
});

test('scoreboard: no line is longer than 120 characters, whatever it has to tell', () => {
  const long = `${'several words and '.repeat(20)}${'x'.repeat(300)}`;
  const large = 123_456_789;
  const lines = scoreboard(
    [
      {
        scenario: 'a-scenario-with-a-name',
        title: long.slice(0, 90),
        layersOff: [long],
        loadBalancers: large,
        impaired: large,
        requests: large,
        failedRequests: large,
        stalls: large,
        noticedAfterMs: large,
        isBarred: false,
        mendedAfterMs: large,
        events: [{ afterMs: large, text: long }],
        notes: [long],
        target: { holds: false, missed: [long, long] },
      },
    ],
    plain,
  );
  for (const line of lines) assert.ok([...line].length <= 120, line);
  const letters = lines.join('').replaceAll(/[^x]/g, '').length;
  assert.ok(letters >= 5 * 300, 'and nothing is cut off');
});

test('scoreboard: colours change no column', () => {
  const painted = scoreboard([unharmed, harmed], colours);
  assert.deepEqual(painted.map(stripVTControlCharacters), scoreboard([unharmed, harmed], plain));
  assert.ok(painted.some((line) => line.includes('\x1b[32m0 of 48,211\x1b[0m')));
  assert.ok(painted.some((line) => line.includes('\x1b[31m1,234 of 48,211\x1b[0m')));
});
