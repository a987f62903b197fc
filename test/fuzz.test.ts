import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { type EngineReading, readRequests, readResponse } from '#proxy/http1/test-engine-reading.ts';
import { plausibleServers } from '#proxy/test-plausible-servers.ts';
import { startRelay } from '#proxy/test-smuggling-relay.ts';
import { startRecorder } from '#proxy/test-smuggling-stand.ts';
import { connectionTargets, type StandMaker } from './fuzz/connections.ts';
import { type FuzzResult, fuzz, replay } from './fuzz/fuzz.ts';
import { type Finding, type FuzzTarget, formatFinding } from './fuzz/input.ts';
import { type Readers, readerTargets } from './fuzz/readers.ts';
import { fuzzTargets } from './fuzz/targets.ts';

const seed = 20_261_129;

/** Feeds one target with so many inputs. */
async function feed(target: FuzzTarget, inputsMax: number): Promise<FuzzResult> {
  return fuzz({ targets: [target], seed, isOver: (inputs) => inputs >= inputsMax });
}

/** How many inputs each gets here, and how many of them at least are to be taken for something. */
const shares: Readonly<Record<string, { readonly inputs: number; readonly acceptedMin: number }>> = {
  'request-head': { inputs: 3_000, acceptedMin: 200 },
  'response-head': { inputs: 3_000, acceptedMin: 400 },
  chunks: { inputs: 2_000, acceptedMin: 150 },
  connection: { inputs: 600, acceptedMin: 300 },
  answer: { inputs: 600, acceptedMin: 80 },
  'log-entry': { inputs: 5_000, acceptedMin: 5_000 },
  cookie: { inputs: 3_000, acceptedMin: 50 },
};

for (const target of fuzzTargets) {
  test(`fuzz: ${target.name} (${target.about}) holds`, async () => {
    const { inputs, acceptedMin } = shares[target.name]!;
    const { findings, tallies } = await feed(target, inputs);
    assert.deepEqual(findings, []);
    assert.equal(tallies[target.name]!.inputs, inputs);
    const { accepted } = tallies[target.name]!;
    assert(accepted >= acceptedMin, `${accepted} inputs were accepted: too few to say anything`);
  });
}

/** The reader with a mistake in it. */
const mistaken: Readonly<Record<string, { readonly target: string; readonly readers: Partial<Readers> }>> = {
  'takes a bare line feed for a line end': {
    target: 'request-head',
    readers: { requests: (bytes, cuts) => readRequests(replaced(bytes, /(?<!\r)\n/g, '\r\n'), cuts) },
  },
  'loses a message that comes in pieces': {
    target: 'request-head',
    readers: {
      requests: (bytes, cuts = []) => {
        const whole = readRequests(bytes, cuts);
        return cuts.length > 2 ? { ...whole, messages: whole.messages.slice(1) } : whole;
      },
    },
  },
  'takes a vertical tab for a space': {
    target: 'response-head',
    readers: { response: (bytes, how) => readResponse(replaced(bytes, '\x0b', ' '), how) },
  },
  'reads a body behind 304': {
    target: 'response-head',
    readers: { response: (bytes, how) => readResponse(replaced(bytes, /(?<=HTTP\/1\.1 )304/g, '203'), how) },
  },
  'takes a chunk size with 0x': {
    target: 'chunks',
    readers: {
      requests: (bytes, cuts) => readRequests(replaced(bytes, /\r\n0x(?=\d\r\n)/g, '\r\n00'), cuts),
      response: (bytes, how) => readResponse(replaced(bytes, /\r\n0x(?=\d\r\n)/g, '\r\n00'), how),
    },
  },
  'drops trailers': {
    target: 'chunks',
    readers: { response: (bytes, how) => withoutTrailers(readResponse(bytes, how)) },
  },
};

