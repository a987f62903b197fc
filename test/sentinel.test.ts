/** Damage done to the state store behind the journal's back, by another program: it is noticed, and mended. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, cpSync, openSync, readFileSync, renameSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { AddTagsCommand, DescribeTagsCommand } from '@aws-sdk/client-elastic-load-balancing-v2';
import { ballastCommand, type RunningBallast, startBallast, until } from './running-ballast.ts';
import {
  answers,
  endWith,
  incidentsOf,
  inStep,
  inVault,
  makeService,
  port,
  progressed,
  running,
  type Service,
  someTargets,
} from './service.ts';
import { Load } from './traffic.ts';

/** Another program, with SQLite, on the file of a running Ballast. */
async function otherProgram(path: string, ...statements: readonly string[]): Promise<void> {
  const script = `
    const { DatabaseSync } = require('node:sqlite');
    const database = new DatabaseSync(process.argv[1], { timeout: 5000 });
    for (const statement of process.argv.slice(2)) database.exec(statement);
    database.close();`;
  const child = spawn(process.execPath, ['-e', script, path, ...statements], { stdio: ['ignore', 'ignore', 'pipe'] });
  let printed = '';
  child.stderr.on('data', (chunk: Buffer) => (printed += chunk));
  const [code] = await once(child, 'close');
  assert.equal(code, 0, printed);
}

const withoutTriggers = [
  'transaction_log_refuses_delete',
  'part_refuses_delete',
  'transaction_log_refuses_gap',
  'part_refuses_gap',
  'transaction_log_refuses_update',
].map((name) => `DROP TRIGGER ${name}`);

const aside = (path: string) => `${path}.elsewhere`;

/** What a hand, a script or another program can do, and the check that finds it. */
const damages: readonly {
  readonly name: string;
  readonly check: string;
  readonly what: RegExp;
  readonly damage: (path: string) => Promise<void> | void;
}[] = [
  {
    name: 'rows are deleted in the middle',
    check: 'rows',
    what: /behind the journal's back: 3 of its transactions were gone, from revision 3 on/,
    damage: (path) =>
      otherProgram(
        path,
        ...withoutTriggers,
        'DELETE FROM part WHERE revision BETWEEN 3 AND 5',
        'DELETE FROM transaction_log WHERE revision BETWEEN 3 AND 5',
      ),
  },
  {
    name: 'everything is deleted',
    check: 'rows',
    what: /\d+ of its transactions were gone, from revision 1 on/,
    damage: (path) => otherProgram(path, ...withoutTriggers, 'DELETE FROM part', 'DELETE FROM transaction_log'),
  },
  {
    name: 'the newest rows are deleted',
    check: 'rows',
    what: /transactions were gone/,
    damage: (path) =>
      otherProgram(
        path,
        ...withoutTriggers,
        'DELETE FROM transaction_log WHERE revision > (SELECT max(revision) - 2 FROM transaction_log)',
      ),
  },
  {
    name: 'a line is changed',
    check: 'rows',
    what: /1 of its transactions were changed/,
    damage: (path) =>
      otherProgram(
        path,
        ...withoutTriggers,
        'DROP TRIGGER part_refuses_update',
        "UPDATE part SET lines = replace(lines, '8080', '8081') WHERE number = (SELECT max(number) FROM part WHERE lines LIKE '%8080%')",
      ),
  },
  {
    name: 'a transaction is slipped in',
    check: 'rows',
    what: /revisions were added that the journal has not written/,
    damage: (path) =>
      otherProgram(
        path,
        "INSERT INTO transaction_log SELECT revision + 1, time_ms, cause, 0, 0, digest, hash, 'ff', first_part + parts, 0 FROM transaction_log ORDER BY revision DESC LIMIT 1",
      ),
  },
  {
    name: 'bytes are overwritten without SQLite',
    check: 'rows',
    what: /transactions were|cannot be read any more/,
    damage: (path) => {
      // Where the text of a change lies, at this moment: mostly in the write-ahead log.
      for (const file of [`${path}-wal`, path]) {
        const bytes = readFileSync(file);
        const at = bytes.lastIndexOf('"team"');
        if (at === -1) continue;
        const open = openSync(file, 'r+');
        for (let found = at; found !== -1; found = bytes.lastIndexOf('"team"', found - 1)) {
          writeSync(open, '"TEAM"', found);
          if (found === 0) break;
        }
        closeSync(open);
      }
    },
  },
  {
    name: 'the protection is taken away',
    check: 'triggers',
    what: /the trigger \w+, which kept other programs from changing the journal, was dropped/,
    damage: (path) => otherProgram(path, withoutTriggers[0]!),
  },
  {
    name: 'a table is dropped',
    check: 'rows',
    what: /cannot be read any more|transactions were/,
    damage: (path) => otherProgram(path, 'DROP TABLE part'),
  },
  {
    name: 'the file is removed',
    check: 'file',
    what: /the state store's file was removed/,
    damage: (path) => {
      for (const suffix of ['', '-wal', '-shm']) rmSync(`${path}${suffix}`, { force: true });
    },
  },
  {
    name: 'another file is put in its place',
    check: 'file',
    what: /another file stands in the state store's place/,
    damage: (path) => {
      writeFileSync(aside(path), 'not a store');
      renameSync(aside(path), path);
    },
  },
  {
    name: 'an older copy is put in its place',
    check: 'file',
    what: /another file stands in the state store's place/,
    damage: (path) => {
      cpSync(path, aside(path));
      renameSync(aside(path), path);
    },
  },
  {
    name: 'the index is emptied',
    check: 'index',
    what: /./,
    damage: (path) => otherProgram(path.replace('.db', '-index.db'), 'DELETE FROM document'),
  },
];

