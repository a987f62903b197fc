/**
 * Delivers log files that are complete: packs each and writes it to its bucket under the name that it has on an
 * Application Load Balancer, then removes it. What cannot be delivered stays and is tried again; a file that is
 * delivered twice has the same name both times, so nothing is ever there twice.
 */
import { createHash } from 'node:crypto';
import { readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Clock } from '#io/clock.ts';
import type { Log } from '#io/log.ts';
import type { WriteObject } from '#io/object-store.ts';
import { every, type Timer } from '#io/timers.ts';
import { type LogPlace, logObjectKey, parseLogHeading } from '#model/log-place.ts';

export interface LogCourierOptions {
  readonly folder: string;
  readonly write: WriteObject;
  readonly clock: Clock;
  readonly log: Log;
}

export interface LogCourierStats {
  readonly delivered: number;
  readonly failures: number;
  readonly waitingBytes: number;
}

const roundPeriodMs = 1_000;
/** A bucket that refused is left alone for so long. */
const retryMs = 30_000;
/** Whoever still writes after the end of a file's interval has long ended or is stuck. */
const abandonedMs = 120_000;
const filePattern = /^(\d+)-.*\.(open|log)$/;
const pack = promisify(gzip);

export class LogCourier {
  readonly #options: LogCourierOptions;
  readonly #rounds: Timer;
  /** Bucket → when it may be tried again. */
  readonly #resting = new Map<string, number>();
  #running: Promise<void> = Promise.resolve();
  #delivered = 0;
  #failures = 0;
  #waitingBytes = 0;

  constructor(options: LogCourierOptions) {
    this.#options = options;
    this.#rounds = every(roundPeriodMs, () => this.round());
  }

  get stats(): LogCourierStats {
    return { delivered: this.#delivered, failures: this.#failures, waitingBytes: this.#waitingBytes };
  }

  /** Delivers what is complete now; one round at a time. */
  round(): Promise<void> {
    this.#running = this.#running.then(() => this.#round());
    return this.#running;
  }

  /** Delivers what is complete once more, as far as that can be done. */
  async stop(): Promise<void> {
    this.#rounds.stop();
    await this.round();
  }

  async #round(): Promise<void> {
    const { folder, clock } = this.#options;
    const nowMs = clock.wallMs();
    // Nobody has written anything yet.
    const names = await readdir(folder).catch(() => []);
    this.#waitingBytes = 0;
    for (const name of names.sort()) {
      const [, end, state] = filePattern.exec(name) ?? [];
      if (end === undefined) continue;
      const isComplete = state === 'log' || Number(end) + abandonedMs < nowMs;
      const isGone = isComplete && (await this.#deliver(name, Number(end)));
      if (!isGone) this.#waitingBytes += (await stat(join(folder, name)).catch(() => undefined))?.size ?? 0;
    }
  }

  /** Whether the file is there no more. */
  async #deliver(name: string, endMs: number): Promise<boolean> {
    const { folder, log } = this.#options;
    const path = join(folder, name);
    try {
      const bytes = await readFile(path);
      const lineEnd = bytes.indexOf('\n');
      const place = parseLogHeading(bytes.toString('utf8', 0, Math.max(0, lineEnd)));
      // Whoever wrote it ended before the first line did.
      if (lineEnd === -1) {
        await rm(path);
        return true;
      }
      if (place === undefined) {
        await rename(path, `${path}.unreadable`);
        log.error(`${path} does not say where its entries go, and is kept as ${name}.unreadable`);
        return false;
      }
      // A process that ended in the middle of a line left only a part of it.
      const entries = bytes.subarray(lineEnd + 1, bytes.lastIndexOf('\n') + 1);
      if (entries.length > 0 && !(await this.#write(place, logObjectKey(place, endMs, suffixOf(name)), entries))) {
        return false;
      }
      await rm(path);
      return true;
    } catch (error) {
      this.#failures += 1;
      log.warn(`${path} cannot be delivered yet: ${(error as Error).message}`);
      return false;
    }
  }

  async #write({ bucket }: LogPlace, key: string, entries: Buffer): Promise<boolean> {
    const { write, clock, log } = this.#options;
    const nowMs = clock.monotonicMs();
    if (nowMs < (this.#resting.get(bucket) ?? 0)) return false;
    const written = await write({ bucket, key }, await pack(entries));
    if (written.ok) {
      this.#resting.delete(bucket);
      this.#delivered += 1;
      return true;
    }
    this.#failures += 1;
    this.#resting.set(bucket, nowMs + retryMs);
    log.warn(`logs cannot be delivered to the bucket ${bucket} yet: ${written.fault}`);
    return false;
  }
}

/** Eight characters, always the same for a file. */
function suffixOf(name: string): string {
  return createHash('sha256')
    .update(name.replace(/\.(open|log)$/, ''))
    .digest('hex')
    .slice(0, 8);
}
