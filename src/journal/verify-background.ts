/**
 * Verifies the journal while it is in use: one pass after the other, a few milliseconds at a time, at a rate that the
 * traffic of changes does not notice. Damage is said once and counted; it stops nothing, least of all the process.
 */
import type { Clock } from '#io/clock.ts';
import type { Log } from '#io/log.ts';
import { after, type Timer } from '#io/timers.ts';
import { type Verified, type VerifyOptions, type VerifyStep, verifyStore } from './verify.ts';
import { type Break, sayBreak } from './verify-break.ts';

/** Each turn takes about so long and reads about so many rows. */
const turn = { lengthMs: 5, rowsMax: 1_000 };
/** How much of the time it takes: a twentieth while a pass is under way, 10,000 rows a second at most. */
const usualPace = { everyMs: 100, pauseMs: 300_000 };

export interface VerifyStats {
  /** The last revision up to which a pass found the store whole. */
  readonly verifiedRevision: number;
  /** Passes that came to an end, whatever they found. */
  readonly passes: number;
  /** Whether the last pass found damage. */
  readonly damaged: boolean;
}

export interface BackgroundVerifier {
  readonly stats: VerifyStats;
  /** Begins a pass now, and takes half of the time for it. */
  hurry(): void;
  close(): void;
}

export function verifyInBackground(
  options: VerifyOptions & {
    readonly clock: Clock;
    readonly log: Log;
    readonly pace?: typeof usualPace;
    /** Told of what a pass has found. */
    readonly onBreak?: (found: Break) => void;
  },
): BackgroundVerifier {
  const { clock, log, pace = usualPace, onBreak } = options;
  let isHurried = false;
  let stats: VerifyStats = { verifiedRevision: 0, passes: 0, damaged: false };
  let pass: Generator<VerifyStep, Verified, void> | undefined;
  let timer: Timer = after(pace.everyMs, next);
  let said = '';

  function say(text: string): void {
    if (text !== said && text !== '') log.error(text);
    said = text;
  }

  function next(): void {
    let isDone = false;
    try {
      isDone = takeTurn();
    } catch (error) {
      // The disk or the memory of the machine: that is no finding, and the next pass may have more luck.
      say(`the journal cannot be verified: ${(error as Error).message}`);
      isDone = true;
    }
    if (isDone) {
      pass = undefined;
      isHurried = false;
    }
    timer = after(isHurried ? turn.lengthMs : isDone ? pace.pauseMs : pace.everyMs, next);
  }

  function takeTurn(): boolean {
    pass ??= verifyStore(options);
    const endMs = clock.monotonicMs() + turn.lengthMs;
    for (let rows = 0; rows < turn.rowsMax && clock.monotonicMs() < endMs; ) {
      const step = pass.next();
      if (step.done !== true) {
        rows += step.value.work;
        continue;
      }
      const { through, broken } = step.value;
      stats = {
        verifiedRevision: broken === undefined ? through : stats.verifiedRevision,
        passes: stats.passes + 1,
        damaged: broken !== undefined,
      };
      say(broken === undefined ? '' : sayBreak(broken).join('; '));
      if (broken !== undefined) onBreak?.(broken);
      return true;
    }
    return false;
  }

  return {
    get stats() {
      return stats;
    },
    hurry: () => {
      timer.stop();
      pass?.return({ from: 0, through: 0, changes: 0, broken: undefined });
      pass = undefined;
      isHurried = true;
      timer = after(0, next);
    },
    close: () => {
      timer.stop();
      // Closes its files.
      pass?.return({ from: 0, through: 0, changes: 0, broken: undefined });
      pass = undefined;
    },
  };
}