async function tag(ballast: RunningBallast, service: Service, value: string): Promise<void> {
  const Tags = [{ Key: 'round', Value: value }];
  await ballast.client().send(new AddTagsCommand({ ResourceArns: [service.loadBalancerArn], Tags }));
}

async function tagged(ballast: RunningBallast, service: Service): Promise<string | undefined> {
  const described = await ballast.client().send(new DescribeTagsCommand({ ResourceArns: [service.loadBalancerArn] }));
  return described.TagDescriptions![0]!.Tags!.find(({ Key }) => Key === 'round')?.Value;
}

/** A service under load. */
async function serving(context: TestContext, ballast: RunningBallast) {
  const service = await makeService(ballast, 'web', await someTargets(context, 2));
  const load = new Load({ host: service.addresses[0]!, port, connections: 4 });
  context.after(() => load.stop());
  await progressed(load, 100);
  return { service, load };
}

test('sentinel: whatever another program does to the store, it is said whose data it was, and put back, while everything serves', async (context) => {
  const alarms: Record<string, unknown>[] = [];
  const webhook = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk));
    request.on('end', () => {
      alarms.push(JSON.parse(text));
      response.end();
    });
  }).listen(0, '127.0.0.1');
  await once(webhook, 'listening');
  context.after(() => webhook.close());
  const url = `http://127.0.0.1:${(webhook.address() as AddressInfo).port}/alarms`;
  const ballast = await running(context, ['--workers', '1', '--alarm-webhook', url]);
  const { service, load } = await serving(context, ballast);
  const path = join(ballast.data, 'journal.db');
  for (const [index, { name, check, what, damage }] of damages.entries()) {
    await tag(ballast, service, `${index}`);
    await damage(path);
    await until(() => incidentsOf(ballast).length === index + 1, `${name}: it is noticed`);
    await until(() => incidentsOf(ballast)[index]!.state === 'mended', `${name}: it is mended`);
    const incident = incidentsOf(ballast)[index]!;
    assert.equal(incident.findings[0]!.check, check, name);
    assert(
      incident.findings.some((finding) => what.test(finding.what)),
      `${name}: ${JSON.stringify(incident.findings)}`,
    );
    if (check === 'file') {
      assert.deepEqual(
        incident.affected.map((each) => [each.account, each.name, each.arn]),
        [['000000000000', 'web', service.loadBalancerArn]],
        name,
      );
    }
    assert(
      incident.affected.every(
        ({ protectedAtMs, unprotectedAtMs }) => (protectedAtMs === undefined) === (unprotectedAtMs === undefined),
      ),
    );
    assert.equal(await tagged(ballast, service), `${index}`, name);
    await tag(ballast, service, `${index} again`);
    await inVault(ballast);
    assert.match(await ballastCommand('verify', '--data', ballast.data), /verified|whole/i, name);
  }
  // An alarm for each incident, and more where more was found.
  const first = Map.groupBy(
    alarms.filter(({ type }) => type === 'alarm'),
    ({ incident }) => incident,
  );
  assert.deepEqual(
    [...first.values()].map(([alarm]) => alarm!.check),
    damages.map(({ check }) => check),
  );
  assert.deepEqual(load.failures, []);
  await progressed(load, 100);
  const page = await ballast.metrics();
  assert(page.includes('ballast_incidents_open 0\n') && page.includes('ballast_protected_load_balancers 0\n'));
});

