/**
 * Reads a whole store and names the first thing in it that is not as it was written: the chain and its lines first,
 * then the index. It opens the files by itself and never writes to them, so it works beside a running control plane and
 * on a store that is too damaged to start with. What it must remember, one row for each key, is in a temporary file.
 */
import { createHash } from 'node:crypto';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { isFileThere } from '#io/files.ts';
import { type Documents, type FoldDocument, type Kind, kinds } from '#model/documents.ts';
import {
  beginning,
  causeOf,
  chainHash,
  documentOf,
  hasFoldedLines,
  type Line,
  linesOf,
  linesPerPartMax,
  UnreadableLine,
} from './chain.ts';
import { indexFormat } from './sqlite-index.ts';
import { formatVersion, indexPathOf, type LogRow } from './sqlite-schema.ts';
import { type Break, Broken, membersOf, type Touched, touchedMax } from './verify-break.ts';
import { FoldCheck } from './verify-fold.ts';
import { FoundCheck } from './verify-found.ts';
import type { KeyRow, PartRow } from './verify-rows.ts';

export interface Verified {
  readonly from: number;
  /** The last revision that was looked at. */
  readonly through: number;
  readonly changes: number;
  readonly broken: Break | undefined;
}

/** How far it is: `done` of `total` transactions, or keys of the index. */
export interface VerifyStep {
  readonly phase: 'log' | 'index';
  readonly done: number;
  readonly total: number;
  readonly revision: number;
  /** Rows that this step has read. */
  readonly work: number;
}

export interface VerifyOptions {
  readonly path: string;
  /** The first revision to look at; the one behind the store's origin when not given. */
  readonly from?: number;
  /** Documents in memory, to be held to the log while they are at the revision that the index has reached. */
  readonly memory?: () => {
    readonly revision: number;
    readonly get: (kind: Kind, id: string) => Documents[Kind] | undefined;
    readonly count: (kind: Kind) => number;
  };
}

const rowsPerStep = 100;
const partText = "SELECT number, revision, ifnull(CAST(lines AS TEXT), '') AS lines FROM part WHERE number = ?";

/** Walks the store in steps of some hundred rows each. The file that cannot even be opened is a break, too. */
export function* verifyStore(options: VerifyOptions): Generator<VerifyStep, Verified, void> {
  while (true) {
    let pass: VerifyPass | undefined;
    try {
      pass = new VerifyPass(options);
      return yield* pass.run();
    } catch (error) {
      const broken = breakOf(error, pass);
      // While lines are folded away, two looks may not fit together: it begins again.
      if (pass?.hasFoldMoved !== true) {
        return { from: pass?.from ?? 0, through: pass?.revision ?? 0, changes: pass?.changes ?? 0, broken };
      }
    } finally {
      pass?.close();
    }
  }
}

class VerifyPass {
  readonly #log: DatabaseSync;
  readonly #index: DatabaseSync | undefined;
  /** One row for each key: its newest revision, and how many of its lines the log holds. */
  readonly #seen: DatabaseSync;
  readonly #options: VerifyOptions;
  #origin: { readonly revision: number; readonly hash: string } = beginning;
  #storeId = '';
  #seenCount = 0;
  readonly #findSeen: StatementSync;
  readonly #putSeen: StatementSync;
  readonly #found: FoundCheck;
  #part!: StatementSync;
  #folds: FoldCheck | undefined;
  from = 0;
  #through = 0;
  where: Break['where'] = 'log';
  revision = 0;
  timeMs: number | undefined;
  changes = 0;

