/** Follows a request's body as its bytes pass: how much of what arrived belongs to it, and whether it is complete. */
import { ChunkScanner } from './chunk-scanner.ts';
import type { RequestHead } from './request-head.ts';

export const malformedBody = -1;

export class RequestBody {
  isDone = true;
  /** Whether the request has one at all. */
  exists = false;
  #isChunked = false;
  #bytesLeft = 0;
  #chunks: ChunkScanner | undefined;

  begin(head: RequestHead): void {
    this.#isChunked = head.isChunked;
    this.#bytesLeft = head.contentLength;
    this.exists = head.isChunked || head.contentLength > 0;
    this.isDone = !this.exists;
    if (head.isChunked) {
      this.#chunks ??= new ChunkScanner();
      this.#chunks.begin();
    }
  }

  /** Reads on in [start, end); returns where the body's part of it ends, or `malformedBody`. */
  scan(bytes: Buffer, start: number, end: number): number {
    if (this.isDone) return start;
    if (this.#isChunked) {
      const good = this.#chunks!.scan(bytes, start, end);
      this.isDone = this.#chunks!.isDone;
      return this.#chunks!.isMalformed ? malformedBody : good;
    }
    const length = Math.min(this.#bytesLeft, end - start);
    this.#bytesLeft -= length;
    this.isDone = this.#bytesLeft === 0;
    return start + length;
  }

  /** Whether more than `bytes` are, or may be, still to come. */
  hasMoreThan(bytes: number): boolean {
    return !this.isDone && (this.#isChunked || this.#bytesLeft > bytes);
  }
}
