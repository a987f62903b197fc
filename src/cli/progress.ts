/**
 * How far a command is, on standard error: a line that is rewritten on a terminal, a line every few seconds in a log.
 * It shows nothing of what takes no longer than a second, and never stands between lines of output.
 */
import type { CommandContext } from './command.ts';
import { formatCount } from './style.ts';

const firstAfterMs = 1_000;
const redrawMs = 200;
const logEveryMs = 10_000;
const barCells = 24;

export interface ProgressState {
  readonly done: number;
  /** When it is known. */
  readonly total?: number;
  /** What is counted, in the plural: `lines`. */
  readonly unit: string;
}

export interface Progress {
  /** Says how far it is; may be called as often as there is news. */
  update(state: ProgressState): void;
  /** Takes the line off the terminal before something else is written there. It comes back when nothing follows. */
  hide(): void;
  end(): void;
}

export type ProgressPlace = Pick<CommandContext, 'errors' | 'every' | 'monotonicMs'> & {
  /** Where programs read it instead, as lines `{"type":"progress","done":…,"total":…,"unit":…}`. */
  readonly json?: Pick<CommandContext['output'], 'write'>;
};

/** Starts to show progress; `waitingFor` is shown while nothing is done yet, for instance `waiting for the answer`. */
export function startProgress(place: ProgressPlace, waitingFor: string): Progress {
  const { errors, monotonicMs, json } = place;
  const startMs = monotonicMs();
  let state: ProgressState | undefined;
  let quietSinceMs = startMs;
  let saidMs = startMs;
  let isShown = false;
  const seconds = (nowMs: number) => Math.floor((nowMs - startMs) / 1_000);

  const tick = () => {
    const nowMs = monotonicMs();
    if (json !== undefined) {
      if (state === undefined || nowMs - saidMs < firstAfterMs) return;
      saidMs = nowMs;
      json.write(`${JSON.stringify({ type: 'progress', ...state })}\n`);
    } else if (errors.isTerminal) {
      if (nowMs - quietSinceMs < firstAfterMs) return;
      isShown = true;
      errors.write(`\r${terminalLine(state, waitingFor, seconds(nowMs))}\x1b[K`);
    } else if (nowMs - saidMs >= logEveryMs) {
      saidMs = nowMs;
      errors.write(`${logLine(state, waitingFor, seconds(nowMs))}\n`);
    }
  };
  const hide = () => {
    quietSinceMs = monotonicMs();
    if (isShown) errors.write('\r\x1b[K');
    isShown = false;
  };
  const timer = place.every(redrawMs, tick);
  return {
    update: (next) => {
      state = next;
    },
    hide,
    end: () => {
      timer.stop();
      hide();
    },
  };
}

function terminalLine(state: ProgressState | undefined, waitingFor: string, seconds: number): string {
  if (state?.total === undefined) return `… ${logLine(state, waitingFor, seconds)}`;
  const share = shareOf(state.done, state.total);
  const cells = Math.floor(share * barCells);
  return `${'█'.repeat(cells)}${'░'.repeat(barCells - cells)} ${logLine(state, waitingFor, seconds)}`;
}

function logLine(state: ProgressState | undefined, waitingFor: string, seconds: number): string {
  if (state === undefined) return `${waitingFor}, ${seconds} s`;
  const { done, total, unit } = state;
  if (total === undefined) return `${formatCount(done)} ${unit}, ${seconds} s`;
  const share = shareOf(done, total);
  const percent = `${Math.floor(share * 100)} %`.padStart(5);
  const left = share === 0 ? '' : `, about ${Math.ceil((seconds * (1 - share)) / share)} s left`;
  return `${percent}  ${formatCount(done)} of ${formatCount(total)} ${unit}${left}`;
}

function shareOf(done: number, total: number): number {
  return total <= 0 ? 1 : Math.min(1, Math.max(0, done / total));
}
