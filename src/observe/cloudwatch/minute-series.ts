/**
 * Rows of numbers by minute, packed: of each row only what is not 0, in a few bytes, and of minutes in a row that are
 * alike only the first, with how often it came again. So a load balancer without traffic costs next to nothing, and
 * three hours of a busy one some kilobytes.
 *
 *     record   minute (since the record before) · repeats · length · row
 *     row      column (since the one before) · value · column · value …         all of them LEB128
 */
import { assert } from '#base/assert.ts';
import type { Row } from './columns.ts';

export interface MinuteRow {
  readonly minute: number;
  readonly row: Row;
}

interface Record {
  readonly minute: number;
  readonly repeats: number;
  readonly rowStart: number;
  readonly end: number;
}

export class MinuteSeries {
  #bytes = new Uint8Array(32);
  #length = 0;
  /** The minute that the first record counts from, and those of the last one. */
  #base = 0;
  #last: (Record & { readonly start: number; readonly before: number }) | undefined;

  /** What it holds in memory. */
  get sizeBytes(): number {
    return this.#bytes.length;
  }

  get isEmpty(): boolean {
    return this.#length === 0;
  }

  /** Minutes come in their order, each once. */
  append(minute: number, row: Row): void {
    const packed = pack(row);
    const last = this.#last;
    const lastMinute = last === undefined ? undefined : last.minute + last.repeats;
    assert(lastMinute === undefined || minute > lastMinute, 'minutes are appended in their order');
    if (last !== undefined && minute === lastMinute! + 1 && this.#isLast(packed)) {
      // Written anew with one more: it has the same row, and perhaps a longer number.
      this.#length = last.start;
      this.#write(last.minute, last.repeats + 1, packed, last.before);
      return;
    }
    if (last === undefined) this.#base = minute;
    this.#write(minute, 0, packed, lastMinute ?? minute);
  }

  /** Forgets what is before `minute`. */
  dropBefore(minute: number): void {
    let kept: (Record & { readonly start: number }) | undefined;
    let start = 0;
    for (const record of this.#records()) {
      if (record.minute + record.repeats >= minute) {
        kept = { ...record, start };
        break;
      }
      start = record.end;
    }
    if (kept === undefined) {
      this.#bytes = new Uint8Array(32);
      this.#length = 0;
      this.#last = undefined;
      return;
    }
    const first = Math.max(kept.minute, minute);
    if (kept.start === 0 && first === kept.minute) return;
    const rows = [...this.#records()].filter((record) => record.end >= kept.end);
    const bytes = this.#bytes;
    this.#bytes = new Uint8Array(32);
    this.#length = 0;
    this.#last = undefined;
    this.#base = first;
    let before = first;
    for (const record of rows) {
      const at = Math.max(record.minute, first);
      const repeats = record.repeats - (at - record.minute);
      this.#write(at, repeats, bytes.subarray(record.rowStart, record.end), before);
      before = at + repeats;
    }
  }

  /** The rows of minutes from `first` up to, but not, `end`, with their columns up to the last; the oldest first. */
  *rows(first: number, end: number, lastColumn = Number.POSITIVE_INFINITY): Iterable<MinuteRow> {
    for (const record of this.#records()) {
      if (record.minute >= end) return;
      const from = Math.max(record.minute, first);
      const to = Math.min(record.minute + record.repeats + 1, end);
      if (from >= to) continue;
      const row = unpack(this.#bytes.subarray(record.rowStart, record.end), lastColumn);
      for (let minute = from; minute < to; minute += 1) yield { minute, row };
    }
  }

  *#records(): Iterable<Record> {
    const reader = new Reader(this.#bytes.subarray(0, this.#length));
    let before = this.#base;
    while (!reader.isAtEnd) {
      const minute = before + reader.next();
      const repeats = reader.next();
      const length = reader.next();
      const rowStart = reader.at;
      reader.at += length;
      yield { minute, repeats, rowStart, end: reader.at };
      before = minute + repeats;
    }
  }

  #isLast(packed: Uint8Array): boolean {
    const { rowStart, end } = this.#last!;
    return Buffer.compare(this.#bytes.subarray(rowStart, end), packed) === 0;
  }

  #write(minute: number, repeats: number, packed: Uint8Array, before: number): void {
    const start = this.#length;
    for (const number of [minute - before, repeats, packed.length]) {
      this.#makeRoom(numberBytesMax);
      this.#length = writeNumber(this.#bytes, this.#length, number);
    }
    this.#makeRoom(packed.length);
    this.#bytes.set(packed, this.#length);
    const rowStart = this.#length;
    this.#length += packed.length;
    this.#last = { start, before, minute, repeats, rowStart, end: this.#length };
  }

  #makeRoom(sizeBytes: number): void {
    if (this.#length + sizeBytes <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + sizeBytes));
    larger.set(this.#bytes);
    this.#bytes = larger;
  }
}

const numberBytesMax = 8;

function pack(row: Row): Uint8Array {
  const columns = [...row.keys()].filter((column) => row.get(column) !== 0).sort((one, other) => one - other);
  const bytes = new Uint8Array(columns.length * 2 * numberBytesMax);
  let at = 0;
  let before = 0;
  for (const column of columns) {
    at = writeNumber(bytes, at, column - before);
    at = writeNumber(bytes, at, row.get(column)!);
    before = column;
  }
  return bytes.subarray(0, at);
}

function unpack(bytes: Uint8Array, lastColumn: number): Row {
  const row: Row = new Map();
  const reader = new Reader(bytes);
  let column = 0;
  while (!reader.isAtEnd) {
    column += reader.next();
    if (column > lastColumn) break;
    row.set(column, reader.next());
  }
  return row;
}

/** Seven bits a byte, the lowest first; the highest bit says that more follow. Whole numbers up to 2^53. */
function writeNumber(bytes: Uint8Array, start: number, number: number): number {
  assert(Number.isSafeInteger(number) && number >= 0, 'what is kept are whole numbers');
  let at = start;
  let rest = number;
  for (; rest >= 128; rest = Math.floor(rest / 128)) {
    bytes[at] = (rest % 128) | 128;
    at += 1;
  }
  bytes[at] = rest;
  return at + 1;
}

class Reader {
  at = 0;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.at >= this.#bytes.length;
  }

  next(): number {
    let number = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.#bytes[this.at]!;
      this.at += 1;
      number += (byte & 127) * factor;
      if (byte < 128) return number;
    }
  }
}
