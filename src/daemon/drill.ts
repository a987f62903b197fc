/** `ballast drill christmas-eve`: the day on which all of this began, played against a region of its own. */
import { rmSync } from 'node:fs';
import { accept, type Result, refuse } from '#base/result.ts';
import { type Command, type CommandContext, exitCodes } from '#cli/command.ts';
import { refuseUsage } from '#cli/command-line.ts';
import { type FoundFlags, listOf, readFlags, textOf } from '#cli/flags.ts';
import { startProgress } from '#cli/progress.ts';
import { styleFor } from '#cli/style.ts';
import { type Origin, startOrigin } from '#drill/origin.ts';
import { type ScenarioResult, scoreboard } from '#drill/scoreboard.ts';
import { onStopSignal } from '#io/process.ts';
import { type DrillLoadBalancer, type Morning, makeMorning } from './drill-region.ts';
import { openAlarmDesk, playScenario, segment } from './drill-run.ts';
import { type Scenario, scenarios } from './drill-scenarios.ts';
import { type Layer, layers } from './messages.ts';

/** Of all load balancers, so many are hit; that day it were 6.8 % that broke in the end. */
const victimsShare = 0.3;
const streamingMax = 4;

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

interface DrillOptions {
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
    const results = await play(options.value, context);
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

async function play(options: DrillOptions, context: CommandContext): Promise<readonly ScenarioResult[]> {
  const { loadBalancers, nodes, without, seed, isJson } = options;
  const { output, errors, environment } = context;
  const progress = startProgress(context, 'starting a region');
  let morning: Morning | undefined;
  let origin: Origin | undefined;
  const desk = await openAlarmDesk();
  let isStopped = false;
  onStopSignal(() => {
    isStopped = true;
  });
  const results: ScenarioResult[] = [];
  try {
    origin = await startOrigin({ segmentBytes: segment.bytes });
    const random = seeded(seed);
    const region = {
      loadBalancers,
      streaming: Math.min(streamingMax, loadBalancers),
      nodes,
      originPort: origin.port,
      // Another drill, or another Ballast, may run on this machine.
      addresses: `127.${16 * (1 + Math.floor(random() * 4) + 6)}.0.0/12`,
      alarmWebhook: desk.url,
      report: (state: Parameters<typeof progress.update>[0]) => progress.update(state),
    };
    morning = await makeMorning(region);
    const victims = choose(morning.loadBalancers, random);
    for (const [index, scenario] of options.scenarios.entries()) {
      if (isStopped) break;
      progress.update({ done: index, total: options.scenarios.length, unit: 'scenarios' });
      const say = (text: string) => {
        if (errors.isTerminal) progress.hide();
        if (!isJson) errors.write(`${text}\n`);
      };
      const result = await playScenario(scenario, { morning, region, desk, without, victims, say });
      results.push(result);
      if (isJson) output.write(`${JSON.stringify(result)}\n`);
    }
  } finally {
    progress.end();
    desk.close();
    await origin?.stop();
    if (morning !== undefined) rmSync(morning.data, { recursive: true, force: true });
  }
  if (isStopped) throw new Error('it was interrupted; its region is stopped and its folder is gone');
  const style = styleFor(output, environment);
  if (!isJson) output.write(`${scoreboard(results, style).join('\n')}\n`);
  return results;
}

/** Two streaming ones among them, as on that day. */
function choose(all: readonly DrillLoadBalancer[], random: () => number): readonly DrillLoadBalancer[] {
  const shuffled = all
    .map((each) => ({ each, at: random() }))
    .sort((one, other) => one.at - other.at)
    .map(({ each }) => each);
  const streaming = shuffled.filter(({ isStreaming }) => isStreaming).slice(0, 2);
  const others = shuffled.filter(({ isStreaming }) => !isStreaming);
  return [...streaming, ...others.slice(0, Math.max(1, Math.round(all.length * victimsShare) - streaming.length))];
}

/** Mulberry32: the same numbers for the same seed. */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