  constructor(options: VerifyOptions) {
    this.#options = options;
    this.#log = new DatabaseSync(options.path, { readOnly: true, timeout: 5_000 });
    // Without a name it is a file that nobody else sees, and that is gone once it is closed.
    this.#seen = new DatabaseSync('');
    const indexPath = indexPathOf(options.path);
    this.#index = isFileThere(indexPath) ? new DatabaseSync(indexPath, { readOnly: true, timeout: 5_000 }) : undefined;
    this.#seen.exec(`PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-16384;
      CREATE TABLE seen (kind TEXT, id TEXT, revision INTEGER, lines INTEGER, next INTEGER,
        PRIMARY KEY (kind, id)) WITHOUT ROWID;`);
    this.#findSeen = this.#seen.prepare('SELECT revision, lines, next FROM seen WHERE kind = ? AND id = ?');
    this.#putSeen = this.#seen.prepare('INSERT OR REPLACE INTO seen VALUES (?, ?, ?, ?, ?)');
    this.#found = new FoundCheck(this.#seen);
  }

  get hasFoldMoved(): boolean {
    return this.#folds?.hasMoved === true;
  }

  *run(): Generator<VerifyStep, Verified, void> {
    this.#open();
    this.#folds = new FoldCheck(this.#log, this.#seen);
    yield* this.#walkLog(this.#folds);
    // No index is no damage: the next start makes one.
    if (this.#index !== undefined) {
      this.where = 'index';
      yield* this.#walkIndex(this.#index);
    }
    return { from: this.from, through: this.#through, changes: this.changes, broken: undefined };
  }

  close(): void {
    this.#log.close();
    this.#index?.close();
    this.#seen.close();
  }

  #open(): void {
    const identity = this.#log.prepare('SELECT * FROM identity').get();
    if (identity === undefined) throw new Broken(this.#plain('the store has lost its identity', 0));
    if (identity.format !== formatVersion) {
      const what = `the store has format ${identity.format}, and this program reads format ${formatVersion}`;
      throw new Broken(this.#plain(what, 0));
    }
    this.#storeId = String(identity.store_id);
    this.#origin = { revision: Number(identity.origin_revision), hash: String(identity.origin_hash) };
    this.from = Math.max(this.#options.from ?? 0, this.#origin.revision + 1);
    this.revision = this.from - 1;
    const last = this.#log.prepare('SELECT max(revision) AS last, min(revision) AS first FROM transaction_log').get()!;
    this.#through = Number(last.last ?? this.#origin.revision);
    const first = Number(last.first ?? this.#origin.revision + 1);
    if (first !== this.#origin.revision + 1) {
      throw new Broken(this.#plain(`the log begins at revision ${first}, not behind its origin`, first));
    }
  }

  *#walkLog(folds: FoldCheck): Generator<VerifyStep, void, void> {
    const { from } = this;
    // A flipped bit can make another type of a value: what is not a text is none that was written.
    this.#part = this.#log.prepare(partText);
    const one = this.#log.prepare('SELECT * FROM transaction_log WHERE revision = ?');
    const before = one.get(from - 1) as unknown as LogRow | undefined;
    let previousHash = before?.hash ?? this.#origin.hash;
    let nextPart = before === undefined ? 1 : before.first_part + before.parts;
    this.timeMs = before?.time_ms;
    let work = 0;
    for (let revision = from; revision <= this.#through; revision += 1) {
      this.revision = revision;
      const row = one.get(revision) as unknown as LogRow | undefined;
      if (row === undefined) throw this.#broken('is missing from the log', undefined);
      if (row.previous_hash !== previousHash) throw this.#broken('does not continue the chain of the one before', row);
      if (!isReadable(() => causeOf(row.cause))) throw this.#broken('has a cause that cannot be read', row);
      const { time_ms: timeMs, changes: changesCount, previous_hash: previous } = row;
      const header = { ...row, timeMs, changesCount, previousHash: previous };
      if (chainHash(header, row.cause) !== row.hash) throw this.#broken('has another hash than its content', row);
      if (timeMs < (this.timeMs ?? timeMs)) throw this.#broken('is earlier than the one before', row);
      this.timeMs = timeMs;
      if (row.first_part !== nextPart || row.parts !== Math.ceil(row.changes / linesPerPartMax)) {
        throw this.#broken('has its changes in other parts than it was written in', row);
      }
      work = yield* this.#walkParts(row, folds, work);
      previousHash = row.hash;
      nextPart += row.parts;
      work += 1;
      if (work < rowsPerStep) continue;
      yield this.#step('log', revision - from + 1, this.#through - from + 1, work);
      work = 0;
    }
    const unanswered = yield* this.#stepping('log', folds.unanswered());
    if (unanswered !== undefined) {
      this.revision = unanswered;
      throw this.#broken('has lost lines, and no fold answers for them', one.get(unanswered) as unknown as LogRow);
    }
    const stray = this.#log
      .prepare('SELECT number, revision FROM part WHERE number < 1 OR (number >= ? AND revision <= ?) LIMIT 1')
      .get(nextPart, this.#through);
    if (stray !== undefined) {
      throw new Broken(this.#plain(`part ${stray.number} belongs to no transaction`, Number(stray.revision)));
    }
  }

  *#walkParts(row: LogRow, folds: FoldCheck, workBefore: number): Generator<VerifyStep, number, void> {
    const digest = createHash('sha256');
    let isFolded = false;
    let lines = 0;
    let work = workBefore;
    for (let number = row.first_part; number < row.first_part + row.parts; number += 1) {
      const part = this.#part.get(number) as unknown as PartRow | undefined;
      if (part === undefined) throw this.#broken(`has lost part ${number}`, row);
      if (part.revision !== row.revision) throw this.#broken(`has part ${number} of revision ${part.revision}`, row);
      digest.update(part.lines);
      const linesCount = part.lines.split('\n').length - 1;
      lines += linesCount;
      isFolded ||= hasFoldedLines(part.lines);
      work += linesCount;
      if (work < rowsPerStep) continue;
      yield this.#step('log', row.revision - this.from, this.#through - this.from + 1, work);
      work = 0;
    }
    if (lines !== row.changes || (!isFolded && digest.digest('hex') !== row.digest)) {
      throw this.#broken('has other changes than were written', row);
    }
    if (isFolded) folds.note(row.revision);
    // Only now: what a line says is worth looking at once it is known to be the one that was written.
    for (let number = row.first_part; number < row.first_part + row.parts; number += 1) {
      const part = this.#part.get(number) as unknown as PartRow;
      if (isFolded && !folds.isListed(number, part.lines)) {
        throw this.#broken(`has lost lines, and no fold answers for part ${number} as it is`, row);
      }
      if (!isReadable(() => this.#takeLines(row, part, folds))) {
        throw this.#broken(`has a change in part ${number} that cannot be read`, row);
      }
      work += linesPerPartMax;
      yield this.#step('log', row.revision - this.from, this.#through - this.from + 1, work);
      work = 0;
    }
    return work;
  }

  #takeLines(row: LogRow, part: PartRow, folds: FoldCheck): void {
    for (const line of linesOf(part.lines)) {
      const { kind, id, before, afterText } = line;
      const seen = this.#findSeen.get(kind, id) as { revision: number; lines: number; next: number } | undefined;
      // After a tombstone there is nothing to replace. What came before `from` was not read, and the line that a
      // registration's line replaced may have been folded away, be it a tombstone or not.
      const isKnown = seen !== undefined || this.from === this.#origin.revision + 1;
      const isRight = before === (seen?.next ?? 0);
      const canBeRight = before < row.revision && (before === 0 || before >= (seen?.revision ?? 0));
      const isFolded = before === 0 ? folds.hasNotedBetween(seen?.revision ?? 0, row.revision) : folds.isNoted(before);
      if (!isRight && !((!isKnown || (kind === 'target' && isFolded)) && canBeRight)) {
        throw this.#broken(
          `says that ${kind} ${id} was last written by revision ${before}, but that was ${seen?.next ?? 0}`,
          row,
        );
      }
      const document = afterText === '' ? undefined : (documentOf(afterText) as Documents[Kind]);
      if (seen === undefined) this.#seenCount += 1;
      this.#putSeen.run(kind, id, row.revision, (seen?.lines ?? 0) + 1, document === undefined ? 0 : row.revision);
      if (document !== undefined) this.#found.take(kind, id, document);
      if (kind === 'fold') folds.take(id, document as FoldDocument | undefined);
      this.changes += 1;
    }
  }

  /** Steps through work that is counted in rows. */
  *#stepping<T>(phase: VerifyStep['phase'], work: Generator<number, T, void>): Generator<VerifyStep, T, void> {
    while (true) {
      const step = work.next();
      if (step.done === true) return step.value;
      yield this.#step(phase, 1, 1, step.value);
    }
  }

  /** Each statement sees one moment of the index, which may go on meanwhile. */
  *#walkIndex(index: DatabaseSync): Generator<VerifyStep, void, void> {
    const progress = index.prepare('SELECT * FROM progress').get();
    const known = Number(progress?.revision ?? -1);
    const row = this.#log.prepare('SELECT hash FROM transaction_log WHERE revision = ?').get(known);
    const hash = known === this.#origin.revision ? this.#origin.hash : row?.hash;
    if (progress === undefined || progress.store_id !== this.#storeId || progress.hash !== hash) {
      throw new Broken(this.#plain('the index is of another log', Math.max(known, 0)));
    }
    // A count that is too high would make it pass over parts of the next transaction.
    const next = this.#log.prepare('SELECT parts FROM transaction_log WHERE revision = ?').get(known + 1);
    if (progress.format !== indexFormat || Number(progress.parts_of_next) > Number(next?.parts ?? 0)) {
      throw new Broken(this.#plain('the index does not say how far it is', known));
    }
    const page = index.prepare(`SELECT key.number, kind, id, last.revision, last.part, last.position,
        (SELECT count(*) FROM version WHERE version.key = key.number AND revision <= ?1 AND revision >= ?2) AS versions,
        document.revision AS documentRevision, body, (SELECT revision FROM progress) AS progress
      FROM key LEFT JOIN version AS last ON last.key = key.number
        AND last.revision = (SELECT max(revision) FROM version WHERE version.key = key.number)
      LEFT JOIN document ON document.key = key.number
      WHERE key.number > ?3 ORDER BY key.number LIMIT ${rowsPerStep}`);
    // Keys are numbered as they come; counting them would take as long as there are many.
    const total = Number(index.prepare('SELECT max(number) AS last FROM key').get()!.last ?? 0);
    const through = Math.min(known, this.#through);
    const memoryRevision = this.#options.memory?.().revision;
    const present = new Map<Kind, number>(kinds.map((kind) => [kind, 0]));
    let done = 0;
    let expected = 0;
    for (let last = Number.MIN_SAFE_INTEGER; ; ) {
      const rows = page.all(through, this.from, last) as unknown as KeyRow[];
      for (const key of rows) {
        expected += this.#checkKey(key, through);
        if (key.body !== null) present.set(key.kind, (present.get(key.kind) ?? 0) + 1);
        yield* this.#walkVersions(index, key);
      }
      done += rows.length;
      yield this.#step('index', done, Math.max(total, done), rows.length);
      if (rows.length < rowsPerStep) break;
      const next = rows.at(-1)!.number;
      if (next <= last) throw new Broken(this.#plain('the keys of the index are out of order', this.#through));
      last = next;
    }
    // Only when nothing was written meanwhile is every key of one moment.
    if (memoryRevision === known) this.#checkMemoryCounts(present, known);
    if (through < this.#through) return;
    const missing = this.#seenCount - expected;
    if (missing > 0) throw new Broken(this.#plain(`the index lacks ${missing} keys of the log`, this.#through));
    const isWhole = this.from === this.#origin.revision + 1;
    const wrong = yield* this.#stepping('index', this.#found.check(index, this.#through, isWhole));
    if (wrong !== undefined) throw new Broken(this.#plain(wrong.what, this.#through, wrong));
  }

  /** Gives back 1 for a key that this pass has seen in the log. */
  #checkKey(key: KeyRow, through: number): number {
    const { kind, id, revision, part, position, body, progress } = key;
    const wrong = (what: string) =>
      new Broken({
        where: this.where,
        what: `the index has ${what} of ${kind} ${id}`,
        revision: revision ?? 0,
        timeMs: this.#timeOf(revision ?? 0),
        touched: [this.#touchedOf(kind, id, body ?? '')],
      });
    const seen = this.#findSeen.get(kind, id) as { revision: number; lines: number } | undefined;
    if (revision === null || part === null) throw wrong('no version');
    const line = this.#lineAt(part, position ?? -1, revision);
    if (line === undefined || line.kind !== kind || line.id !== id) throw wrong('a version that the log does not have');
    if (line.afterText !== (body ?? '')) throw wrong('another document than the newest');
    if (body !== null && key.documentRevision !== revision) throw wrong('a document with the wrong revision');
    const lines = seen?.lines ?? 0;
    const mayLack = kind === 'target' && key.versions < lines && this.#folds?.isUnderWay === true;
    if (through === this.#through && key.versions !== lines && !mayLack) {
      throw wrong(`${key.versions} versions instead of ${lines}`);
    }
    if (seen !== undefined && revision < seen.revision && progress >= seen.revision) throw wrong('an older version');
    this.#checkMemory(key, line);
    return seen === undefined ? 0 : 1;
  }

  #checkMemoryCounts(present: ReadonlyMap<Kind, number>, revision: number): void {
    const memory = this.#options.memory?.();
    if (memory === undefined || memory.revision !== revision) return;
    for (const [kind, count] of present) {
      if (memory.count(kind) === count) continue;
      const what = `memory has ${memory.count(kind)} documents of kind ${kind}, and the log has ${count}`;
      throw new Broken({ ...this.#plain(what, revision), where: 'memory' });
    }
  }

  /** Each version stands where the index says; the newest is known to. */
  *#walkVersions(
    index: DatabaseSync,
    { number, kind, id, revision: newest }: KeyRow,
  ): Generator<VerifyStep, void, void> {
    const page = index.prepare(`SELECT revision, part, position FROM version
      WHERE key = ? AND revision < ? ORDER BY revision DESC LIMIT ${rowsPerStep}`);
    for (let last = newest ?? 0; ; ) {
      const rows = page.all(number, last) as unknown as { revision: number; part: number; position: number }[];
      for (const { revision, part, position } of rows) {
        const line = this.#lineAt(part, position, revision);
        if (line?.kind === kind && line.id === id) continue;
        const what = `the index has a version of ${kind} ${id} that the log does not have`;
        throw new Broken(this.#plain(what, revision, { kind, id }));
      }
      if (rows.length < rowsPerStep) return;
      yield this.#step('index', 1, 1, rows.length);
      last = rows.at(-1)!.revision;
    }
  }

  #checkMemory({ kind, id, revision, progress }: KeyRow, line: Line): void {
    const memory = this.#options.memory?.();
    if (memory === undefined || memory.revision !== progress) return;
    const document = memory.get(kind, id);
    if ((document === undefined ? '' : JSON.stringify(document)) === line.afterText) return;
    throw new Broken({
      where: 'memory',
      what: `${kind} ${id} is not in memory as the log has it`,
      revision: revision ?? 0,
      timeMs: this.#timeOf(revision ?? 0),
      touched: [this.#touchedOf(kind, id, line.afterText)],
    });
  }

  #lineAt(number: number, position: number, revision: number): Line | undefined {
    const part = this.#part.get(number) as unknown as PartRow | undefined;
    if (part?.revision !== revision) return undefined;
    for (const line of linesOf(part.lines)) if (line.position === position) return line;
    return undefined;
  }

  #step(phase: VerifyStep['phase'], done: number, total: number, work: number): VerifyStep {
    return { phase, done, total, revision: this.revision, work };
  }

  #broken(what: string, row: LogRow | undefined): Broken {
    const touched: Touched[] = [];
    for (let number = row?.first_part ?? 0; row !== undefined && number < row.first_part + row.parts; number += 1) {
      const part = this.#part.get(number) as unknown as PartRow | undefined;
      for (const text of (part?.lines ?? '').split('\n')) {
        // As far as it can be read: the line that is damaged is among these.
        const [kind, id, , after] = text.split('\t');
        if (id !== undefined && touched.length < touchedMax) touched.push(this.#touchedOf(kind!, id, after ?? ''));
      }
      if (touched.length >= touchedMax) break;
    }
    const timeMs = row?.time_ms;
    return new Broken({
      where: 'log',
      what: `revision ${this.revision} ${what}`,
      revision: this.revision,
      timeMs,
      touched,
    });
  }

  #plain(what: string, revision: number, key?: { readonly kind: string; readonly id: string }): Break {
    const touched = key === undefined ? [] : [this.#touchedOf(key.kind, key.id, '')];
    return { where: this.where, what, revision, timeMs: undefined, touched };
  }

  #timeOf(revision: number): number | undefined {
    const row = this.#log.prepare('SELECT time_ms FROM transaction_log WHERE revision = ?').get(revision);
    return row === undefined ? undefined : Number(row.time_ms);
  }

  /** With name and owner of it, or of the load balancer or target group that it belongs to. */
  #touchedOf(kind: string, id: string, text: string): Touched {
    const own = membersOf(text);
    const parent = own.loadBalancerId ?? own.targetGroupId;
    const { name, account } = own.name === undefined && typeof parent === 'string' ? this.#indexed(parent) : own;
    return {
      kind,
      id,
      ...(typeof name === 'string' ? { name } : {}),
      ...(typeof account === 'string' ? { account } : {}),
    };
  }

  #indexed(id: string): Record<string, unknown> {
    try {
      const query = `SELECT body FROM document JOIN key ON number = key
        WHERE kind IN ('load-balancer', 'target-group') AND id = ?`;
      return membersOf(String(this.#index?.prepare(query).get(id)?.body ?? ''));
    } catch {
      // The index may be as damaged as the log; a name is not worth the finding.
      return {};
    }
  }
}

/** Only what the reader of a line says about it; everything else goes on. */
function isReadable(read: () => void): boolean {
  try {
    read();
    return true;
  } catch (error) {
    if (error instanceof UnreadableLine) return false;
    throw error;
  }
}

/** Codes of SQLite for what is not in the file as it should be: no table or column, malformed, no database. */
const damageCodes = new Set([1, 11, 26]);

function breakOf(error: unknown, pass: VerifyPass | undefined): Break {
  if (error instanceof Broken) return error.found;
  const { errcode, code, message } = error as { errcode?: number; code?: string; message: string };
  // A number that JavaScript cannot hold was never written by the journal.
  const isDamage = errcode === undefined ? code === 'ERR_OUT_OF_RANGE' : damageCodes.has(errcode & 0xff);
  if (!isDamage && !(error instanceof UnreadableLine)) throw error;
  const where = pass?.where ?? 'log';
  const what = `the ${where === 'index' ? 'index' : 'log'} cannot be read: ${message}`;
  return { where, what, revision: pass?.revision ?? 0, timeMs: pass?.timeMs, touched: [] };
}
