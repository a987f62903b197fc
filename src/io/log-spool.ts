/**
 * Lines of logs on their way out of this process: gathered in memory, appended to files in a folder, and never waited
 * for. When the disk is slow or full, lines are dropped and counted; a line that was written in part is cut off again.
 *
 *     add ─▶ batch in memory ─▶ NAME.open ── its time is over, or it is large ──▶ NAME.log: from now on another's
 */
import { appendFile, mkdir, readdir, rename, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from './clock.ts';
import { every, type Timer } from './timers.ts';

/** Where lines of one kind go. */
export interface LogBook {
  /**
   * The first `length` bytes are one entry without its line end; `atMs` is the wall clock's time that decides about its
   * file. Never waits, and keeps nothing of `bytes`.
   */
  add(bytes: Uint8Array, length: number, atMs: number): void;
  addText(line: string, atMs: number): void;
}

export interface LogSink {
  /** Entries that were given up. */
  readonly droppedLines: number;
  /** The book with this heading, one line of text that each of its files begins with. */
  book(heading: string): LogBook;
}

export interface LogSpoolOptions {
  readonly folder: string;
  /** Tells the files of several processes, and of one that was started anew, apart. */
  readonly writer: string;
  /** Files hold the entries of one such interval of the clock. */
  readonly intervalMs: number;
  readonly clock: Clock;
  /** Files of all writers together; beyond it, lines are dropped. */
  readonly folderBytesMax?: number;
  /** What may wait for the disk. */
  readonly waitingBytesMax?: number;
  /** A file of so many bytes is closed before its time. */
  readonly fileBytesMax?: number;
}

const flushPeriodMs = 1_000;
/** Where much is logged, batches have a buffer of such a size from the start, which is used again. */
const bufferBytes = 64 * 1024;
const batchBytes = bufferBytes - 4 * 1024;
const firstBatchBytes = 4 * 1024;
const keptBuffersMax = 32;
const lineFeed = 10;
const booksMax = 10_000;
const folderMode = 0o700;
const fileMode = 0o600;

/** Entries in the order in which they were added, each with its line end, of one file. */
interface Batch {
  readonly endMs: number;
  bytes: Buffer;
  length: number;
  linesCount: number;
}

interface OpenFile {
  readonly path: string;
  readonly endMs: number;
  bytes: number;
}

/** When the interval that a moment lies in is over. */
export function intervalEndMs(atMs: number, intervalMs: number): number {
  return (Math.floor(atMs / intervalMs) + 1) * intervalMs;
}

export class LogSpool implements LogSink {
  readonly options: Required<LogSpoolOptions>;
  waitingBytes = 0;
  droppedLines = 0;
  readonly #books = new Map<string, Book>();
  readonly #flushing: Timer;
  readonly #buffers: Buffer[] = [];
  #sequence = 0;
  #folder: { readonly bytes: number; readonly atMs: number } | undefined;

  constructor(options: LogSpoolOptions) {
    this.options = {
      folderBytesMax: 1024 ** 3,
      waitingBytesMax: 8 * 1024 ** 2,
      fileBytesMax: 32 * 1024 ** 2,
      ...options,
    };
    this.#flushing = every(flushPeriodMs, () => this.flush());
  }

  book(heading: string): LogBook {
    let book = this.#books.get(heading);
    if (book === undefined) {
      if (this.#books.size >= booksMax) this.#forgetIdle();
      book = new Book(this, heading);
      this.#books.set(heading, book);
    }
    return book;
  }

  /** Hands everything over and closes the files. */
  async close(): Promise<void> {
    this.#flushing.stop();
    await Promise.all([...this.#books.values()].map((book) => book.flush(Number.POSITIVE_INFINITY)));
  }

  /** A book that was forgotten comes back with its next entry. */
  keep(heading: string, book: Book): void {
    if (!this.#books.has(heading)) this.#books.set(heading, book);
  }

  /** Buffers that come and go with the traffic would be a garbage collection of everything, time and again. */
  takeBuffer(): Buffer {
    return this.#buffers.pop() ?? Buffer.allocUnsafeSlow(bufferBytes);
  }

  giveBuffer(buffer: Buffer): void {
    if (buffer.length === bufferBytes && this.#buffers.length < keptBuffersMax) this.#buffers.push(buffer);
  }

  /** The path of a new file; refuses, by undefined, where the folder holds enough. */
  async newPath(endMs: number): Promise<string | undefined> {
    const { folder, writer, folderBytesMax, clock } = this.options;
    const nowMs = clock.monotonicMs();
    if (this.#folder === undefined || nowMs - this.#folder.atMs >= flushPeriodMs) {
      await mkdir(folder, { recursive: true, mode: folderMode });
      this.#folder = { bytes: await folderBytes(folder), atMs: nowMs };
    }
    if (this.#folder.bytes >= folderBytesMax) return undefined;
    this.#sequence += 1;
    return join(folder, `${endMs}-${writer}-${this.#sequence}.open`);
  }

  /** Writes what waits, and closes the files whose time is up. */
  async flush(): Promise<void> {
    const nowMs = this.options.clock.wallMs();
    await Promise.all([...this.#books.values()].map((book) => book.flush(nowMs)));
  }

  #forgetIdle(): void {
    for (const [heading, book] of this.#books) if (book.isIdle) this.#books.delete(heading);
  }
}

class Book implements LogBook {
  readonly #spool: LogSpool;
  readonly #heading: string;
  readonly #full: Batch[] = [];
  #batch: Batch | undefined;
  #file: OpenFile | undefined;
  #writing: Promise<void> | undefined;
  #nowMs = 0;
  /** Its last batch became full before its time. */
  #isBusy = false;

  constructor(spool: LogSpool, heading: string) {
    this.#spool = spool;
    this.#heading = heading;
  }

  get isIdle(): boolean {
    return this.#batch === undefined && this.#file === undefined && this.#writing === undefined;
  }

  addText(line: string, atMs: number): void {
    const bytes = Buffer.from(line, 'latin1');
    this.add(bytes, bytes.length, atMs);
  }

  add(bytes: Uint8Array, length: number, atMs: number): void {
    const { options } = this.#spool;
    if (this.#spool.waitingBytes + length + 1 > options.waitingBytesMax) {
      this.#spool.droppedLines += 1;
      return;
    }
    if (this.isIdle) this.#spool.keep(this.#heading, this);
    // A clock that is set back does not reopen what is closed.
    if (this.#batch !== undefined && atMs >= this.#batch.endMs) this.#close();
    const batch = this.#batch ?? this.#beginBatch(intervalEndMs(atMs, options.intervalMs));
    this.#batch = batch;
    append(batch, bytes, length);
    this.#spool.waitingBytes += length + 1;
    if (batch.length < batchBytes) return;
    this.#isBusy = true;
    this.#close();
    void this.#write();
  }

  /** Writes what waits; closes the file if its interval is over at `nowMs`. */
  flush(nowMs: number): Promise<void> {
    this.#nowMs = nowMs;
    this.#isBusy &&= (this.#batch?.length ?? 0) > firstBatchBytes;
    if (this.#batch !== undefined) this.#close();
    return this.#write();
  }

  #beginBatch(endMs: number): Batch {
    const bytes = this.#isBusy ? this.#spool.takeBuffer() : Buffer.allocUnsafeSlow(firstBatchBytes);
    return { endMs, bytes, length: 0, linesCount: 0 };
  }

  #close(): void {
    if (this.#batch !== undefined) this.#full.push(this.#batch);
    this.#batch = undefined;
  }

  /** One after the other: the order stays, no file is closed under a write, and a disk that hangs is asked once. */
  #write(): Promise<void> {
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = undefined;
    });
    return this.#writing;
  }

  async #writeAll(): Promise<void> {
    for (let batch = this.#full.shift(); batch !== undefined; batch = this.#full.shift()) {
      if (!(await this.#append(batch))) this.#spool.droppedLines += batch.linesCount;
      this.#spool.waitingBytes -= batch.length;
      this.#spool.giveBuffer(batch.bytes);
    }
    if (this.#file !== undefined && this.#nowMs >= this.#file.endMs) await this.#finish(this.#file);
  }

  /** False when the disk did not take it. */
  async #append({ endMs, bytes: own, length }: Batch): Promise<boolean> {
    try {
      if (this.#file !== undefined && endMs > this.#file.endMs) await this.#finish(this.#file);
      const file = this.#file ?? (await this.#begin(endMs));
      if (file === undefined) return false;
      const lines = own.subarray(0, length);
      const bytes = file.bytes === 0 ? Buffer.concat([Buffer.from(`${this.#heading}\n`), lines]) : lines;
      try {
        await appendFile(file.path, bytes, { mode: fileMode });
      } catch {
        await truncate(file.path, file.bytes);
        return false;
      }
      file.bytes += bytes.length;
      if (file.bytes >= this.#spool.options.fileBytesMax) await this.#finish(file);
      return true;
    } catch {
      return false;
    }
  }

  async #begin(endMs: number): Promise<OpenFile | undefined> {
    const path = await this.#spool.newPath(endMs);
    this.#file = path === undefined ? undefined : { path, endMs, bytes: 0 };
    return this.#file;
  }

  async #finish({ path, bytes }: OpenFile): Promise<void> {
    this.#file = undefined;
    // It may never have been made, or have been taken for one that was left behind.
    if (bytes > 0) await rename(path, path.replace(/\.open$/, '.log')).catch(() => {});
  }
}

function append(batch: Batch, bytes: Uint8Array, length: number): void {
  const needed = batch.length + length + 1;
  if (needed > batch.bytes.length) {
    const grown = Buffer.allocUnsafeSlow(Math.max(batch.bytes.length * 4, needed));
    batch.bytes.copy(grown, 0, 0, batch.length);
    batch.bytes = grown;
  }
  batch.bytes.set(length === bytes.length ? bytes : bytes.subarray(0, length), batch.length);
  batch.bytes[needed - 1] = lineFeed;
  batch.length = needed;
  batch.linesCount += 1;
}

async function folderBytes(folder: string): Promise<number> {
  const names = await readdir(folder);
  // What is gone meanwhile counts no more.
  const sizes = await Promise.all(
    names.map(async (name) => (await stat(join(folder, name)).catch(() => undefined))?.size),
  );
  return sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0);
}
