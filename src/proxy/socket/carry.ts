/**
 * Bytes that were read and cannot be used yet: the beginning of a head, or a request sent before its turn. They lie
 * together whatever pieces they came in. Empty, it holds no memory; filled piece by piece, it copies in linear time.
 */

const firstBytes = 512;

/** Uses as much of [start, end) as it can now; returns where the unused part begins. */
export interface Consumer {
  consume(bytes: Buffer, start: number, end: number): number;
}

export class Carry {
  bytes: Buffer | undefined;
  start = 0;
  end = 0;

  get isEmpty(): boolean {
    return this.bytes === undefined;
  }

  /** Offers what has arrived, behind what was carried, and carries the rest. */
  take(bytes: Buffer, length: number, consumer: Consumer): void {
    if (!this.isEmpty) {
      this.append(bytes, 0, length);
      this.offer(consumer);
      return;
    }
    const used = consumer.consume(bytes, 0, length);
    if (used < length) this.append(bytes, used, length);
  }

  /** Offers what was carried. */
  offer(consumer: Consumer): void {
    if (this.bytes === undefined) return;
    const used = consumer.consume(this.bytes, this.start, this.end);
    if (!this.isEmpty) this.use(used);
  }

  append(bytes: Buffer, start: number, end: number): void {
    const length = end - start;
    let room = this.bytes;
    if (room === undefined || room.length - this.end < length) {
      const kept = this.end - this.start;
      room = Buffer.allocUnsafeSlow(Math.max(firstBytes, kept * 2 + length));
      this.bytes?.copy(room, 0, this.start, this.end);
      this.bytes = room;
      this.start = 0;
      this.end = kept;
    }
    bytes.copy(room, this.end, start, end);
    this.end += length;
  }

  /** Bytes up to offset `used` have been used. */
  use(used: number): void {
    this.start = used;
    if (used === this.end) this.clear();
  }

  clear(): void {
    this.bytes = undefined;
    this.start = 0;
    this.end = 0;
  }
}
