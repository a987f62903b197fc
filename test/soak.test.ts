import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import test from 'node:test';
import { soak } from './soak/soak.ts';
import { faultsOf, type Sample } from './soak/verdict.ts';

const mebibyte = 1024 * 1024;
const before: Sample = {
  connections: 0,
  rssBytes: 100 * mebibyte,
  heapBytes: 8 * mebibyte,
  externalBytes: 5 * mebibyte,
  descriptors: 40,
  handles: 20,
  activeConnections: 0,
  idleTargetConnections: 0,
  outstanding: 0,
};

/** Forty samples of a worker that warms up at first and then changes as it is told. */
function series(change: (share: number, index: number) => Partial<Sample> = () => ({})): Sample[] {
  return Array.from({ length: 40 }, (_, index) => {
    const warmth = Math.min(1, index / 8);
    return {
      ...before,
      connections: (index + 1) * 25_000,
      heapBytes: (8 + 3 * warmth) * mebibyte,
      externalBytes: (5 + 9 * warmth) * mebibyte,
      rssBytes: (100 + 90 * warmth) * mebibyte,
      ...change((index + 1) / 40, index),
    };
  });
}

test('soak: a worker that warms up, and varies within its pools, is flat', () => {
  assert.deepEqual(faultsOf(before, series()), []);
  const varying = series((_, index) => ({
    externalBytes: (8 + ((index * 7) % 12)) * mebibyte,
    rssBytes: (190 + ((index * 5) % 9)) * mebibyte,
    heapBytes: 11 * mebibyte + ((index * 3) % 5) * 100_000,
  }));
  assert.deepEqual(faultsOf(before, varying), []);
});

test('soak: what grows with the connections is found, however slowly', () => {
  const grown: readonly (readonly [RegExp, Parameters<typeof series>[0]])[] = [
    // Ten bytes of heap for each of a million connections.
    [/^its heap grew by [4-9]\.\d MB$/, (share) => ({ heapBytes: 11 * mebibyte + share * 10_000_000 })],
    // One buffer of 8 KiB for every hundred.
    [/^its buffers grew by \d+\.\d MB$/, (share) => ({ externalBytes: 14 * mebibyte + share * 10_000 * 8_192 })],
    [/^the process grew by \d+\.\d MB$/, (share) => ({ rssBytes: (190 + share * 80) * mebibyte })],
    [
      /^after 1000000 connections 41 descriptors are open, 40 before$/,
      (share) => ({ descriptors: share === 1 ? 41 : 40 }),
    ],
    [/^after 500000 connections 21 handles are open, 20 before$/, (share) => ({ handles: share === 0.5 ? 21 : 20 })],
    [/^after 1000000 connections activeConnections is 1,/, (share) => ({ activeConnections: share === 1 ? 1 : 0 })],
    [/^after 1000000 connections outstanding is -1,/, (share) => ({ outstanding: share === 1 ? -1 : 0 })],
    [
      /^after 1000000 connections idleTargetConnections is 2,/,
      (share) => ({ idleTargetConnections: share === 1 ? 2 : 0 }),
    ],
  ];
  for (const [expected, change] of grown) {
    const faults = faultsOf(before, series(change));
    assert.equal(faults.length, 1, `${expected}: ${faults}`);
    assert.match(faults[0]!, expected);
  }
});

test('soak: from a handful of samples nobody can tell', () => {
  assert.deepEqual(faultsOf(before, series().slice(0, 7)), ['7 samples are too few to see growth by']);
});

test('soak: every kind of client gets what it should from a worker, and leaves nothing open', async () => {
  const result = await soak({ connections: 1_000, concurrency: 32, samples: 8, seed: 20_261_129 });
  assert.deepEqual(result.problems, []);
  assert.equal(result.problemsCount, 0);
  assert.equal(Object.keys(result.behaviours).length, 22);
  const open = faultsOf(result.before, result.samples).filter((fault) => !fault.includes('grew'));
  assert.deepEqual(open, []);
});

test('soak: its command says how it is used, and refuses what it does not know', () => {
  const run = (...args: string[]) =>
    spawnSync(process.execPath, [join(import.meta.dirname, 'soak/main.ts'), ...args], { encoding: 'utf8' });
  const help = run('--help');
  assert.equal(help.status, 0);
  assert.match(help.stdout, /--connections N[\s\S]*example: npm run soak/);
  for (const wrong of [['--samples', '7'], ['--connections', 'many'], ['--nonsense']]) {
    const { status, stderr } = run(...wrong);
    assert.equal(status, 2, `${wrong}`);
    assert.match(stderr, /^soak: /);
  }
});
