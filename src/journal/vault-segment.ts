/**
 * One file of the vault. Every byte of it is under a hash that covers everything before it, so a reader knows of each
 * frame whether it is what was written, and how far the file can be believed.
 *
 *   segment = JSON of the header TAB its SHA-256 LF frame …
 *   frame   = length of the body, 4 bytes │ kind, 1 byte │ hash, 32 bytes │ body
 *   hash    = SHA-256( hash of the frame before, or of the header │ length │ kind │ body )
 *
 * A `text` frame's body is zstd-compressed text of whole lines (see `vault-text.ts`). A `seal` frame has no body: its
 * hash is that of the whole segment, and nothing comes after it.
 */
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { chmod, type FileHandle, open, readdir, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { zstdCompress, zstdDecompress } from 'node:zlib';
import { assert } from '#base/assert.ts';
import type { StoreIdentity } from './store.ts';

const formatVersion = 1;
const headerBytesMax = 4_096;
const frameHeadBytes = 37;
/** Bounds what a damaged length can make a reader take into memory. */
const bodyBytesMax = 64 * 1024 * 1024;
const textBytesMax = 256 * 1024 * 1024;
const frameKinds = ['text', 'seal'] as const;

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

export interface SegmentHeader {
  readonly identity: StoreIdentity;
  readonly begunAtMs: number;
  readonly firstRevision: number;
  /** The hash of the transaction before the first. */
  readonly previousHash: string;
  /** How the segment before this one was left: an unsealed one may end with what was never finished. */
  readonly previousSegment: 'none' | 'sealed' | 'unsealed';
}

export interface SegmentName {
  readonly name: string;
  readonly firstRevision: number;
  /** From 1. More than one begin at a revision when a process ended before anything was whole in the first. */
  readonly attempt: number;
}

/** The segments of a store's folder, in their order; none when there is no such folder. */
export async function listSegments(folder: string): Promise<readonly SegmentName[]> {
  const segments: SegmentName[] = [];
  for (const name of await namesIn(folder)) {
    const [, firstRevision, attempt] = /^segment-(\d{15})(?:-(\d{1,9}))?\.ballast$/.exec(name) ?? [];
    if (firstRevision === undefined) continue;
    segments.push({ name, firstRevision: Number(firstRevision), attempt: Number(attempt ?? 1) });
  }
  return segments.sort((one, other) => one.firstRevision - other.firstRevision || one.attempt - other.attempt);
}

/** What lies in a folder; nothing when it is not there. */
export async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** A segment that this process writes. What was appended and not synced may be taken back with `rewind`. */
export class SegmentWriter {
  readonly path: string;
  readonly begunAtMs: number;
  readonly #handle: FileHandle;
  #end: Point;
  /** The end of what is on the disk and ends with a whole transaction. */
  #kept: Point;
  #isEmpty: boolean;

  constructor(path: string, handle: FileHandle, at: { begunAtMs: number; end: Point; isEmpty: boolean }) {
    this.path = path;
    this.begunAtMs = at.begunAtMs;
    this.#handle = handle;
    this.#end = at.end;
    this.#kept = at.end;
    this.#isEmpty = at.isEmpty;
  }

  get sizeBytes(): number {
    return this.#end.offset;
  }

  /** Whether it holds nothing but its header. */
  get isEmpty(): boolean {
    return this.#isEmpty;
  }

  /** Whether it ends where a transaction does. */
  get isWhole(): boolean {
    return this.#kept === this.#end;
  }

  /** Throws `SegmentChanged` unless the file is still there as this process left it. */
  async assertOurs(): Promise<void> {
    // By its name: a handle goes on working on a file that nobody can find any more.
    const found = await stat(this.path).catch((error: NodeJS.ErrnoException) => {
      throw error.code === 'ENOENT' ? new SegmentChanged(`${this.path} is gone`) : error;
    });
    const ours = await this.#handle.stat();
    const isOurs = found.ino === ours.ino && found.dev === ours.dev && found.size === this.#end.offset;
    if (!isOurs) throw new SegmentChanged(`${this.path} was changed by another program`);
  }

  /** Resolves once the text is on the disk. `isWhole`: it ends where a transaction does. */
  async append(text: string, isWhole: boolean): Promise<void> {
    await this.#write('text', await compress(Buffer.from(text, 'utf8')));
    this.#isEmpty = false;
    if (isWhole) this.#kept = this.#end;
  }

  /** Ends the segment for good; it is only to be closed then. */
  async seal(): Promise<void> {
    await this.#write('seal', Buffer.alloc(0));
    await makeReadOnly(this.path);
  }

  /** Cuts off what this process has appended since the last whole transaction. */
  async rewind(): Promise<void> {
    await this.#handle.truncate(this.#kept.offset);
    this.#end = this.#kept;
  }

  close(): Promise<void> {
    return this.#handle.close();
  }

  async #write(kind: (typeof frameKinds)[number], body: Buffer): Promise<void> {
    await this.assertOurs();
    assert(body.length <= bodyBytesMax, 'a frame is not longer than a reader takes');
    const head = Buffer.alloc(5);
    head.writeUInt32BE(body.length);
    head.writeUInt8(frameKinds.indexOf(kind), 4);
    const hash = createHash('sha256').update(this.#end.hash).update(head).update(body).digest();
    await this.#handle.appendFile(Buffer.concat([head, hash, body]));
    await this.#handle.sync();
    this.#end = { offset: this.#end.offset + frameHeadBytes + body.length, hash };
  }
}

/** The file is not the one that was written here any more. */
export class SegmentChanged extends Error {
  override readonly name = 'SegmentChanged';
}

/** Begins a segment in `folder`, beside those that are `present`. It has its name once its header is on the disk. */
export async function beginSegment(
  folder: string,
  header: SegmentHeader,
  present: readonly SegmentName[],
): Promise<SegmentWriter> {
  const { firstRevision, begunAtMs } = header;
  const attempt = present.filter((segment) => segment.firstRevision === firstRevision).length + 1;
  const suffix = attempt === 1 ? '' : `-${attempt}`;
  const path = join(folder, `segment-${String(firstRevision).padStart(15, '0')}${suffix}.ballast`);
  const json = JSON.stringify({ format: formatVersion, ...header });
  const line = `${json}\t${createHash('sha256').update(json).digest('hex')}\n`;
  const temporary = join(folder, 'next-segment');
  const { O_WRONLY, O_CREAT, O_TRUNC, O_APPEND } = constants;
  const handle = await open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0o600);
  try {
    await handle.appendFile(line);
    await handle.sync();
    await rename(temporary, path);
    await syncFolder(folder);
  } catch (error) {
    await handle.close();
    throw error;
  }
  const end = { offset: Buffer.byteLength(line), hash: createHash('sha256').update(line).digest() };
  return new SegmentWriter(path, handle, { begunAtMs, end, isEmpty: true });
}