for (const [what, { target: name, readers }] of Object.entries(mistaken)) {
  test(`fuzz: a reader that ${what} is found out, by an input that is short`, async () => {
    const all = readerTargets({ requests: readRequests, response: readResponse, ...readers });
    const target = all.find((each) => each.name === name)!;
    let isFound = false;
    const { findings } = await fuzz({
      targets: [target],
      seed,
      isOver: (inputs) => isFound || inputs >= 20_000,
      onFinding: () => {
        isFound = true;
      },
    });
    assert.equal(findings.length, 1);
    const { length } = findings[0]!.input.text;
    assert(length < 120, `it has ${length} bytes`);
    const verdict = await replay(target, findings[0]!.input);
    assert.equal(verdict.fault, findings[0]!.fault, 'it can be found again');
  });
}

test('fuzz: a relay that prefers one framing to the other is found out through its connections', async () => {
  const relayed: StandMaker = async (t) => {
    const recorder = await startRecorder(t, 'prefers chunks');
    return { front: await startRelay(t, recorder.port, plausibleServers['prefers the length']), recorder };
  };
  const [target] = connectionTargets(relayed);
  const { findings } = await fuzz({ targets: [target!], seed, isOver: (inputs) => inputs >= 400, isQuick: true });
  assert(findings.length > 0);
});

test('fuzz: what throws in the callback of a socket is a finding, and not the end', () => {
  const program = `
    const { fuzz } = await import(process.argv[1]);
    const check = () => new Promise(() => setImmediate(() => { throw new Error('planted'); }));
    const target = {
      name: 'planted', about: '', turn: 1,
      make: () => ({ text: '', cuts: [], circumstances: {} }),
      open: async () => ({ check, close: async () => {} }),
    };
    const { findings } = await fuzz({ targets: [target], seed: 1, isOver: (inputs) => inputs >= 2 });
    console.log(findings.map(({ fault }) => fault.split('\\n')[0]).join());`;
  const path = join(import.meta.dirname, 'fuzz/fuzz.ts');
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', program, path], { encoding: 'utf8' });
  assert.equal(stdout, 'it crashed: Error: planted,it crashed: Error: planted\n');
});

test('fuzz: its command finds nothing with 0, replays a finding, and refuses what it does not know', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'ballast-fuzz-test-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const run = (...args: string[]) =>
    spawnSync(process.execPath, [join(import.meta.dirname, 'fuzz/main.ts'), ...args], { encoding: 'utf8' });
  const help = run('--help');
  assert.equal(help.status, 0);
  assert.match(help.stdout, /--replay FILE[\s\S]*example: npm run fuzz/);
  const found = run('--target', 'log-entry', '--target', 'cookie', '--inputs', '700', '--seed', '5', '--json');
  assert.equal(found.status, 0, found.stderr);
  const { seed: said, tallies, findings } = JSON.parse(found.stdout);
  assert.deepEqual([said, tallies['log-entry'].inputs, tallies.cookie.inputs, findings], [5, 500, 200, []]);
  const finding: Finding = {
    target: 'request-head',
    fault: 'one that was mended',
    seed: 1,
    index: 1,
    input: { text: 'GET / HTTP/1.1\r\nHost: a\r\n\r\n', cuts: [3], circumstances: {} },
  };
  const path = join(folder, 'finding.json');
  writeFileSync(path, formatFinding(finding));
  const again = run('--replay', path);
  assert.equal(again.status, 0, again.stderr);
  assert.match(again.stdout, /nothing is wrong with it any more/);
  writeFileSync(path, formatFinding({ ...finding, target: 'nobody' }));
  const wrongs = [['--replay', path], ['--replay', folder], ['--target', 'x'], ['--minutes', '0'], ['--nonsense']];
  for (const wrong of wrongs) {
    const { status, stderr } = run(...wrong);
    assert.equal(status, 2, `${wrong}`);
    assert.match(stderr, /^fuzz: /);
  }
});

function replaced(bytes: Buffer, what: RegExp | string, by: string): Buffer {
  return Buffer.from(bytes.toString('latin1').replaceAll(what, by), 'latin1');
}

function withoutTrailers(reading: EngineReading): EngineReading {
  return { ...reading, messages: reading.messages.map((message) => ({ ...message, trailers: [] })) };
}
