/**
 * What is done to the region in each scenario: the mistake of that day, and four ways in which the same could come to
 * be although the mistake is barred. Each only does the harm; whoever watches tells what came of it.
 */
import { rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { signalProcess, startProgram } from '#io/programs.ts';
import type { DrillLoadBalancer, DrillRegion, Morning } from './drill-region.ts';
import { drillEnvironment } from './messages.ts';
import { paths } from './paths.ts';

export interface Attack {
  readonly region: DrillRegion;
  readonly morning: Morning;
  /** The load balancers whose data is to go. */
  readonly victims: readonly DrillLoadBalancer[];
  readonly say: (text: string) => void;
}

/** What came of it at once: undefined, or a sentence that says who has barred it. */
export interface Attacked {
  readonly barred: string | undefined;
  /** The revisions that an operator would take back, once it is seen. */
  readonly undo?: { readonly from: number; readonly to: number };
}

export interface Scenario {
  readonly name: string;
  readonly title: string;
  readonly play: (attack: Attack) => Promise<Attacked>;
}

export const scenarios: readonly Scenario[] = [
  {
    name: 'unapproved-maintenance',
    title: 'a maintenance process deletes, nobody approved it',
    play: async (attack) => {
      const id = await request(attack);
      attack.say(`a maintenance process sets out to delete ${attack.victims.length} load balancers`);
      return carryOut(attack, id);
    },
  },
  {
    name: 'stolen-approval',
    title: 'the same, with an approval for staging',
    play: async (attack) => {
      const { region, morning, victims, say } = attack;
      const id = await request(attack);
      const { lines } = await region.ask('/v1/approvals');
      const place = lines.find(({ type }) => type === 'place') as unknown as {
        storeId: string;
        region: string;
        nowMs: number;
      };
      const waiting = lines.find((line) => line.id === id) as unknown as { digest: string };
      const stolen = morning.operators.approver.approve({
        type: 'ballast-approval',
        id: '5701e0a990a10001',
        environment: 'staging',
        region: place.region,
        storeId: place.storeId,
        approver: 'approver',
        covers: { kind: 'digest', digest: waiting.digest },
        loadBalancersMax: victims.length,
        notBeforeMs: place.nowMs - 60_000,
        notAfterMs: place.nowMs + 3_000_000,
      });
      say('an approval that was given for staging is presented');
      const { status, lines: said } = await region.ask('/v1/approvals', stolen);
      if (status !== 200) say(`refused: ${said[0]?.error}`);
      return carryOut(attack, id);
    },
  },
  {
    name: 'rows-deleted',
    title: "rows are deleted straight on the store's file",
    play: async ({ region, victims, say }) => {
      const ids = join(region.data, 'victims.json');
      writeFileSync(ids, JSON.stringify(victims.map(({ id }) => id)));
      say(`another program deletes what the store holds of ${victims.length} load balancers`);
      const program = startProgram({ script: deletingScript }, [paths.journal(region.data), ids]);
      if ((await program.ended) !== 0) throw new Error(`the other program failed:\n${program.printed()}`);
      return { barred: undefined };
    },
  },
  {
    name: 'files-removed',
    title: "the store's files are removed",
    play: async ({ region, say }) => {
      say("the store's files are removed");
      for (const suffix of ['', '-wal', '-shm']) rmSync(`${paths.journal(region.data)}${suffix}`, { force: true });
      return { barred: undefined };
    },
  },
  {
    name: 'emptied-store',
    title: 'the control plane restarts with an emptied store',
    play: async ({ region, say }) => {
      const { controlPlane } = region.report.pids;
      // It must not see it coming: what is played is a start on a store that was emptied while nobody looked.
      signalProcess(controlPlane, 'SIGSTOP');
      for (const suffix of ['-wal', '-shm']) rmSync(`${paths.journal(region.data)}${suffix}`, { force: true });
      truncateSync(paths.journal(region.data), 0);
      signalProcess(controlPlane, 'SIGKILL');
      say('the control plane is started anew on a store that was emptied');
      return { barred: undefined };
    },
  },
];

/** Another program on the file: it takes the protection away, and deletes every transaction about the victims. */
const deletingScript = `
const { DatabaseSync } = require('node:sqlite');
const [, path, ids] = process.argv;
const database = new DatabaseSync(path, { timeout: 5000 });
for (const { name } of database.prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'").all()) database.exec('DROP TRIGGER ' + name);
const victims = new Set(JSON.parse(require('node:fs').readFileSync(ids, 'utf8')));
const doomed = [];
for (const { revision, lines } of database.prepare('SELECT revision, lines FROM part').all()) {
  if ([...lines.matchAll(/[0-9a-f]{16}/g)].some(([id]) => victims.has(id))) doomed.push(revision);
}
database.exec('BEGIN');
for (const table of ['part', 'transaction_log']) {
  const remove = database.prepare('DELETE FROM ' + table + ' WHERE revision = ?');
  for (const revision of new Set(doomed)) remove.run(revision);
}
database.exec('COMMIT');
database.close();`;

/** Asks for the clean-up, as somebody does who has the wrong environment in mind. */
async function request({ region, victims, morning }: Attack): Promise<string> {
  const ids = join(region.data, 'victims.json');
  writeFileSync(ids, JSON.stringify(victims.map(({ id }) => id)));
  const wish = { process: 'clean-up', parameters: { ids }, environment: drillEnvironment, reason: 'clean up staging' };
  const { status, lines } = await region.ask('/v1/maintenance/request', wish, morning.operators.asker);
  if (status !== 200) throw new Error(`the request was refused: ${lines[0]?.error}`);
  return String(lines[0]!.id);
}

async function carryOut({ region, morning, say }: Attack, id: string): Promise<Attacked> {
  const { status, lines } = await region.ask('/v1/maintenance/apply', { id }, morning.operators.asker);
  if (status === 200) {
    const { from, to } = lines.at(-1) as { readonly from?: number; readonly to?: number };
    return { barred: undefined, ...(from !== undefined && to !== undefined && { undo: { from, to } }) };
  }
  const barred = String(lines[0]?.error);
  say(`refused: ${barred}`);
  return { barred };
}
