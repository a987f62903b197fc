/**
 * Probes every target at its own interval and tells when a verdict changes. A target's probes never overlap, probes of
 * all targets together are bounded, and a target that stays keeps what is known of it when its settings change. When
 * many targets turn at once the fault may be ours; the harm is bounded where verdicts are used, by failing open.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '#io/clock.ts';
import { after, type Timer } from '#io/timers.ts';
import type { HealthCheckSettings } from '#model/documents.ts';
import type { HealthVerdict } from '#model/health.ts';
import { probe } from './probe.ts';
import { advanceStreak, beginProbe, type ProbeOutcome, type Streak, startStreak } from './streak.ts';

/** Probes in flight; others wait their turn. */
const probesMax = 256;
/** Targets that come together are first probed within this time, spread evenly. */
const firstProbeSpreadMs = 100;

export interface CheckedTarget {
  readonly key: string;
  readonly address: string;
  readonly port: number;
  readonly settings: HealthCheckSettings;
  /** What was known of it before this checker began. */
  readonly known?: HealthVerdict;
}

/** One probe that has come to its end. */
export interface Probed {
  readonly target: CheckedTarget;
  readonly startedAtMs: number;
  readonly durationMs: number;
  readonly outcome: ProbeOutcome;
}

interface Watched {
  target: CheckedTarget;
  streak: Streak;
  readonly abort: AbortController;
  timer: Timer | undefined;
}

export class Checker {
  readonly #onVerdict: (targetKey: string, verdict: HealthVerdict) => void;
  readonly #onProbed: (probed: Probed) => void;
  readonly #clock: Clock;
  readonly #watched = new Map<string, Watched>();
  /** Whose turn has come, last first, and who came after them: an array loses its last entry cheaply, not its first. */
  #waiting: Watched[] = [];
  #arrived: Watched[] = [];
  #probes = 0;

  /**
   * `onVerdict` is told the first verdict of each new target, and every change of verdict, reason or description;
   * `onProbed` every probe that came to an end.
   */
  constructor(
    onVerdict: (targetKey: string, verdict: HealthVerdict) => void,
    onProbed: (probed: Probed) => void,
    clock: Clock,
  ) {
    this.#onVerdict = onVerdict;
    this.#onProbed = onProbed;
    this.#clock = clock;
  }

  /** From now on exactly these targets are probed; those with health checks disabled are not. */
  setTargets(targets: readonly CheckedTarget[]): void {
    const wanted = new Map(targets.filter(({ settings }) => settings.enabled).map((target) => [target.key, target]));
    for (const [key, watched] of this.#watched) if (!wanted.has(key)) this.#drop(key, watched);
    const fresh: Watched[] = [];
    for (const [key, target] of wanted) {
      const watched = this.#watched.get(key);
      if (watched === undefined) {
        const begun: Watched = {
          target,
          streak: startStreak(target.known),
          abort: new AbortController(),
          timer: undefined,
        };
        this.#watched.set(key, begun);
        fresh.push(begun);
      } else if (!isDeepStrictEqual(watched.target.settings, target.settings)) {
        watched.target = target;
        // A wait that began under the old interval may be far too long.
        if (watched.timer !== undefined) this.#schedule(watched, 0);
      }
    }
    for (const [index, watched] of fresh.entries()) {
      this.#schedule(watched, (firstProbeSpreadMs * index) / fresh.length);
      if (watched.target.known === undefined) this.#onVerdict(watched.target.key, watched.streak.verdict);
    }
  }

  stop(): void {
    for (const [key, watched] of this.#watched) this.#drop(key, watched);
  }

  #drop(key: string, watched: Watched): void {
    this.#watched.delete(key);
    watched.timer?.stop();
    watched.abort.abort();
  }

  #schedule(watched: Watched, delayMs: number): void {
    watched.timer?.stop();
    watched.timer = after(delayMs, () => {
      watched.timer = undefined;
      this.#arrived.push(watched);
      this.#probeNext();
    });
  }

  #probeNext(): void {
    while (this.#probes < probesMax) {
      if (this.#waiting.length === 0) [this.#waiting, this.#arrived] = [this.#arrived.reverse(), []];
      const watched = this.#waiting.pop();
      if (watched === undefined) return;
      if (!watched.abort.signal.aborted) void this.#probe(watched);
    }
  }

  async #probe(watched: Watched): Promise<void> {
    this.#probes += 1;
    const { target } = watched;
    this.#tell(watched, beginProbe(watched.streak));
    const startedAtMs = this.#clock.wallMs();
    const startedMs = this.#clock.monotonicMs();
    const outcome = await probe(target, target.settings, watched.abort.signal);
    this.#probes -= 1;
    this.#probeNext();
    // Taken out while it was probed: nobody wants to know any more.
    if (watched.abort.signal.aborted) return;
    this.#onProbed({ target, startedAtMs, durationMs: this.#clock.monotonicMs() - startedMs, outcome });
    // Asked by settings that hold no longer: it says nothing about the new ones.
    if (watched.target !== target) return this.#schedule(watched, 0);
    this.#schedule(watched, target.settings.intervalSeconds * 1000);
    this.#tell(watched, advanceStreak(watched.streak, outcome, target.settings));
  }

  #tell(watched: Watched, streak: Streak): void {
    const before = watched.streak.verdict;
    watched.streak = streak;
    if (!isDeepStrictEqual(streak.verdict, before)) this.#onVerdict(watched.target.key, streak.verdict);
  }
}
