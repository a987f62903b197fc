/**
 * How far something long has come, on standard error: a bar on a terminal, elsewhere a line every ten seconds. Standard
 * output stays free for results.
 */

const barWidth = 30;
const barPeriodMs = 100;
const linePeriodMs = 10_000;

export interface ProgressOutput {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

export class Progress {
  readonly #name: string;
  readonly #output: ProgressOutput;
  readonly #nowMs: () => number;
  #toldAtMs: number;
  #isDrawn = false;

  /** `name`: of the program, in front of each line. */
  constructor(name: string, output: ProgressOutput = process.stderr, nowMs: () => number = () => performance.now()) {
    this.#name = name;
    this.#output = output;
    this.#nowMs = nowMs;
    this.#toldAtMs = nowMs();
  }

  /** `share`: from 0 to 1; cheap enough to be called all the time: `text` is only asked when something is shown. */
  at(share: number, text: () => string): void {
    const nowMs = this.#nowMs();
    const isTerminal = this.#output.isTTY === true;
    if (nowMs - this.#toldAtMs < (isTerminal ? barPeriodMs : linePeriodMs)) return;
    this.#toldAtMs = nowMs;
    const whole = Math.min(1, Math.max(0, share));
    const percent = `${Math.floor(whole * 100)} %`.padStart(5);
    if (isTerminal) {
      const filled = Math.round(whole * barWidth);
      this.#output.write(`\r\x1b[K[${'#'.repeat(filled)}${'.'.repeat(barWidth - filled)}] ${percent}  ${text()}`);
      this.#isDrawn = true;
    } else this.#output.write(`${this.#name}: ${percent}  ${text()}\n`);
  }

  /** Takes the bar away, so that something else can be written in its place. */
  clear(): void {
    if (this.#isDrawn) this.#output.write('\r\x1b[K');
    this.#isDrawn = false;
  }
}
