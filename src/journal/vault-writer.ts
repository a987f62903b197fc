/**
 * Keeps the vault: a second copy of the journal in another folder, at most a second or 64 KiB of text behind it. It
 * reads what the journal has made durable, in slices, from the store itself, so nothing queues up and no commit waits
 * for it; whatever goes wrong, it goes on from the last transaction that the vault holds. It only ever appends to what
 * it knows to be whole and of the same history, and begins another segment where it does not.
 */
import { join } from 'node:path';
import type { Clock } from '#io/clock.ts';
import { makeFolder } from '#io/files.ts';
import type { Log } from '#io/log.ts';
import { after } from '#io/timers.ts';
import { type TransactionText, UnreadableLine } from './chain.ts';
import { type Head, StoreDamaged, StoreFailure, type StoreIdentity } from './store.ts';
import {
  beginSegment,
  continueSegment,
  listSegments,
  makeReadOnly,
  openSegment,
  SegmentChanged,
  type SegmentHeader,
  type SegmentReader,
  type SegmentWriter,
} from './vault-segment.ts';
import { type ChainPoint, headerLine, TransactionAssembler, TransactionCheck, VaultTextWrong } from './vault-text.ts';

/** What is read and compressed at once; a transaction that is larger takes several frames. */
const sliceCharacters = 131_072;
/** So much text is written at once, less when it has waited for as long as it may. */
const flushCharacters = 65_536;
const flushAfterMs = 1_000;

/** A segment is sealed when it has grown so large or so old. */
const segmentBytesMax = 4 * 1024 * 1024;
const segmentAgeMs = 3_600_000;

/** How often it is tried again, and looked whether what was written is still there. */
const retryMs = 1_000;
/** Another history does not go away by itself. */
const retryDivergedMs = 60_000;
/** How long the end of the process waits for what is not in the vault yet. */
const closingMs = 5_000;

/** What the vault is a copy of; the journal is one. */
export interface VaultSource {
  readonly identity: StoreIdentity;
  readonly head: Head;
  hashAt(revision: number): string | undefined;
  textsFrom(revision: number): Iterable<TransactionText>;
  follow(follower: () => void): () => void;
}

export interface VaultOptions {
  /** Holds one folder for each store. Made when it is not there. */
  readonly folder: string;
  readonly source: VaultSource;
  readonly clock: Clock;
  readonly log: Log;
}

export interface VaultStats {
  /** The last revision that the vault is known to hold. */
  readonly revision: number;
  readonly lagRevisions: number;
  /** How long ago the oldest transaction was written that is not in the vault; 0 when it holds all. */
  readonly lagSeconds: number;
  /** Attempts that failed. */
  readonly failures: number;
  /** It holds another history than the journal, and nothing is written to it. */
  readonly diverged: boolean;
}

export function openVault(options: VaultOptions): Vault {
  return new Vault(options);
}

/** A piece of the journal's text; `completes` is set on the last of a transaction. */
interface Piece {
  readonly text: string;
  readonly completes?: ChainPoint;
}

/** Text that was read and is not in the vault yet. */
interface Waiting {
  readonly texts: string[];
  readonly sinceMs: number;
  characters: number;
  /** The last transaction, when the text ends with the whole of it. */
  completes: ChainPoint | undefined;
}

class VaultDiverged extends Error {
  override readonly name = 'VaultDiverged';
}

export class Vault {
  readonly #options: VaultOptions;
  /** Of this store alone. */
  readonly #folder: string;
  readonly #unfollow: () => void;
  readonly #ended: Promise<void>;
  #segment: SegmentWriter | undefined;
  #pieces: Iterator<Piece> | undefined;
  #waiting: Waiting | undefined;
  /** The last transaction that is known to be in the vault, with everything before it. */
  #kept: ChainPoint;
  #failures = 0;
  #isDiverged = false;
  #isFailing = false;
  #closingSinceMs: number | undefined;
  #pausing: { readonly endsWithCommit: boolean; readonly end: () => void } | undefined;