/** Goes on with a segment that was read to its very end. */
export async function continueSegment(segment: SegmentReader): Promise<SegmentWriter> {
  const { path, header, end, framesRead } = segment;
  const handle = await open(path, constants.O_WRONLY | constants.O_APPEND);
  return new SegmentWriter(path, handle, { begunAtMs: header.begunAtMs, end, isEmpty: framesRead === 0 });
}

/** A file system without such permissions is no reason to keep nothing. */
export async function makeReadOnly(path: string): Promise<void> {
  await chmod(path, 0o400).catch(() => undefined);
}

interface Point {
  readonly offset: number;
  readonly hash: Buffer;
}

/** What stands behind the last frame that could be read. */
export type SegmentRest =
  | { readonly kind: 'nothing' }
  /** A frame of which only the beginning was written: the last thing that a process or machine did. */
  | { readonly kind: 'torn'; readonly bytes: number }
  | { readonly kind: 'damaged'; readonly why: string };

/** Opens a segment for reading; gives the reason in a few words when its header cannot be read. */
export async function openSegment(folder: string, name: string): Promise<SegmentReader | { readonly why: string }> {
  const path = join(folder, name);
  const handle = await open(path, 'r');
  const bytes = Buffer.alloc(headerBytesMax);
  const { bytesRead } = await handle.read(bytes, 0, headerBytesMax, 0);
  const line = bytes.subarray(0, bytes.subarray(0, bytesRead).indexOf(0x0a) + 1);
  const header = parseHeader(line.toString('utf8'));
  if ('why' in header) {
    await handle.close();
    return header;
  }
  const { size } = await handle.stat();
  const end = { offset: line.length, hash: createHash('sha256').update(line).digest() };
  return new SegmentReader(path, handle, { header, end, sizeBytes: size });
}

export class SegmentReader {
  readonly path: string;
  readonly header: SegmentHeader;
  readonly sizeBytes: number;
  readonly #handle: FileHandle;
  #end: Point;
  #framesRead = 0;
  #isSealed = false;
  #rest: SegmentRest = { kind: 'nothing' };

