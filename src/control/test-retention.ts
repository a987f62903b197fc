/** Days of registrations in a real journal with a real vault, and what can be seen of them. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { TestContext } from 'node:test';
import { systemClock } from '#io/clock.ts';
import { silentLog } from '#io/log.ts';
import { sleep } from '#io/timers.ts';
import { dayMs } from '#journal/fold.ts';
import type { Past } from '#journal/store.ts';
import { openVault, type Vault } from '#journal/vault-writer.ts';
import { type Verified, verifyStore } from '#journal/verify.ts';
import { kinds } from '#model/documents.ts';
import type { RetentionLine, StreamError } from '#model/history.ts';
import { Retention, type RetentionLines } from './retention.ts';
import { JournalRegion } from './time-travel/test-journal-region.ts';

export interface OldRegion {
  readonly region: JournalRegion;
  readonly retention: Retention;
  readonly vault: Vault;
  readonly groupArn: string;
  readonly path: string;
  /** The last revision of each day. */
  readonly days: readonly number[];
}

const firstDayMs = Date.UTC(2026, 0, 1);

/**
 * Three days on which each of `targets` registrations is made, taken away and made again, and a fourth that is today.
 * The vault holds all of it.
 */
export async function oldRegion(context: TestContext, targets = 130): Promise<OldRegion> {
  const region = new JournalRegion(context);
  region.nowMs = firstDayMs;
  await region.admit('node-1');
  const groupArn = await region.targetGroup('web');
  await region.listener(await region.loadBalancer('shop'), groupArn);
  const ids = Array.from({ length: targets }, (_, index) => `10.0.${index >> 8}.${index & 255}`);
  const days: number[] = [];
  for (let day = 0; day < 3; day += 1) {
    region.nowMs = firstDayMs + day * dayMs + 3_600_000;
    await region.register(groupArn, ...ids);
    await region.deregister(groupArn, ...ids.slice(day));
    await region.drain();
    await region.register(groupArn, ...ids.slice(0, 90));
    // One that is alone in its transactions.
    await region.register(groupArn, '10.1.0.1');
    await region.deregister(groupArn, '10.1.0.1');
    await region.drain();
    days.push(region.revision);
  }
  region.nowMs = firstDayMs + 10 * dayMs;
  await region.targetGroup('late');
  const folder = join(region.folder, 'vault');
  const vault = openVault({ folder, source: region.journal, clock: systemClock, log: silentLog });
  region.closing.unshift(() => vault.close());
  while (vault.stats.lagRevisions > 0) await sleep(5);
  const retention = new Retention({
    journal: region.journal,
    vault: folder,
    newRequestId: () => 'request-1',
    nowMs: () => region.nowMs,
  });
  return { region, retention, vault, groupArn, path: join(region.folder, 'journal.db'), days };
}

/** All lines of an answer that must not be refused. */
export async function linesOf(answer: ReturnType<Retention['fold']>): Promise<(RetentionLine | StreamError)[]> {
  const result = await answer;
  assert(result.ok, result.ok ? '' : result.fault.error);
  return all(result.value);
}

export async function all(lines: RetentionLines): Promise<(RetentionLine | StreamError)[]> {
  const found: (RetentionLine | StreamError)[] = [];
  for await (const line of lines) if (line !== undefined && line.type !== 'progress') found.push(line);
  return found;
}

export function verified(path: string): Verified {
  const pass = verifyStore({ path });
  while (true) {
    const step = pass.next();
    if (step.done === true) return step.value;
  }
}

/** The text of the log up to a revision, as another program reads it. */
export function logText(path: string, through: number): readonly unknown[] {
  const database = new DatabaseSync(path, { readOnly: true });
  const rows = database.prepare('SELECT * FROM part WHERE revision <= ? ORDER BY number').all(through);
  database.close();
  return rows;
}

/** How many lines of changes a text of the log has. */
export function linesIn(text: readonly unknown[]): number {
  return text.flatMap((row) => (row as { lines: string }).lines.split('\n')).filter((line) => line !== '').length;
}

/** Everything that can be looked up by key, with all its versions; folds themselves are left out. */
export function everything(past: Past): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  for (const kind of kinds) {
    if (kind === 'fold') continue;
    for (const id of past.everKept(kind)) found[`${kind}/${id}`] = [...past.versionsOf(kind, id)];
  }
  return found;
}
