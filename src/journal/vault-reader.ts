/**
 * Reads a vault: which stores it holds, and their transactions in order, each under the hashes of its segment and of
 * the journal's own chain. What it gives is what was written; where that ends too early it says at which segment, frame
 * and revision, and gives nothing from behind that point.
 */
import { join } from 'node:path';
import type { StoreIdentity } from './store.ts';
import {
  listSegments,
  namesIn,
  openSegment,
  type SegmentHeader,
  type SegmentName,
  type SegmentReader,
} from './vault-segment.ts';
import { type ChainPoint, TransactionAssembler, VaultTextWrong, type VaultTransaction } from './vault-text.ts';

/** A store of which a vault holds at least the identity. */
export interface VaultedStore {
  readonly folder: string;
  readonly identity: StoreIdentity;
  readonly segments: number;
}

/** The first place from which on a vault cannot be read. */
export interface VaultBreak {
  readonly segment: string;
  /** From 1; 0 is the header. */
  readonly frame: number;
  /** The first that cannot be had. */
  readonly revision: number;
  readonly why: string;
}

/** The stores in a vault, in the order in which they were made. A folder in which no header is readable is left out. */
export async function listVault(vault: string): Promise<readonly VaultedStore[]> {
  const stores: VaultedStore[] = [];
  for (const name of await namesIn(vault)) {
    const folder = join(vault, name);
    // A file that lies there is not ours.
    const segments = await listSegments(folder).catch(() => []);
    const identity = await firstIdentity(folder, segments);
    if (identity !== undefined) stores.push({ folder, identity, segments: segments.length });
  }
  return stores.sort((one, other) => one.identity.createdAtMs - other.identity.createdAtMs);
}

/** The last transaction that the vault holds of the store, found from its end: only the last segment is read. */
export async function endOfVault({ folder, identity }: VaultedStore): Promise<ChainPoint> {
  for (const { name } of (await listSegments(folder)).toReversed()) {
    const segment = await openSegment(folder, name);
    if ('why' in segment) continue;
    const { firstRevision, previousHash } = segment.header;
    const assembler = new TransactionAssembler({ revision: firstRevision - 1, hash: previousHash });
    try {
      for await (const text of segment.texts()) for (const _ of assembler.feed(text));
    } catch (error) {
      if (!(error instanceof VaultTextWrong)) throw error;
    } finally {
      await segment.close();
    }
    return assembler.last;
  }
  return identity.origin;
}

export class VaultReader {
  readonly #folder: string;
  readonly #identity: StoreIdentity;
  #last: ChainPoint;
  #broken: VaultBreak | undefined;
  #sizeBytes = 0;
  #tornBytes = 0;

  constructor({ folder, identity }: VaultedStore) {
    this.#folder = folder;
    this.#identity = identity;
    this.#last = identity.origin;
  }

  /** The last transaction that was read; the store's origin before the first. */
  get last(): ChainPoint {
    return this.#last;
  }

  /** Known once `transactions` has ended; undefined when nothing is missing. */
  get broken(): VaultBreak | undefined {
    return this.#broken;
  }

  /** Of the segments that were read. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** What the last segment ends with and was never finished: no damage, for it was never said to be in the vault. */
  get tornBytes(): number {
    return this.#tornBytes;
  }

  /** From the origin on, up to the end or the first break. To be called once. */
  async *transactions(): AsyncGenerator<VaultTransaction> {
    let left: Left = { isSealed: false, tornBytes: 0 };
    for (const { name } of await listSegments(this.#folder)) {
      const segment = await openSegment(this.#folder, name);
      if ('why' in segment) {
        // Whether anything was lost with it shows when the next one does, or does not, continue the one before.
        left = { isSealed: false, tornBytes: 0, broken: left.broken ?? this.#breakAt(name, 0, segment.why) };
        continue;
      }
      try {
        const wrong = this.#wrongWith(segment.header, left);
        if (wrong !== undefined) {
          this.#broken = left.broken ?? this.#breakAt(name, 0, wrong);
          return;
        }
        this.#sizeBytes += segment.sizeBytes;
        left = yield* this.#read(segment, name);
      } finally {
        await segment.close();
      }
    }
    this.#broken = left.tornBytes > 0 ? undefined : left.broken;
    this.#tornBytes = left.tornBytes;
  }

  async *#read(segment: SegmentReader, name: string): AsyncGenerator<VaultTransaction, Left> {
    const assembler = new TransactionAssembler(this.#last);
    try {
      for await (const text of segment.texts()) {
        for (const transaction of assembler.feed(text)) {
          this.#last = assembler.last;
          yield transaction;
        }
      }
    } catch (error) {
      if (!(error instanceof VaultTextWrong)) throw error;
      return { isSealed: false, tornBytes: 0, broken: this.#breakAt(name, segment.framesRead, error.message) };
    }
    const { rest, isSealed, framesRead } = segment;
    if (rest.kind === 'nothing') return { isSealed, tornBytes: 0 };
    const why = rest.kind === 'torn' ? 'its last frame is not whole' : rest.why;
    const broken = this.#breakAt(name, framesRead + 1, why);
    return { isSealed: false, tornBytes: rest.kind === 'torn' ? rest.bytes : 0, broken };
  }

  #wrongWith(
    { identity, firstRevision, previousHash, previousSegment }: SegmentHeader,
    left: Left,
  ): string | undefined {
    const { storeId, origin } = this.#identity;
    if (identity.storeId !== storeId || identity.origin.hash !== origin.hash) return 'it is of another store';
    const expected = this.#last.revision + 1;
    if (firstRevision > expected) return `revisions ${expected} to ${firstRevision - 1} are missing before it`;
    if (firstRevision < expected) return `it begins at revision ${firstRevision}, which was read before`;
    if (previousHash !== this.#last.hash) return 'it does not continue the one before it';
    // Without the seal a cut end could not be told from a segment that was left as it is.
    return previousSegment === 'sealed' && !left.isSealed ? 'the one before it has lost its seal' : undefined;
  }

  #breakAt(segment: string, frame: number, why: string): VaultBreak {
    return { segment, frame, revision: this.#last.revision + 1, why };
  }
}

/** How a segment ends. */
interface Left {
  readonly isSealed: boolean;
  readonly tornBytes: number;
  /** What cannot be read of it. It matters when the next segment does not continue what could be. */
  readonly broken?: VaultBreak;
}

async function firstIdentity(folder: string, segments: readonly SegmentName[]): Promise<StoreIdentity | undefined> {
  for (const { name } of segments) {
    const segment = await openSegment(folder, name);
    if ('why' in segment) continue;
    await segment.close();
    return segment.header.identity;
  }
  return undefined;
}
