/** Follows a message's body as its bytes pass: which of those that arrived belong to it, and whether it is complete. */
import { ChunkScanner } from './chunk-scanner.ts';

/** How the end of a body is found (RFC 9112 section 6.3). */
export type BodyKind = 'none' | 'length' | 'chunked' | 'until-close';

export const malformedBody = -1;

export class MessageBody {
  isDone = true;
  kind: BodyKind = 'none';
  /** After `scan`: where the bytes to pass on end; before its result when chunks were taken out. */
  passedEnd = 0;
  #bytesLeft = 0;
  #extracts = false;
  #chunks: ChunkScanner | undefined;

  /** `extracts`: the data of chunks is passed on without their framing, moved together in place. */
  begin(kind: BodyKind, contentLength: number, extracts: boolean): void {
    this.kind = kind;
    this.#bytesLeft = contentLength;
    this.#extracts = extracts;
    this.isDone = kind === 'none';
    if (kind === 'chunked') {
      this.#chunks ??= new ChunkScanner();
      this.#chunks.begin();
    }
  }

  /** Reads on in [start, end); returns where the body's part of it ends, or `malformedBody`. */
  scan(bytes: Buffer, start: number, end: number): number {
    let bodyEnd = start;
    if (this.kind === 'length') {
      bodyEnd = Math.min(start + this.#bytesLeft, end);
      this.#bytesLeft -= bodyEnd - start;
      this.isDone = this.#bytesLeft === 0;
    } else if (this.kind === 'until-close') {
      bodyEnd = end;
    } else if (this.kind === 'chunked') {
      return this.#scanChunks(bytes, start, end);
    }
    this.passedEnd = bodyEnd;
    return bodyEnd;
  }

  /** Whether more than `bytes` are, or may be, still to come. */
  hasMoreThan(bytes: number): boolean {
    return !this.isDone && (this.kind !== 'length' || this.#bytesLeft > bytes);
  }

  #scanChunks(bytes: Buffer, start: number, end: number): number {
    const chunks = this.#chunks!;
    const bodyEnd = this.#extracts ? chunks.extract(bytes, start, end) : chunks.scan(bytes, start, end);
    this.isDone = chunks.isDone;
    this.passedEnd = this.#extracts ? start + chunks.extractedBytes : bodyEnd;
    return chunks.isMalformed ? malformedBody : bodyEnd;
  }
}
