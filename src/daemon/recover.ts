/**
 * `ballast recover`: makes a state store that was lost again, from its copy in the vault or from what the nodes serve.
 * It works on the data folder by itself, while no control plane runs there, and never writes over a store that holds
 * something.
 */
import { accept, type Result, refuse } from '#base/result.ts';
import { type Command, type CommandContext, exitCodes, type Flag } from '#cli/command.ts';
import { refuseUsage } from '#cli/command-line.ts';
import { type FoundFlags, listOf, readFlags, textOf } from '#cli/flags.ts';
import { printable } from '#cli/printable.ts';
import { systemClock } from '#io/clock.ts';
import { askAtTerminal, coresCount } from '#io/process.ts';
import { UnreadableLine } from '#journal/chain.ts';
import { StoreDamaged, StoreFailure } from '#journal/store.ts';
import { type Moment, momentsAllowed, parseMoment } from '#model/moment.ts';
import { recoverFromNodes } from './recover-nodes-command.ts';
import { recoverFromVault } from './recover-vault-command.ts';
import { readSettings, type Settings, settingFlags } from './settings.ts';

const sources = ['vault', 'nodes'] as const;
type Source = (typeof sources)[number];

/** Those that go with one source alone. */
const flagsOfSource: Readonly<Record<Source, readonly string[]>> = {
  vault: ['vault', 'store', 'to'],
  nodes: ['environment', 'region', 'account'],
};
/** They are settings of `ballast up` too, and mean the same. */
const sharedSettings = ['data', 'config', 'vault', 'environment', 'region', 'account'];

const ownFlags: readonly Flag[] = [
  { name: 'from', argument: 'vault|nodes', help: 'The copy in the vault, or what the nodes and the DNS server serve' },
  { name: 'yes', help: 'Write without asking' },
  { name: 'to', argument: 'MOMENT', help: 'From the vault: only what was there by then' },
  { name: 'store', argument: 'ID', help: 'From the vault: which store, where it holds several' },
  {
    name: 'last-good',
    argument: 'DIR',
    isRepeatable: true,
    help: 'Folder with last good states of other machines, too',
  },
  { name: 'json', help: 'Print plan, progress and result as JSON lines' },
];

export const recover: Command = {
  name: 'recover',
  summary: 'make a lost journal again, from the vault or from the nodes',
  flags: [...ownFlags, ...settingFlags.filter(({ name }) => sharedSettings.includes(name))],
  notes: [
    'It prints a plan and asks first. The control plane must not run; nodes may, and nothing that they serve changes.',
    'A journal that is there and holds something is never written over: move it aside first.',
    `--environment, --region and --account go with --from nodes. MOMENT: ${momentsAllowed}.`,
  ],
  examples: [
    { line: 'ballast recover --from vault', purpose: 'with its whole history' },
    { line: 'ballast recover --from vault --vault /mnt/vault --yes --json', purpose: 'for a script' },
    { line: 'ballast recover --from nodes --environment production', purpose: 'when the vault is lost too' },
  ],
  run,
};

interface Wish {
  readonly source: Source;
  readonly settings: Settings;
  /** Only when it was given: the load balancers' names tell it otherwise. */
  readonly region: string | undefined;
  readonly to: Moment | undefined;
  readonly found: FoundFlags;
}

async function run(context: CommandContext): Promise<number> {
  const nowMs = systemClock.wallMs();
  const wish = readWish(context, nowMs);
  if (!wish.ok) return refuseUsage(context, `recover: ${wish.fault}`);
  const { source, settings, region, to, found } = wish.value;
  const { data, vault, environment, account } = settings;
  const shared = {
    data,
    lastGood: listOf(found, 'last-good'),
    json: found.has('json'),
    nowMs,
    confirm: async (question: string) => {
      if (found.has('yes')) return true;
      const answer = await askAtTerminal(`${printable(question)} [y/N] `);
      if (answer === undefined) context.errors.write('ballast: nobody can be asked here: give --yes to go on\n');
      return /^y(es)?$/i.test(answer?.trim() ?? '');
    },
  };
  try {
    return source === 'nodes'
      ? await recoverFromNodes(context, { ...shared, environment, region, account })
      : await recoverFromVault(context, { ...shared, vault, to, storeId: textOf(found, 'store') });
  } catch (error) {
    if (!isOfTheWorld(error)) throw error;
    context.errors.write(`ballast: nothing was put in place: ${printable(error.message)}\n`);
    return exitCodes.failed;
  }
}

function readWish(context: CommandContext, nowMs: number): Result<Wish, string> {
  const flags = readFlags(context.args, recover.flags);
  if (!flags.ok) return flags;
  const found = flags.value;
  const source = sources.find((each) => each === textOf(found, 'from'));
  if (source === undefined) {
    const given = textOf(found, 'from');
    return refuse(`--from: ${given === undefined ? 'it is missing' : `found '${given}'`}; allowed: vault, nodes`);
  }
  const other = source === 'vault' ? 'nodes' : 'vault';
  const misplaced = flagsOfSource[other].find((name) => found.has(name));
  if (misplaced !== undefined) return refuse(`--${misplaced} goes with --from ${other}`);
  const toText = textOf(found, 'to');
  const to = toText === undefined ? accept(undefined) : parseMoment(toText, nowMs);
  if (!to.ok) return refuse(`--to: ${to.fault}`);
  const settings = readSettings(settingArguments(found), context.environment, { ...context, coresCount: coresCount() });
  if (!settings.ok) return settings;
  const region = found.has('region') ? settings.value.region : undefined;
  return accept({ source, settings: settings.value, region, to: to.value, found });
}

function settingArguments(found: FoundFlags): string[] {
  return sharedSettings.flatMap((name) => (found.get(name) ?? []).map((value) => `--${name}=${value}`));
}

/** What a disk, a store, a vault or another program did; anything else is a bug. */
function isOfTheWorld(error: unknown): error is Error {
  if ([StoreFailure, StoreDamaged, UnreadableLine].some((kind) => error instanceof kind)) return true;
  return error instanceof Error && ('syscall' in error || 'errcode' in error);
}
