/** Reads a command's flags. What is not understood is refused, never skipped: a mistyped flag must not be a default. */
import { parseArgs } from 'node:util';
import { accept, type Result, refuse } from '#base/result.ts';
import type { Flag } from './command.ts';
import { didYouMean } from './nearest.ts';

/** The value of each flag that was given, by its name; `true` for a switch. */
export type FoundFlags = ReadonlyMap<string, string | true>;

/**
 * Reads `--name value`, `--name=value` and `--switch`; refuses, in one line, anything else. Of a flag that is given
 * twice the last one counts, so that what an alias or a script gives can be overruled behind it.
 */
export function readFlags(args: readonly string[], flags: readonly Flag[]): Result<FoundFlags, string> {
  const byName = new Map(flags.map((flag) => [flag.name, flag]));
  const found = new Map<string, string | true>();
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
  for (const token of tokens) {
    if (token.kind === 'option-terminator') continue;
    if (token.kind === 'positional') return refuse(`unexpected argument '${token.value}'; ${allowed(flags)}`);
    const flag = byName.get(token.name);
    if (flag === undefined) {
      const names = flags.map(({ name }) => name);
      return refuse(`unknown flag ${token.rawName}${didYouMean(token.name, names, '--')}; ${allowed(flags)}`);
    }
    const value = readValue(flag, token);
    if (!value.ok) return value;
    found.set(flag.name, value.value);
  }
  return accept(found);
}

/** The text of a flag that takes one. */
export function textOf(found: FoundFlags, name: string): string | undefined {
  const value = found.get(name);
  return value === true ? undefined : value;
}

function readValue(
  { name, argument }: Flag,
  token: { readonly value: string | undefined; readonly inlineValue: boolean | undefined },
): Result<string | true, string> {
  const { value, inlineValue } = token;
  if (argument === undefined) return value === undefined ? accept(true) : refuse(`--${name} takes no value`);
  // `--data --nodes 2` has lost its folder; a value that does begin with a dash is written `--data=-x`.
  const isLost = value === undefined || value === '' || (inlineValue !== true && value.startsWith('-'));
  return isLost ? refuse(`--${name} needs a value: --${name} ${argument}`) : accept(value);
}

function allowed(flags: readonly Flag[]): string {
  return flags.length === 0 ? 'it takes none' : `allowed: ${flags.map(({ name }) => `--${name}`).join(', ')}`;
}