  constructor(options: VaultOptions) {
    this.#options = options;
    const { folder, source } = options;
    this.#folder = join(folder, source.identity.storeId);
    this.#kept = source.identity.origin;
    this.#unfollow = source.follow(() => {
      if (this.#pausing?.endsWithCommit === true) this.#pausing.end();
    });
    this.#ended = this.#run();
  }

  get stats(): VaultStats {
    const { source, clock } = this.#options;
    const lagRevisions = source.head.revision - this.#kept.revision;
    const lagMs = lagRevisions === 0 ? 0 : clock.wallMs() - this.#oldestMissingMs();
    return {
      revision: this.#kept.revision,
      lagRevisions,
      lagSeconds: Math.max(0, lagMs) / 1_000,
      failures: this.#failures,
      diverged: this.#isDiverged,
    };
  }

  /** Brings the vault in step, for as long as that may take at the end, and lets go of it. */
  async close(): Promise<void> {
    this.#closingSinceMs = this.#options.clock.monotonicMs();
    this.#unfollow();
    this.#pausing?.end();
    await this.#ended;
  }

  async #run(): Promise<void> {
    while (!this.#mayEnd()) {
      try {
        this.#segment ??= await this.#open();
        await this.#step(this.#segment);
      } catch (error) {
        if (!isOfTheWorld(error)) throw error;
        await this.#failed(error);
      }
    }
    await this.#segment?.close();
  }

  #mayEnd(): boolean {
    const { source, clock } = this.#options;
    if (this.#closingSinceMs === undefined) return false;
    const isLate = clock.monotonicMs() - this.#closingSinceMs >= closingMs;
    return isLate || this.#isFailing || this.#kept.revision === source.head.revision;
  }

  /** Reads a slice and writes what is due, or waits for more. */
  async #step(segment: SegmentWriter): Promise<void> {
    const { clock } = this.#options;
    const isEnough = this.#take();
    const waiting = this.#waiting;
    const nowMs = clock.monotonicMs();
    const dueMs = (waiting?.sinceMs ?? nowMs) + flushAfterMs;
    const isDue = isEnough || nowMs >= dueMs || this.#closingSinceMs !== undefined;
    if (waiting === undefined) {
      await segment.assertOurs();
      this.#succeeded();
      // Nothing has been committed since it was looked.
      if (this.#options.source.head.revision === this.#kept.revision) await this.#pause(flushAfterMs, true);
    } else if (isDue) {
      await segment.append(waiting.texts.join(''), waiting.completes !== undefined);
      this.#waiting = undefined;
      this.#kept = waiting.completes ?? this.#kept;
      this.#succeeded();
    } else {
      await this.#pause(dueMs - nowMs, true);
    }
    const isOld = !segment.isEmpty && clock.wallMs() - segment.begunAtMs >= segmentAgeMs;
    if (segment.isWhole && (isOld || segment.sizeBytes >= segmentBytesMax)) await this.#seal(segment);
  }

  /** Takes text from the journal until it is enough for a frame; false when the journal has no more. */
  #take(): boolean {
    for (;;) {
      const { characters = 0, completes } = this.#waiting ?? {};
      if (characters >= (completes === undefined ? sliceCharacters : flushCharacters)) return true;
      this.#pieces ??= piecesFrom(this.#options.source, completes ?? this.#kept);
      const next = this.#pieces.next();
      if (next.done) {
        this.#pieces = undefined;
        return false;
      }
      const { text } = next.value;
      const sinceMs = this.#waiting?.sinceMs ?? this.#options.clock.monotonicMs();
      this.#waiting ??= { texts: [], sinceMs, characters: 0, completes: undefined };
      this.#waiting.texts.push(text);
      this.#waiting.characters += text.length;
      this.#waiting.completes = next.value.completes;
    }
  }

  /** Finds where the vault ends; gives the segment to go on with. */
  async #open(): Promise<SegmentWriter> {
    makeFolder(this.#folder);
    const names = await listSegments(this.#folder);
    let previousSegment: SegmentHeader['previousSegment'] = names.length === 0 ? 'none' : 'unsealed';
    this.#kept = this.#options.source.identity.origin;
    for (const [index, { name }] of names.toReversed().entries()) {
      const segment = await openSegment(this.#folder, name);
      // What cannot be read at all is left as it is; the segment before it says where to go on.
      if ('why' in segment) continue;
      try {
        const isWhole = await this.#readToEnd(segment);
        if (isWhole && index === 0 && !segment.isSealed) return await continueSegment(segment);
        if (isWhole && index === 0) previousSegment = 'sealed';
        await makeReadOnly(segment.path);
        break;
      } finally {
        await segment.close();
      }
    }
    return this.#begin(previousSegment);
  }

  /** Whether all that the segment holds is whole. Throws `VaultDiverged` when it is not of the journal's history. */
  async #readToEnd(segment: SegmentReader): Promise<boolean> {
    const { source } = this.#options;
    const { firstRevision, previousHash } = segment.header;
    const assembler = new TransactionAssembler({ revision: firstRevision - 1, hash: previousHash });
    let isReadable = true;
    try {
      for await (const text of segment.texts()) for (const _ of assembler.feed(text));
    } catch (error) {
      if (!(error instanceof VaultTextWrong)) throw error;
      isReadable = false;
    }
    const { revision, hash } = assembler.last;
    if (revision > source.head.revision) {
      throw new VaultDiverged(`it goes to revision ${revision}, and the journal only to ${source.head.revision}`);
    }
    if (source.hashAt(revision) !== hash) {
      throw new VaultDiverged(`its revision ${revision} is another than that of the journal`);
    }
    this.#kept = assembler.last;
    return isReadable && !assembler.isInside && segment.rest.kind === 'nothing';
  }

  async #begin(previousSegment: SegmentHeader['previousSegment']): Promise<SegmentWriter> {
    const { source, clock } = this.#options;
    const header: SegmentHeader = {
      identity: source.identity,
      begunAtMs: clock.wallMs(),
      firstRevision: this.#kept.revision + 1,
      previousHash: this.#kept.hash,
      previousSegment,
    };
    return beginSegment(this.#folder, header, await listSegments(this.#folder));
  }

  async #seal(segment: SegmentWriter): Promise<void> {
    await segment.seal();
    this.#segment = undefined;
    await segment.close();
    this.#segment = await this.#begin('sealed');
  }

  #succeeded(): void {
    if (this.#isFailing) this.#options.log.info(`the vault in ${this.#folder} is written again`);
    this.#isFailing = false;
    this.#isDiverged = false;
  }

  /** Goes back to the last whole transaction in the vault, and waits before the next attempt. */
  async #failed(error: Error): Promise<void> {
    this.#failures += 1;
    this.#isDiverged = error instanceof VaultDiverged;
    // Once, and once more when it is over: a disk can be full for days.
    if (!this.#isFailing) this.#options.log.error(explain(error, this.#folder));
    this.#isFailing = true;
    this.#waiting = undefined;
    this.#pieces = undefined;
    if (this.#segment !== undefined && !(await tryRewind(this.#segment, error))) {
      const segment = this.#segment;
      this.#segment = undefined;
      await segment.close().catch(() => undefined);
    }
    // What cannot be looked at may hold nothing any more.
    if (this.#segment === undefined) this.#kept = this.#options.source.identity.origin;
    await this.#pause(this.#isDiverged ? retryDivergedMs : retryMs, false);
  }

  #pause(durationMs: number, endsWithCommit: boolean): Promise<void> {
    if (this.#closingSinceMs !== undefined) return Promise.resolve();
    return new Promise((resolve) => {
      const end = () => {
        timer.stop();
        this.#pausing = undefined;
        resolve();
      };
      const timer = after(Math.max(0, durationMs), end);
      this.#pausing = { endsWithCommit, end };
    });
  }

  #oldestMissingMs(): number {
    for (const { header } of this.#options.source.textsFrom(this.#kept.revision + 1)) return header.timeMs;
    return this.#options.clock.wallMs();
  }
}

