/** Plays the scenarios of a drill, one after the other, and prints what came of them. */
import { rmSync } from 'node:fs';
import { rolls } from '#base/rolls.ts';
import type { CommandContext } from '#cli/command.ts';
import { startProgress } from '#cli/progress.ts';
import { styleFor } from '#cli/style.ts';
import { type Origin, startOrigin } from '#drill/origin.ts';
import { type ScenarioResult, scoreboard } from '#drill/scoreboard.ts';
import { onStopSignal } from '#io/process.ts';
import type { DrillOptions } from './drill.ts';
import { type DrillLoadBalancer, type Morning, makeMorning } from './drill-region.ts';
import { openAlarmDesk, playScenario, segment } from './drill-run.ts';

/** Of all load balancers, so many are hit; that day it were 6.8 % that broke in the end. */
const victimsShare = 0.3;
const streamingMax = 4;

export async function playDrill(options: DrillOptions, context: CommandContext): Promise<readonly ScenarioResult[]> {
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
    const random = rolls(seed);
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
