/**
 * What a viewer sees, as arithmetic: segments arrive, and each is due one segment's time after the one before began. A
 * stall is a segment that arrived after it was due; how late the program came to look has no part in it.
 */

export interface PlayheadFigures {
  /** Segments that were shown, or have begun to be. */
  readonly played: number;
  /** Times that the picture stood still, one that lasts included. */
  readonly stalls: number;
  readonly stalledMs: number;
}

/** All times are of one clock that never steps back. */
export class Playhead {
  readonly #segmentMs: number;
  readonly #bufferSegments: number;
  #buffered = 0;
  /** When the next segment is to be taken; undefined until the buffer was full for the first time. */
  #dueMs: number | undefined;
  #played = 0;
  #stalls = 0;
  #stalledMs = 0;

  constructor(options: { readonly segmentMs: number; readonly bufferSegments: number }) {
    this.#segmentMs = options.segmentMs;
    this.#bufferSegments = options.bufferSegments;
  }

  /** A whole segment is there: it ends a stall, is the one that the beginning waited for, or waits for its turn. */
  arrive(nowMs: number): void {
    this.advance(nowMs);
    if (this.#isStalled(nowMs)) {
      this.#stalls += 1;
      this.#stalledMs += nowMs - this.#dueMs!;
      this.#dueMs = nowMs;
    }
    this.#buffered += 1;
    if (this.#dueMs === undefined && this.#buffered === this.#bufferSegments) this.#dueMs = nowMs;
    this.advance(nowMs);
  }

  /** Plays what has become due. Called late or seldom, it comes to the same. */
  advance(nowMs: number): void {
    if (this.#dueMs === undefined) return;
    for (; this.#buffered > 0 && this.#dueMs <= nowMs; this.#dueMs += this.#segmentMs) {
      this.#buffered -= 1;
      this.#played += 1;
    }
  }

  /** The viewer's own device stood still for so long until now: the picture waited with it, and nobody is to blame. */
  hold(durationMs: number): void {
    if (this.#dueMs !== undefined) this.#dueMs += durationMs;
  }

  /** When there is room for one more segment: undefined if there is now. */
  roomAtMs(nowMs: number): number | undefined {
    this.advance(nowMs);
    return this.#buffered < this.#bufferSegments ? undefined : this.#dueMs;
  }

  figures(nowMs: number): PlayheadFigures {
    this.advance(nowMs);
    const stalled = this.#isStalled(nowMs);
    return {
      played: this.#played,
      stalls: this.#stalls + (stalled ? 1 : 0),
      stalledMs: this.#stalledMs + (stalled ? nowMs - this.#dueMs! : 0),
    };
  }

  #isStalled(nowMs: number): boolean {
    return this.#buffered === 0 && this.#dueMs !== undefined && this.#dueMs < nowMs;
  }
}
