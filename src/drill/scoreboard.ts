/**
 * What the drill prints in the end: our figures under those of 2012, then what happened when, beside what happened when
 * in 2012. Pure, and for a reader who knows neither: every figure has its name, and what was never published says so.
 */
import { assert } from '#base/assert.ts';
import { formatDuration } from '#base/duration.ts';
import { dayOf2012 } from './day-of-2012.ts';

export interface ScenarioResult {
  /** Its short name, as on the command line. */
  readonly scenario: string;
  /** What was done to the region, in a few words. */
  readonly title: string;
  /** The layers of defence that were switched off for it, as `guard`. */
  readonly layersOff: readonly string[];
  readonly loadBalancers: number;
  /** Load balancers that failed a viewer or a probe at any time. */
  readonly impaired: number;
  readonly requests: number;
  readonly failedRequests: number;
  /** Of all viewers together. */
  readonly stalls: number;
  /** Undefined if the damage was not noticed. */
  readonly noticedAfterMs: number | undefined;
  /** It was barred before it did any damage. */
  readonly isBarred: boolean;
  /** Undefined if it was not mended, or if there was nothing to mend. */
  readonly mendedAfterMs: number | undefined;
  /** In the order of time. */
  readonly events: readonly ScenarioEvent[];
  /** What a reader should know beside the figures, a sentence each. */
  readonly notes: readonly string[];
  readonly target: {
    readonly holds: boolean;
    /** What was promised and did not come true, a sentence each. */
    readonly missed: readonly string[];
  };
}

export interface ScenarioEvent {
  /** After the damage was done. */
  readonly afterMs: number;
  readonly text: string;
}

/** How the text is made visible; each leaves its width as it is. */
export interface Paint {
  readonly strong: (text: string) => string;
  readonly faint: (text: string) => string;
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
}

/** The lines to print, none longer than 120 characters. There is at least one result. */
export function scoreboard(results: readonly ScenarioResult[], paint: Paint): string[] {
  assert(results.length > 0, 'a scenario was played');
  return [
    ...introduction(paint),
    '',
    ...figures(results, paint),
    '',
    paint.strong('What happened when'),
    `  Times are counted from the damage; ~ marks those of 2012 that are less well attested.`,
    ...results.flatMap((result, index) => [
      '',
      ...(index === 0 ? timelines(result, paint) : ourTimeline(result, paint)),
    ]),
    '',
    // Last, where the eye is when the terminal has stopped scrolling.
    verdict(results, paint),
  ];
}

const columnsMax = 120;

function introduction(paint: Paint): string[] {
  const subscribers = `${dayOf2012.streamingSubscribers / 1_000_000} million subscribers`;
  const text = `On that day a maintenance process, run by mistake, deleted part of the state data of Amazon's load balancers \
in one region. Many viewers of a streaming service with ${subscribers} could not watch on Christmas Eve. Here the same \
kind of damage was done to a region of Ballast, with players watching live streams through it.`;
  return [
    paint.strong('24 December 2012, and the same day with Ballast'),
    ...wrap(text, columnsMax - 2).map((line) => `  ${line}`),
  ];
}

/** One cell: its text is wrapped to its column, then painted. */
interface Cell {
  readonly text: string;
  readonly paint?: (text: string) => string;
}

const figureWidths = [1, 37, 22, 18, 6, 11, 11] as const;

function figures(results: readonly ScenarioResult[], paint: Paint): string[] {
  const heads = ['', '', 'load balancers impaired', 'requests failed', 'stalls seen', 'noticed after', 'mended after'];
  const unknown: Cell = { text: 'not published', paint: paint.faint };
  const rule = paint.faint('─'.repeat(figureWidths.reduce((total, width) => total + width + 2, -2)));
  return [
    ...table(
      heads.map((text) => ({ text, paint: paint.faint })),
      figureWidths,
    ),
    ...table(
      [
        { text: '' },
        { text: '24 December 2012', paint: paint.strong },
        { text: formatShare(dayOf2012.impairedShare) },
        unknown,
        { text: 'many' },
        { text: formatDuration(dayOf2012.noticedAfterMs) },
        { text: formatDuration(dayOf2012.mendedAfterMs) },
      ],
      figureWidths,
    ),
    rule,
    ...results.flatMap((result) => scenarioFigures(result, paint)),
  ];
}

function scenarioFigures(result: ScenarioResult, paint: Paint): string[] {
  const { title, loadBalancers, impaired, requests, failedRequests, stalls, target } = result;
  const judge = (isGood: boolean) => (isGood ? paint.good : paint.bad);
  const share = impaired === 0 ? '' : ` (${formatShare(impaired / loadBalancers)})`;
  const aside = (text: string, how: (text: string) => string) => table([{ text: '' }, { text, paint: how }], [3, 110]);
  return [
    ...table(
      [
        { text: target.holds ? '✔' : '✘', paint: judge(target.holds) },
        { text: title, paint: paint.strong },
        { text: `${formatCount(impaired)} of ${formatCount(loadBalancers)}${share}`, paint: judge(impaired === 0) },
        {
          text: `${formatCount(failedRequests)} of ${formatCount(requests)}`,
          paint: judge(requests > 0 && failedRequests === 0),
        },
        { text: formatCount(stalls), paint: judge(stalls === 0) },
        noticed(result, paint),
        mended(result, paint),
      ],
      figureWidths,
    ),
    ...aside(layers(result), paint.faint),
    ...target.missed.flatMap((missed) => aside(`missed: ${missed}`, paint.bad)),
  ];
}

