/**
 * Feeds targets in turn, each with inputs that depend on the seed and their number alone, and makes what finds a fault
 * smaller. It never decides by the clock what an input is, so whatever is found can be found again.
 */
import { Luck } from '#proxy/http1/test-mutations.ts';
import type { Finding, FuzzCheck, FuzzInput, FuzzTarget, Verdict } from './input.ts';

export interface FuzzOptions {
  readonly targets: readonly FuzzTarget[];
  readonly seed: number;
  /** Called before each input, with how many there were; true ends it. */
  readonly isOver: (inputs: number) => boolean;
  readonly onFinding?: (finding: Finding) => void;
  /** Ends at the first finding, and leaves it as large as it is. */
  readonly isQuick?: boolean;
}

export interface TargetTally {
  inputs: number;
  /** Inputs that were taken for something, and not refused whole. */
  accepted: number;
}

export interface FuzzResult {
  readonly tallies: Readonly<Record<string, TargetTally>>;
  readonly findings: readonly Finding[];
}

/** Of one target: whoever has found so much need not look for more. */
const findingsMax = 5;
/** A stand that was fed so much is made anew: what tests keep for their end would fill memory within hours. */
const inputsPerOpening = 5_000;
const attemptsMax = 400;

export async function fuzz({ targets, seed, isOver, onFinding, isQuick = false }: FuzzOptions): Promise<FuzzResult> {
  const runs = targets.map((target) => new TargetRun(target, seed, isQuick));
  const crashes = watchForCrashes();
  const findings: Finding[] = [];
  let inputs = 0;
  try {
    for (let open = runs; open.length > 0 && !isOver(inputs); open = open.filter(({ isDone }) => !isDone)) {
      for (const run of open) {
        for (let count = 0; count < run.target.turn && !run.isDone && !isOver(inputs); count += 1) {
          inputs += 1;
          const finding = await run.next(crashes);
          if (finding === undefined) continue;
          findings.push(finding);
          onFinding?.(finding);
        }
        // Not all targets ever wait: signals come in between turns.
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
    return { tallies: Object.fromEntries(runs.map(({ target, tally }) => [target.name, tally])), findings };
  } finally {
    crashes.stop();
    for (const run of runs) await run.close();
  }
}

/** Feeds one target with one input. */
export async function replay(target: FuzzTarget, input: FuzzInput): Promise<Verdict> {
  const crashes = watchForCrashes();
  const check = await target.open();
  try {
    return await judged(check, input, crashes);
  } finally {
    crashes.stop();
    await check.close();
  }
}

class TargetRun {
  readonly target: FuzzTarget;
  readonly tally: TargetTally = { inputs: 0, accepted: 0 };
  readonly #seed: number;
  readonly #isQuick: boolean;
  #check: FuzzCheck | undefined;
  #findings = 0;

  constructor(target: FuzzTarget, seed: number, isQuick: boolean) {
    this.target = target;
    this.#seed = seed;
    this.#isQuick = isQuick;
  }

  get isDone(): boolean {
    return this.#findings >= (this.#isQuick ? 1 : findingsMax);
  }

  async next(crashes: Crashes): Promise<Finding | undefined> {
    const index = this.tally.inputs;
    if (index % inputsPerOpening === 0) await this.close();
    const input = this.target.make(new Luck(this.#seed + Math.imul(index, 0x9e3779b1)));
    this.#check ??= await this.target.open();
    const { fault, isAccepted } = await judged(this.#check, input, crashes);
    this.tally.inputs += 1;
    if (isAccepted) this.tally.accepted += 1;
    if (fault === undefined) return undefined;
    this.#findings += 1;
    // After a fault nothing is known about the state of the stand.
    await this.close();
    const smallest = this.#isQuick ? { input, fault } : await smaller(this.target, { input, fault }, crashes);
    return { target: this.target.name, ...smallest, seed: this.#seed, index };
  }

  async close(): Promise<void> {
    const check = this.#check;
    this.#check = undefined;
    await check?.close();
  }
}

interface Faulty {
  readonly input: FuzzInput;
  readonly fault: string;
}

/** Takes away what is not needed for a fault of the same kind: pieces first, then halves, quarters … of the text. */
async function smaller(target: FuzzTarget, found: Faulty, crashes: Crashes): Promise<Faulty> {
  let best = found;
  let attempts = 0;
  const beginMs = performance.now();
  const attempt = async (input: FuzzInput): Promise<boolean> => {
    attempts += 1;
    const check = await target.open();
    try {
      const { fault } = await judged(check, input, crashes);
      if (fault === undefined || kindOf(fault) !== kindOf(found.fault)) return false;
      best = { input, fault };
      return true;
    } finally {
      await check.close();
    }
  };
  // What is found by waiting in vain takes its time at each attempt.
  const mayGoOn = () => attempts < attemptsMax && performance.now() - beginMs < 60_000;
  if (best.input.cuts.length > 0) await attempt({ ...best.input, cuts: [] });
  for (let length = Math.ceil(best.input.text.length / 2); length >= 1 && mayGoOn(); length = Math.floor(length / 2)) {
    for (let at = 0; at < best.input.text.length && mayGoOn(); ) {
      const { text, cuts } = best.input;
      const shorter = text.slice(0, at) + text.slice(at + length);
      const moved = cuts.map((cut) => (cut <= at ? cut : Math.max(at, cut - length)));
      if (!(await attempt({ ...best.input, text: shorter, cuts: moved }))) at += length;
    }
  }
  return best;
}

/** What numbers and quotations a fault has depends on the input. */
function kindOf(fault: string): string {
  return fault
    .replace(/["'<{[].*/s, '')
    .replace(/\d+/g, '0')
    .slice(0, 24);
}

async function judged(check: FuzzCheck, input: FuzzInput, crashes: Crashes): Promise<Verdict> {
  return new Promise((resolve) => {
    const fail = (fault: string) => resolve({ fault, isAccepted: false });
    // Nothing is left of it afterwards: what is chained to a promise that never settles would add up over hours.
    crashes.onCrash = fail;
    check.check(input).then(resolve, (error) => fail(error instanceof Error ? error.message : String(error)));
  });
}

interface Crashes {
  /** Is told of what throws and nobody waits for: within the callback of a socket, say. */
  onCrash: ((fault: string) => void) | undefined;
  stop(): void;
}

function watchForCrashes(): Crashes {
  const onError = (error: Error) => crashes.onCrash?.(`it crashed: ${error.stack ?? error.message}`);
  const crashes: Crashes = { onCrash: undefined, stop: () => void process.off('uncaughtException', onError) };
  process.on('uncaughtException', onError);
  return crashes;
}
