/**
 * Reads what stands behind a command's name: its flags and its arguments. What is not understood is refused, never
 * skipped: a mistyped flag must not be a default.
 */
import { parseArgs } from 'node:util';
import { accept, type Result, refuse } from '#base/result.ts';
import type { Argument, Flag } from './command.ts';
import { didYouMean } from './nearest.ts';

/**
 * The values of each flag and argument that was given, by its name (an argument's is in capitals, a flag's is not). A
 * switch has the value ''.
 */
export type FoundFlags = ReadonlyMap<string, readonly string[]>;

/**
 * Reads `--name value`, `--name=value`, `--switch` and the arguments; refuses, in one line, anything else. Of a flag
 * that is given twice the last one counts, so that what an alias or a script gives can be overruled behind it, unless
 * it is one to repeat.
 */
export function readFlags(
  args: readonly string[],
  flags: readonly Flag[],
  expected: readonly Argument[] = [],
): Result<FoundFlags, string> {
  const byName = new Map(flags.map((flag) => [flag.name, flag]));
  const found = new Map<string, readonly string[]>();
  // Not strict: the refusals below say more than Node's own.
  const { tokens } = parseArgs({
    args: [...args],
    options: Object.fromEntries(
      flags.map(({ name, argument }) => [name, { type: argument === undefined ? 'boolean' : 'string' } as const]),
    ),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  let argumentsCount = 0;
  for (const token of tokens) {
    if (token.kind === 'option-terminator') continue;
    if (token.kind === 'positional') {
      const argument = expected[argumentsCount];
      if (argument === undefined) return refuse(`unexpected argument '${token.value}'; ${allowed(flags, expected)}`);
      if (token.value === '') return refuse(`${argument.name} is empty`);
      found.set(argument.name, [token.value]);
      argumentsCount += 1;
      continue;
    }
    const flag = byName.get(token.name);
    if (flag === undefined) {
      const names = flags.map(({ name }) => name);
      return refuse(`unknown flag ${token.rawName}${didYouMean(token.name, names, '--')}; ${allowed(flags, [])}`);
    }
    const value = readValue(flag, token);
    if (!value.ok) return value;
    const earlier = flag.isRepeatable === true ? (found.get(flag.name) ?? []) : [];
    found.set(flag.name, [...earlier, value.value]);
  }
  const missing = expected[argumentsCount];
  if (missing === undefined || missing.isOptional === true) return accept(found);
  return refuse(`missing argument ${missing.name}: ${missing.help}`);
}

/** The text of a flag that takes one, or of an argument; of several the last. */
export function textOf(found: FoundFlags, name: string): string | undefined {
  return found.get(name)?.at(-1);
}

/** Every text of a flag to repeat, which may also have been given with commas between them. */
export function listOf(found: FoundFlags, name: string): string[] {
  return (found.get(name) ?? []).flatMap((text) => text.split(',')).filter((text) => text !== '');
}

/** The arguments of a command as its usage line shows them: `A [B]`. */
export function argumentsUsage(expected: readonly Argument[]): string {
  return expected.map(({ name, isOptional }) => (isOptional === true ? ` [${name}]` : ` ${name}`)).join('');
}

function readValue(
  { name, argument }: Flag,
  token: { readonly value: string | undefined; readonly inlineValue: boolean | undefined },
): Result<string, string> {
  const { value, inlineValue } = token;
  if (argument === undefined) return value === undefined ? accept('') : refuse(`--${name} takes no value`);
  // `--data --nodes 2` has lost its folder; a value that does begin with a dash is written `--data=-x`.
  const isLost = value === undefined || value === '' || (inlineValue !== true && value.startsWith('-'));
  return isLost ? refuse(`--${name} needs a value: --${name} ${argument}`) : accept(value);
}

function allowed(flags: readonly Flag[], expected: readonly Argument[]): string {
  const words = [...expected.map(({ name }) => name), ...flags.map(({ name }) => `--${name}`)];
  return words.length === 0 ? 'it takes none' : `allowed: ${words.join(', ')}`;
}
