import assert from 'node:assert/strict';
import test from 'node:test';
import type { Result } from '#base/result.ts';
import type { Argument, Flag } from './command.ts';
import { argumentsUsage, type FoundFlags, listOf, readFlags, textOf } from './flags.ts';

const flags: readonly Flag[] = [
  { name: 'data', argument: 'DIR', help: '' },
  { name: 'nodes', argument: 'N', help: '' },
  { name: 'only', argument: 'ARN', isRepeatable: true, help: '' },
  { name: 'json', help: '' },
];

const expected: readonly Argument[] = [
  { name: 'FROM', help: 'where it begins' },
  { name: 'TO', isOptional: true, help: 'where it ends' },
];

function read(...args: string[]): Record<string, readonly string[]> | string {
  return shown(readFlags(args, flags));
}

function readWith(...args: string[]): Record<string, readonly string[]> | string {
  return shown(readFlags(args, flags, expected));
}

function shown(found: Result<FoundFlags, string>): Record<string, readonly string[]> | string {
  return found.ok ? Object.fromEntries(found.value) : found.fault;
}

test('flags: a value may stand behind a blank or an equals sign, a switch has none', () => {
  assert.deepEqual(read('--data', '/a', '--nodes=3', '--json'), { data: ['/a'], nodes: ['3'], json: [''] });
  assert.deepEqual(read('--data=-x=y'), { data: ['-x=y'] });
  assert.deepEqual(read(), {});
});

test('flags: an unknown one is refused with the nearest and all that are allowed', () => {
  const allowed = 'allowed: --data, --nodes, --only, --json';
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
  assert.deepEqual(read('--nodes', '1', '--json', '--nodes', '2', '--json'), { nodes: ['2'], json: [''] });
});

test('flags: a value for a switch and a stray word are refused', () => {
  assert.equal(read('--json=yes'), '--json takes no value');
  assert.equal(read('now'), "unexpected argument 'now'; allowed: --data, --nodes, --only, --json");
  assert.equal(read('--', '--json'), "unexpected argument '--json'; allowed: --data, --nodes, --only, --json");
});

test('flags: arguments stand in their order, before, between and behind the flags', () => {
  assert.deepEqual(readWith('1'), { FROM: ['1'] });
  assert.deepEqual(readWith('1', '--json', '2'), { FROM: ['1'], json: [''], TO: ['2'] });
  assert.deepEqual(readWith('--data', '/a', '--', '1', '--json'), { data: ['/a'], FROM: ['1'], TO: ['--json'] });
  assert.equal(argumentsUsage(expected), ' FROM [TO]');
});

test('flags: an argument that is missing, empty or too many is refused', () => {
  assert.equal(readWith('--json'), 'missing argument FROM: where it begins');
  assert.equal(readWith(''), 'FROM is empty');
  assert.equal(readWith('1', '2', '3'), "unexpected argument '3'; allowed: FROM, TO, --data, --nodes, --only, --json");
});

test('flags: all values of one to repeat count, with commas between them or not', () => {
  const found = readFlags(['--only', 'a,b', '--data', '/a', '--only=c,', '--data', '/b'], flags);
  assert(found.ok);
  assert.deepEqual(listOf(found.value, 'only'), ['a', 'b', 'c']);
  assert.deepEqual(listOf(found.value, 'nodes'), []);
  assert.equal(textOf(found.value, 'data'), '/b');
});