  constructor(path: string, handle: FileHandle, at: { header: SegmentHeader; end: Point; sizeBytes: number }) {
    this.path = path;
    this.header = at.header;
    this.sizeBytes = at.sizeBytes;
    this.#handle = handle;
    this.#end = at.end;
  }

  /** Behind the last frame that was read. */
  get end(): Point {
    return this.#end;
  }

  get framesRead(): number {
    return this.#framesRead;
  }

  get isSealed(): boolean {
    return this.#isSealed;
  }

  /** Known once `texts` has ended. */
  get rest(): SegmentRest {
    return this.#rest;
  }

  /** The texts of its frames, each checked, up to the first that cannot be believed. */
  async *texts(): AsyncGenerator<string> {
    while (this.#end.offset < this.sizeBytes) {
      const frame = this.#isSealed ? damaged('something stands behind the seal') : await this.#readFrame();
      if ('rest' in frame) {
        this.#rest = frame.rest;
        return;
      }
      this.#end = frame.end;
      this.#framesRead += 1;
      if (frame.kind === 'seal') this.#isSealed = true;
      else yield frame.text;
    }
  }

  close(): Promise<void> {
    return this.#handle.close();
  }

  async #readFrame(): Promise<{ rest: SegmentRest } | { kind: 'text' | 'seal'; text: string; end: Point }> {
    const { offset, hash: previousHash } = this.#end;
    const bytesLeft = this.sizeBytes - offset;
    const torn = { rest: { kind: 'torn', bytes: bytesLeft } } as const;
    if (bytesLeft < frameHeadBytes) return torn;
    const head = await this.#read(offset, frameHeadBytes);
    if (head === undefined) return torn;
    const length = head.readUInt32BE();
    const kind = frameKinds[head.readUInt8(4)];
    // What a torn write leaves in a file is nothing, or zeros, from some point on: also from the midst of a length.
    const orTorn = async (why: string) => {
      const isTorn =
        (await this.#isZeroFrom(offset + frameHeadBytes)) || (await this.#isZeroFrom(offset + frameHeadBytes + length));
      return isTorn ? torn : damaged(why);
    };
    if (length === 0 && kind === 'text') return orTorn('a frame is empty');
    if (length > bodyBytesMax || kind === undefined) return orTorn('a frame has no head that could be');
    if (length > bytesLeft - frameHeadBytes) return torn;
    const body = length === 0 ? Buffer.alloc(0) : await this.#read(offset + frameHeadBytes, length);
    if (body === undefined) return torn;
    const hash = createHash('sha256').update(previousHash).update(head.subarray(0, 5)).update(body).digest();
    if (!hash.equals(head.subarray(5))) {
      return length === bytesLeft - frameHeadBytes ? torn : orTorn('a frame is not what was written');
    }
    const text = kind === 'seal' ? '' : await readText(body);
    if (text === undefined) return damaged('a frame cannot be decompressed');
    return { kind, text, end: { offset: offset + frameHeadBytes + length, hash } };
  }

  /** Whether the file goes on behind the offset, and with nothing but zeros. */
  async #isZeroFrom(offset: number): Promise<boolean> {
    if (offset >= this.sizeBytes) return false;
    const stepBytes = 65_536;
    for (let start = offset; start < this.sizeBytes; start += stepBytes) {
      const bytes = await this.#read(start, Math.min(stepBytes, this.sizeBytes - start));
      if (bytes === undefined || bytes.some((byte) => byte !== 0)) return false;
    }
    return true;
  }

  /** Undefined when the file ends before. */
  async #read(offset: number, length: number): Promise<Buffer | undefined> {
    const bytes = Buffer.alloc(length);
    for (let done = 0; done < length; ) {
      const { bytesRead } = await this.#handle.read(bytes, done, length - done, offset + done);
      if (bytesRead === 0) return undefined;
      done += bytesRead;
    }
    return bytes;
  }
}

function damaged(why: string): { readonly rest: SegmentRest } {
  return { rest: { kind: 'damaged', why } };
}

async function readText(body: Buffer): Promise<string | undefined> {
  try {
    return (await decompress(body, { maxOutputLength: textBytesMax })).toString('utf8');
  } catch {
    return undefined;
  }
}

function parseHeader(line: string): SegmentHeader | { readonly why: string } {
  const [json = '', hash] = line.trimEnd().split('\t');
  if (createHash('sha256').update(json).digest('hex') !== hash) return { why: 'its header is not what was written' };
  const { format, ...header } = JSON.parse(json) as SegmentHeader & { readonly format: unknown };
  // Written by a program like this one: the hash says so.
  return format === formatVersion ? header : { why: `it has format ${format}; this program reads ${formatVersion}` };
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