function noticed({ noticedAfterMs, target }: ScenarioResult, paint: Paint): Cell {
  if (noticedAfterMs !== undefined) return { text: formatDuration(noticedAfterMs) };
  return { text: 'not noticed', paint: target.holds ? paint.faint : paint.bad };
}

function mended({ mendedAfterMs, isBarred, target }: ScenarioResult, paint: Paint): Cell {
  if (mendedAfterMs !== undefined) return { text: formatDuration(mendedAfterMs) };
  if (isBarred) return { text: 'no need', paint: paint.faint };
  return { text: 'not mended', paint: target.holds ? paint.faint : paint.bad };
}

function layers({ layersOff }: ScenarioResult): string {
  return layersOff.length === 0 ? 'every layer of defence on' : `switched off for this: ${layersOff.join(', ')}`;
}

function verdict(results: readonly ScenarioResult[], paint: Paint): string {
  const missed = results.filter(({ target }) => !target.holds).length;
  if (missed > 0) return paint.bad(`${missed} of ${results.length} missed what was promised.`);
  // Where nobody watched, nobody can have failed to notice.
  const unseen = results.every(({ requests, failedRequests, stalls }) => requests > 0 && failedRequests + stalls === 0);
  return paint.good(unseen ? 'All held, and no viewer noticed anything.' : 'All held what was promised.');
}

const timelineWidths = { whenBefore: 12, textBefore: 43, whenNow: 11, textNow: 43 } as const;

function timelines(result: ScenarioResult, paint: Paint): string[] {
  const { whenBefore, textBefore, whenNow, textNow } = timelineWidths;
  const before = dayOf2012.timeline.flatMap((event) =>
    entry({ when: 'atMs' in event ? timeOf2012(event) : event.during, text: event.event }, whenBefore, textBefore),
  );
  const now = result.events.flatMap(({ afterMs, text }) => entry({ when: timeAfter(afterMs), text }, whenNow, textNow));
  const blank = (width: number) => ' '.repeat(width);
  const bar = paint.faint('│');
  const heads = [
    `${blank(whenBefore)}  ${'24 December 2012'.padEnd(textBefore)}`,
    `${blank(whenNow)}  ${'Ballast, today'.padEnd(textNow)}`,
  ] as const;
  return [
    `${paint.strong(result.title)}  ${paint.faint(result.scenario)}`,
    `  ${paint.faint(heads[0])}  ${bar}  ${paint.faint(heads[1].trimEnd())}`,
    ...Array.from({ length: Math.max(before.length, now.length) }, (_, index) =>
      `  ${before[index] ?? blank(whenBefore + 2 + textBefore)}  ${bar}  ${now[index] ?? ''}`.trimEnd(),
    ),
    ...result.notes.flatMap((note) => wrap(note, columnsMax - 2).map((line) => `  ${paint.faint(line)}`)),
  ];
}

/** What happened that day stands beside the first alone. */
function ourTimeline(result: ScenarioResult, paint: Paint): string[] {
  const { whenNow } = timelineWidths;
  return [
    `${paint.strong(result.title)}  ${paint.faint(result.scenario)}`,
    ...result.events
      .flatMap(({ afterMs, text }) => entry({ when: timeAfter(afterMs), text }, whenNow, columnsMax - whenNow - 4))
      .map((line) => `  ${line}`.trimEnd()),
    ...result.notes.flatMap((note) => wrap(note, columnsMax - 2).map((line) => `  ${paint.faint(line)}`)),
  ];
}

/** `~` marks the times that are the least well attested. */
function timeOf2012({ atMs, isDoubtful }: { readonly atMs: number; readonly isDoubtful: boolean }): string {
  return `${isDoubtful ? '~' : ''}${timeAfter(atMs)}`;
}

function timeAfter(durationMs: number): string {
  return durationMs === 0 ? 'start' : formatDuration(durationMs);
}

/** One event in lines of one width, its time before the first. */
function entry(
  { when, text }: { readonly when: string; readonly text: string },
  whenWidth: number,
  textWidth: number,
): string[] {
  return wrap(text, textWidth).map(
    (line, index) => `${(index === 0 ? when : '').padStart(whenWidth)}  ${line.padEnd(textWidth)}`,
  );
}

/** Cells beside each other, each wrapped to the width of its column. */
function table(cells: readonly Cell[], widths: readonly number[]): string[] {
  const columns = cells.map(({ text }, column) => wrap(text, widths[column]!));
  return Array.from({ length: Math.max(...columns.map(({ length }) => length)) }, (_, line) =>
    cells
      .map(({ paint = asItIs }, column) => {
        const text = columns[column]![line] ?? '';
        return (text === '' ? '' : paint(text)) + ' '.repeat(widths[column]! - text.length);
      })
      .join('  ')
      .trimEnd(),
  );
}

/** Lines broken between words; a word that is too long for a line is broken where the line ends. */
function wrap(text: string, width: number): string[] {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1)!;
    if (line !== '' && line.length + 1 + word.length > width) lines.push('');
    const rest = lines.at(-1)! === '' ? word : `${lines.at(-1)} ${word}`;
    lines[lines.length - 1] = rest.slice(0, width);
    for (let from = width; from < rest.length; from += width) lines.push(rest.slice(from, from + width));
  }
  return lines;
}

const asItIs = (text: string) => text;

/** `6.8 %`; what is not nothing never shows as `0 %`. */
function formatShare(share: number): string {
  const percent = share * 100;
  return percent > 0 && percent < 0.1 ? '< 0.1 %' : `${Number(percent.toFixed(1))} %`;
}

function formatCount(count: number): string {
  return count.toLocaleString('en-US');
}
