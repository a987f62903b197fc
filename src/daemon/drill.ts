/** `ballast drill christmas-eve`: the day on which all of this began, played against a region of its own. */
import { accept, type Result, refuse } from '#base/result.ts';
import { type Command, type CommandContext, exitCodes } from '#cli/command.ts';
import { refuseUsage } from '#cli/command-line.ts';
import { type FoundFlags, listOf, readFlags, textOf } from '#cli/flags.ts';
import { type Scenario, scenarios } from './drill-scenarios.ts';
import { type Layer, layers } from './messages.ts';

export const drill: Command = {
  name: 'drill',
  summary: 'replay the 24th of December 2012 against a region of its own',
  arguments: [{ name: 'christmas-eve', help: 'The day to replay' }],
  flags: [
    { name: 'load-balancers', argument: 'N', help: 'How many load balancers the region has [default 1000]' },
    { name: 'nodes', argument: 'N', help: 'How many nodes it has [default 3]' },
    {
      name: 'scenario',
      argument: 'NAME',
      isRepeatable: true,
      help: `Only this: ${scenarios.map(({ name }) => name).join(', ')}`,
    },
    { name: 'without', argument: 'LIST', isRepeatable: true, help: `Switch layers off: ${layers.join(', ')}` },
    { name: 'as-in-2012', help: 'Switch all of them off; the damage is real then' },
    { name: 'seed', argument: 'N', help: 'Which load balancers are hit [default 2012]' },
    { name: 'json', help: 'Print one JSON object for each scenario' },
  ],
  notes: [
    'The region is a Ballast of its own in a temporary folder, on loopback; it touches nothing else and is gone afterwards.',
    'Players watch live video through it and count the moments in which they would have stalled. The target with all',
    'layers on: nothing impaired, no request failed, no stall, noticed within 1 s, mended within 5 s; with one layer off',
    'still no failed request. The exit code is 0 only when it holds.',
  ],
  examples: [
    { line: 'ballast drill christmas-eve', purpose: 'the whole day, some minutes' },
    { line: 'ballast drill christmas-eve --load-balancers 50 --scenario rows-deleted', purpose: 'a part of it' },
    { line: 'ballast drill christmas-eve --without guard', purpose: 'what the other layers are worth without it' },
    { line: 'ballast drill christmas-eve --as-in-2012', purpose: 'as it was' },
  ],
  run: runDrill,
};

export interface DrillOptions {
  readonly loadBalancers: number;
  readonly nodes: number;
  readonly scenarios: readonly Scenario[];
  readonly without: readonly Layer[];
  readonly seed: number;
  readonly isJson: boolean;
}

async function runDrill(context: CommandContext): Promise<number> {
  const found = readFlags(context.args, drill.flags, drill.arguments);
  if (!found.ok) return refuseUsage(context, `drill: ${found.fault}`);
  const options = readOptions(found.value);
  if (!options.ok) return refuseUsage(context, `drill: ${options.fault}`);
  try {
    // Only now: what plays a drill takes longer to load than most commands to run.
    const { playDrill } = await import('./drill-play.ts');
    const results = await playDrill(options.value, context);
    return results.every(({ target }) => target.holds) ? exitCodes.ok : exitCodes.failed;
  } catch (error) {
    context.errors.write(`ballast: the drill could not be played: ${(error as Error).message}\n`);
    return exitCodes.failed;
  }
}

function readOptions(found: FoundFlags): Result<DrillOptions, string> {
  const day = textOf(found, 'christmas-eve');
  if (day !== 'christmas-eve') return refuse(`found '${day}'; allowed: christmas-eve`);
  const number = (name: string, usual: number, min: number, max: number) => {
    const text = textOf(found, name) ?? `${usual}`;
    const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    return value >= min && value <= max
      ? accept(value)
      : refuse(`--${name}: found '${text}'; allowed: ${min} to ${max}`);
  };
  const loadBalancers = number('load-balancers', 1_000, 20, 10_000);
  const nodes = number('nodes', 3, 1, 8);
  const seed = number('seed', 2012, 0, 999_999_999);
  for (const each of [loadBalancers, nodes, seed]) if (!each.ok) return each;
  const without = found.has('as-in-2012') ? layers : listOf(found, 'without');
  const unknown = without.find((layer) => !layers.includes(layer as Layer));
  if (unknown !== undefined) return refuse(`--without: found '${unknown}'; allowed: ${layers.join(', ')}`);
  if (found.has('as-in-2012') && found.has('without')) return refuse('--as-in-2012 switches all layers off already');
  const names = listOf(found, 'scenario');
  const stray = names.find((name) => !scenarios.some((each) => each.name === name));
  if (stray !== undefined) {
    return refuse(`--scenario: found '${stray}'; allowed: ${scenarios.map(({ name }) => name).join(', ')}`);
  }
  // What happened that day is the first of them.
  const usual = found.has('as-in-2012') ? scenarios.slice(0, 1) : scenarios;
  return accept({
    loadBalancers: (loadBalancers as { value: number }).value,
    nodes: (nodes as { value: number }).value,
    seed: (seed as { value: number }).value,
    scenarios: names.length === 0 ? usual : scenarios.filter(({ name }) => names.includes(name)),
    without: without as readonly Layer[],
    isJson: found.has('json'),
  });
}
