import assert from 'node:assert/strict';
import test from 'node:test';
import type { Flag } from './command.ts';
import { readFlags } from './flags.ts';

const flags: readonly Flag[] = [
  { name: 'data', argument: 'DIR', help: '' },
  { name: 'nodes', argument: 'N', help: '' },
  { name: 'json', help: '' },
];

function read(...args: string[]): Record<string, string | true> | string {
  const found = readFlags(args, flags);
  return found.ok ? Object.fromEntries(found.value) : found.fault;
}

test('flags: a value may stand behind a blank or an equals sign, a switch has none', () => {
  assert.deepEqual(read('--data', '/a', '--nodes=3', '--json'), { data: '/a', nodes: '3', json: true });
  assert.deepEqual(read('--data=-x=y'), { data: '-x=y' });
  assert.deepEqual(read(), {});
});

test('flags: an unknown one is refused with the nearest and all that are allowed', () => {
  const allowed = 'allowed: --data, --nodes, --json';
  assert.equal(read('--node', '3'), `unknown flag --node (did you mean --nodes?); ${allowed}`);
  assert.equal(read('--dtaa=1'), `unknown flag --dtaa; ${allowed}`);
  assert.equal(read('--dat=1'), `unknown flag --dat (did you mean --data?); ${allowed}`);
  assert.equal(read('-d', '1'), `unknown flag -d; ${allowed}`);
  assert.equal(read('--no-json'), `unknown flag --no-json; ${allowed}`);
  assert.equal(read('--__proto__=1'), `unknown flag --__proto__; ${allowed}`);
});

test('flags: one that has lost its value is refused', () => {
  for (const args of [['--data'], ['--data', '--json'], ['--data='], ['--data', '']]) {
    assert.equal(read(...args), '--data needs a value: --data DIR');
  }
});

test('flags: the last of two that are the same counts', () => {
  assert.deepEqual(read('--nodes', '1', '--json', '--nodes', '2', '--json'), { nodes: '2', json: true });
});

test('flags: a value for a switch and a stray word are refused', () => {
  assert.equal(read('--json=yes'), '--json takes no value');
  assert.equal(read('now'), "unexpected argument 'now'; allowed: --data, --nodes, --json");
  assert.equal(read('--', '--json'), "unexpected argument '--json'; allowed: --data, --nodes, --json");
});