test('sentinel: a control plane that starts on a store that is gone, emptied or damaged puts it back first', async (context) => {
  const ballast = await running(context, ['--workers', '1']);
  const { service, load } = await serving(context, ballast);
  const path = join(ballast.data, 'journal.db');
  const lose = () => {
    for (const suffix of ['', '-wal', '-shm']) rmSync(`${path}${suffix}`, { force: true });
  };
  const damages: readonly (readonly [RegExp, () => void])[] = [
    [/the state store was gone/, lose],
    [
      /the state store was empty/,
      () => {
        lose();
        writeFileSync(path, '');
      },
    ],
    [
      /the state store could not be read/,
      () => {
        lose();
        writeFileSync(path, 'rubbish '.repeat(10_000));
      },
    ],
  ];
  for (const [index, [what, damage]] of damages.entries()) {
    await tag(ballast, service, `${index}`);
    await inStep(ballast);
    await inVault(ballast);
    const { revision } = await ballast.status();
    const pid = ballast.report.pids.controlPlane;
    process.kill(pid, 'SIGSTOP');
    damage();
    process.kill(pid, 'SIGKILL');
    await until(
      async () => ballast.report.pids.controlPlane !== pid && (await answers(() => ballast.status())),
      'the control plane is back',
    );
    assert.equal(await tagged(ballast, service), `${index}`);
    assert((await ballast.status()).revision >= revision);
    await until(() => incidentsOf(ballast).length === index + 1, 'it is written down');
    const incident = incidentsOf(ballast)[index]!;
    assert.match(incident.findings[0]!.what, what);
    assert.deepEqual(
      incident.affected.map((each) => each.name),
      ['web'],
    );
    await until(
      async () => (await ballast.status()).nodes.every(({ connected, diverged }) => connected && !diverged),
      'the node goes on',
    );
    await progressed(load, 100);
  }
  assert.deepEqual(load.failures, []);
});

test('sentinel: a healthy store raises no alarm, whatever is asked of it', async (context) => {
  const ballast = await startBallast({ flags: ['--workers', '1'] });
  endWith(context, ballast);
  const { service, load } = await serving(context, ballast);
  const client = ballast.client();
  for (let round = 0; round < 30; round += 1) {
    await Promise.all(
      Array.from({ length: 40 }, (_, index) =>
        client.send(
          new AddTagsCommand({
            ResourceArns: [service.loadBalancerArn],
            Tags: [{ Key: `k${index}`, Value: `${round}` }],
          }),
        ),
      ),
    );
    if (round % 10 === 0) await ballastCommand('verify', '--data', ballast.data);
  }
  // Looking on with another program is no damage either.
  await otherProgram(join(ballast.data, 'journal.db'), 'SELECT count(*) FROM transaction_log');
  await inVault(ballast);
  assert.deepEqual(incidentsOf(ballast), []);
  assert(/^ballast_alarms_total 0$/m.test(await ballast.metrics()));
  assert.deepEqual(load.failures, []);
});