/** The journal's text behind a transaction, checked: what is damaged there must not be copied as if it were whole. */
function* piecesFrom(source: VaultSource, from: ChainPoint): Generator<Piece> {
  let previous = from;
  for (const { header, causeText, parts } of source.textsFrom(from.revision + 1)) {
    const check = new TransactionCheck(header, causeText, previous);
    let text = headerLine(header, causeText);
    for (const part of parts) {
      check.add(part);
      yield { text };
      text = part;
    }
    check.finish();
    previous = { revision: header.revision, hash: header.hash };
    yield { text, completes: previous };
  }
}

/** False when the segment cannot be gone on with as it is. */
async function tryRewind(segment: SegmentWriter, error: Error): Promise<boolean> {
  if (error instanceof SegmentChanged) return false;
  try {
    await segment.rewind();
    return true;
  } catch {
    return false;
  }
}

function explain(error: Error, folder: string): string {
  if (error instanceof VaultDiverged) {
    return `the vault in ${folder} holds another history than the journal and is left as it is: ${error.message}; move it aside, and another is begun`;
  }
  const where = error instanceof VaultTextWrong ? 'the journal is damaged: ' : '';
  return `the vault in ${folder} cannot be written, changes go on without it: ${where}${error.message}`;
}

/** What the disk, the store or another program did; anything else is a bug. */
function isOfTheWorld(error: unknown): error is Error {
  const kinds = [VaultDiverged, VaultTextWrong, SegmentChanged, StoreDamaged, StoreFailure, UnreadableLine];
  const isOfSystem = error instanceof Error && ('syscall' in error || 'errcode' in error);
  return isOfSystem || kinds.some((kind) => error instanceof kind);
}
