/**
 * How a command finds the Ballast that it talks to: by the data folder of one on this machine, or by the address of
 * its operator API. The operator's key comes from a file or the environment, never from the command line, where every
 * user of the machine could read it.
 */
import { join, resolve } from 'node:path';
import { accept, type Result, refuse } from '#base/result.ts';
import type { CommandContext, Flag } from './command.ts';
import { type FoundFlags, textOf } from './flags.ts';
import { keyPath, type OperatorKey, readOperatorKey } from './operator-key.ts';
import { shellWords } from './shell-words.ts';

/** The flags by which every command that talks to a running Ballast finds it. */
export const findFlags: readonly Flag[] = [
  { name: 'data', argument: 'DIR', help: 'Data folder of the Ballast to talk to [BALLAST_DATA; default ~/.ballast]' },
  { name: 'operator', argument: 'URL', help: 'Its operator API instead, for one on another machine' },
  {
    name: 'operator-key-file',
    argument: 'FILE',
    help: 'File with the operator key, with --operator [BALLAST_OPERATOR_KEY]',
  },
  { name: 'as', argument: 'NAME', help: 'Ask by name, as this operator [BALLAST_AS]' },
  { name: 'key', argument: 'FILE', help: "The operator's own key, with --as [default ~/.config/ballast/NAME.key]" },
];

export interface FoundBallast {
  /** An origin, as `http://127.0.0.1:8401`. */
  readonly operatorEndpoint: string;
  readonly operatorKey: string;
  /** Of the operator who asks by name. */
  readonly key?: OperatorKey;
  /** What to tell a person when nothing answers there. */
  readonly notRunning: string;
  /** The words by which the same one is found again, for commands that are suggested. */
  readonly findWords: readonly string[];
}

export interface FindFault {
  readonly kind: 'usage' | 'not-running' | 'failed';
  /** One sentence. */
  readonly message: string;
}

/** The data folder when neither a flag, the environment nor a file names one. */
export function defaultDataFolder(homeFolder: string): string {
  return join(homeFolder, '.ballast');
}

/** Finds a Ballast by what was given with `findFlags`. Does not talk to it. */
export function findBallast(found: FoundFlags, context: CommandContext): Result<FoundBallast, FindFault> {
  const ballast = findPlace(found, context);
  const name = textOf(found, 'as') ?? (context.environment.BALLAST_AS || undefined);
  if (name === undefined && found.has('key')) return refuse({ kind: 'usage', message: '--key goes with --as NAME' });
  if (!ballast.ok || name === undefined) return ballast;
  const file = textOf(found, 'key');
  const path = file === undefined ? keyPath(name, context.homeFolder) : resolve(context.workingFolder, file);
  const key = readOperatorKey(name, path, context);
  if (!key.ok) return refuse({ kind: 'failed', message: key.fault });
  return accept({ ...ballast.value, key: key.value });
}

function findPlace(found: FoundFlags, context: CommandContext): Result<FoundBallast, FindFault> {
  const url = textOf(found, 'operator');
  if (url !== undefined) return byAddress(url, found, context);
  if (found.has('operator-key-file')) {
    return refuse({ kind: 'usage', message: '--operator-key-file goes with --operator URL' });
  }
  return byDataFolder(textOf(found, 'data'), context);
}

function byAddress(url: string, found: FoundFlags, context: CommandContext): Result<FoundBallast, FindFault> {
  const usage = (message: string) => refuse<FindFault>({ kind: 'usage', message });
  if (found.has('data')) return usage('--operator and --data name two places; give one of them');
  const operatorEndpoint = readOrigin(url);
  if (operatorEndpoint === undefined) {
    return usage(`--operator: found '${url}'; allowed: an address like http://127.0.0.1:8401, without a path`);
  }
  const keyFile = textOf(found, 'operator-key-file');
  const findWords = ['--operator', url, ...(keyFile === undefined ? [] : ['--operator-key-file', keyFile])];
  const notRunning = `nothing answers at ${operatorEndpoint}: is it the operator API of a running Ballast?`;
  if (keyFile !== undefined) {
    const key = readKey(resolve(context.workingFolder, keyFile), context);
    return key.ok ? accept({ operatorEndpoint, operatorKey: key.value, notRunning, findWords }) : key;
  }
  const operatorKey = context.environment.BALLAST_OPERATOR_KEY ?? '';
  if (operatorKey === '')
    return usage('--operator needs a key: set BALLAST_OPERATOR_KEY or give --operator-key-file FILE');
  return accept({ operatorEndpoint, operatorKey, notRunning, findWords });
}

function byDataFolder(flag: string | undefined, context: CommandContext): Result<FoundBallast, FindFault> {
  const { environment, homeFolder, workingFolder } = context;
  const defaultFolder = defaultDataFolder(homeFolder);
  const folder = resolve(workingFolder, flag ?? (environment.BALLAST_DATA || defaultFolder));
  const start = folder === defaultFolder ? 'ballast up' : `ballast up --data ${shellWords([folder])}`;
  const notRunning = `no Ballast runs with the data folder ${folder}: start it with ${start}`;
  const path = join(folder, 'run', 'ballast.json');
  const file = context.readFile(path);
  if (!file.ok) return refuse({ kind: 'failed', message: file.fault });
  if (file.value === undefined) return refuse({ kind: 'not-running', message: notRunning });
  const operatorEndpoint = readRunFile(file.value);
  if (operatorEndpoint === undefined) {
    return refuse({ kind: 'failed', message: `${path} is damaged: it does not say where the operator API is` });
  }
  const key = readKey(join(folder, 'operator.key'), context);
  if (!key.ok) return key;
  const findWords = flag === undefined ? [] : ['--data', flag];
  return accept({ operatorEndpoint, operatorKey: key.value, notRunning, findWords });
}

function readKey(path: string, context: CommandContext): Result<string, FindFault> {
  const file = context.readFile(path);
  if (!file.ok) return refuse({ kind: 'failed', message: file.fault });
  const key = file.value?.trim() ?? '';
  return key === '' ? refuse({ kind: 'failed', message: `there is no operator key in ${path}` }) : accept(key);
}

function readRunFile(text: string): string | undefined {
  try {
    const content: unknown = JSON.parse(text);
    if (typeof content !== 'object' || content === null || !('operatorEndpoint' in content)) return undefined;
    return typeof content.operatorEndpoint === 'string' ? readOrigin(content.operatorEndpoint) : undefined;
  } catch {
    return undefined;
  }
}

/** An address without user, path or query: those would be lost, or travel where they should not. */
function readOrigin(text: string): string | undefined {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) return undefined;
  return url.href === `${url.origin}/` ? url.origin : undefined;
}
