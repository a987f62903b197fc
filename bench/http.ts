/**
 * HTTP/1.1 through Ballast and other proxies: the same backend, load and work, one after the other in every round, so
 * that what disturbs the machine disturbs all of them. Ratios compare runs of the same round.
 */
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type Contender, check, churnTargets, loadCpu, type Program, prepare, proxyCpu } from './contenders.ts';
import type { Aim, HttpCase } from './http-cases.ts';
import { idleBytesMax } from './http-cases.ts';
import type { Load } from './load.ts';
import { type Bench, busyMicroseconds, cpuMicroseconds, median, residentBytes } from './machine.ts';
import { runWrk } from './wrk.ts';

interface Run {
  /** In the unit of the case. */
  readonly cost: number;
  /** Undefined where nothing is under way. */
  readonly load: Load | undefined;
}

export interface HttpResult {
  readonly name: string;
  readonly what: string;
  readonly unit: HttpCase['unit'];
  readonly rounds: number;
  readonly proxies: readonly ProxyFigures[];
  /** Ballast's cost over that of the better of HAProxy and nginx as they come. */
  readonly ratio: number;
  readonly aims: readonly Reached[];
}

/** Medians over the rounds. */
export interface ProxyFigures {
  readonly name: string;
  readonly cost: number;
  /** Ballast's cost over its own, in the same round. */
  readonly ballastOverIt: number;
  readonly perSecond?: number;
  readonly p50Ms?: number;
  readonly p99Ms?: number;
  readonly p999Ms?: number;
  /** The sum over all rounds. */
  readonly failures?: number;
}

export interface Reached {
  readonly what: string;
  readonly isReached: boolean;
}

export interface Extent {
  readonly rounds: number;
  readonly seconds: number;
}

/** A run is repeated while others had more of the proxies' processor than this, up to so many times. */
const foreignShareMax = 0.08;
const repeatsMax = 3;
const own = 'Ballast';

export class HttpSuite {
  readonly #bench: Bench;
  readonly #programs: readonly Program[];
  readonly #say: (line: string) => void;
  readonly #started = new Map<Program, Contender>();

  private constructor(bench: Bench, programs: readonly Program[], say: (line: string) => void) {
    this.#bench = bench;
    this.#programs = programs;
    this.#say = say;
  }

  static async prepare(bench: Bench, say: (line: string) => void): Promise<HttpSuite> {
    return new HttpSuite(bench, await prepare(bench), say);
  }

  async measure(httpCase: HttpCase, extent: Extent): Promise<HttpResult> {
    const { name, unit, work } = httpCase;
    const runs = new Map<string, Run[]>();
    for (const program of this.#programs) {
      const isLeftOut = program.isTuned === true && httpCase.hasTuned !== true;
      if (!isLeftOut && (httpCase.listener !== 'churn' || program.setsTargets)) runs.set(program.name, []);
    }
    // One round before those that count: code is compiled, connections and buffers are there.
    for (let round = work.kind === 'idle' ? 1 : 0; round <= extent.rounds; round += 1) {
      for (const program of this.#programs.filter((each) => runs.has(each.name))) {
        const run = await this.#run(program, httpCase, extent.seconds);
        const failed = run.load !== undefined && run.load.failures > 0 ? `, ${run.load.failures} failed` : '';
        this.#say(`${name} ${round}/${extent.rounds} ${program.name}: ${format(run.cost)} ${unit}${failed}`);
        // What fails costs nothing, and so proves nothing.
        if (failed !== '' && httpCase.listener !== 'churn') throw new Error(`${name}: ${program.name}${failed}`);
        if (round > 0) runs.get(program.name)!.push(run);
      }
    }
    return resultOf(httpCase, extent.rounds, runs);
  }

  async #run(program: Program, httpCase: HttpCase, seconds: number): Promise<Run> {
    if (httpCase.work.kind === 'idle') return this.#runIdle(await program.start(), httpCase.work);
    const contender = await this.#contender(program);
    for (let repeat = 0; ; repeat += 1) {
      const busyBefore = busyMicroseconds(proxyCpu);
      const before = cpuMicroseconds(contender.pid);
      const load = await this.#load(contender, httpCase, seconds);
      const used = cpuMicroseconds(contender.pid) - before;
      const foreign = busyMicroseconds(proxyCpu) - busyBefore - used;
      if (foreign / (load.seconds * 1e6) > foreignShareMax && repeat < repeatsMax) continue;
      const { work } = httpCase;
      const bodyBytes = work.kind === 'requests' ? work.bodyBytes : undefined;
      return { cost: used / (bodyBytes === undefined ? load.count : (load.count * bodyBytes) / 1e6), load };
    }
  }

  async #contender(program: Program): Promise<Contender> {
    let contender = this.#started.get(program);
    if (contender === undefined) {
      contender = await program.start();
      await check(contender, this.#say);
      this.#started.set(program, contender);
    }
    return contender;
  }

  async #load(contender: Contender, { work, listener }: HttpCase, seconds: number): Promise<Load> {
    const port = contender.ports[listener];
    const program = async (name: string, ...words: readonly (string | number)[]) =>
      JSON.parse(
        await this.#bench.run(loadCpu, [process.execPath, join(import.meta.dirname, name), ...words.map(String)]),
      ) as Load;
    switch (work.kind) {
      case 'requests': {
        const changes = work.changesPerSecond === undefined ? undefined : changing(contender, work.changesPerSecond);
        const load = await runWrk(this.#bench, loadCpu, work, { port, seconds });
        await changes?.stop();
        return load;
      }
      case 'websocket':
        return program('websocket-load.ts', port, work.connections, work.messageBytes, seconds);
      case 'paced':
        return program('paced-load.ts', port, work.path, work.connections, work.perSecond, seconds);
      case 'idle':
        throw new Error('an idle connection is no load');
    }
  }

  /** How much a fresh proxy grows by each connection that waits. */
  async #runIdle(
    { pid, ports }: Contender,
    { fewConnections, connections }: { readonly fewConnections: number; readonly connections: number },
  ): Promise<Run> {
    const words = [ports.plain, '/small', fewConnections, connections].map(String);
    const load = this.#bench.talkTo(loadCpu, [process.execPath, join(import.meta.dirname, 'idle-load.ts'), ...words]);
    const lines = createInterface(load.stdout!);
    const sizes: number[] = [];
    for (const count of [fewConnections, connections]) {
      const [line] = (await once(lines, 'line')) as [string];
      if (Number(line) !== count) throw new Error(`${line} connections instead of ${count}`);
      // What a proxy puts off until it has time, it has done then.
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      sizes.push(residentBytes(pid));
      load.stdin!.write('\n');
    }
    await once(load, 'exit');
    await this.#bench.end(pid);
    return { cost: (sizes[1]! - sizes[0]!) / (connections - fewConnections), load: undefined };
  }
}

/** Takes one target after the other away and puts it back, until it is stopped. */
function changing(contender: Contender, perSecond: number): { stop(): Promise<void> } {
  let step = 0;
  let last: Promise<void> | void;
  const change = () => {
    last = contender.setTarget!(Math.floor(step / 2) % churnTargets, step % 2 === 1);
    step += 1;
  };
  const timer = setInterval(change, 1000 / perSecond);
  return {
    stop: async () => {
      clearInterval(timer);
      await last;
      if (step % 2 === 1) await change();
      await last;
    },
  };
}

function resultOf(httpCase: HttpCase, rounds: number, runs: ReadonlyMap<string, readonly Run[]>): HttpResult {
  const ballast = runs.get(own)!;
  const proxies = [...runs].map(([name, those]): ProxyFigures => {
    const loads = those.flatMap(({ load }) => (load === undefined ? [] : [load]));
    const middle = (of: (load: Load) => number) => median(loads.map(of));
    return {
      name,
      cost: median(those.map(({ cost }) => cost)),
      ballastOverIt: median(those.map(({ cost }, round) => ballast[round]!.cost / cost)),
      ...(loads.length > 0 && {
        perSecond: middle((load) => load.count / load.seconds),
        p50Ms: middle((load) => load.p50Ms),
        p99Ms: middle((load) => load.p99Ms),
        p999Ms: middle((load) => load.p999Ms),
        failures: loads.reduce((sum, { failures }) => sum + failures, 0),
      }),
    };
  });
  const { name, what, unit } = httpCase;
  const ratio = ratioTo(proxies, ['HAProxy', 'nginx']);
  const aims = httpCase.aims.map((aim) => reachedOf(aim, proxies));
  if (unit === 'bytes') aims.push(idleAim(proxies));
  return { name, what, unit, rounds, proxies, ratio, aims };
}

/** Ballast's cost over that of the cheapest of these. */
function ratioTo(proxies: readonly ProxyFigures[], names: readonly string[]): number {
  return Math.max(...proxies.filter(({ name }) => names.includes(name)).map(({ ballastOverIt }) => ballastOverIt));
}

function reachedOf({ over, ratioMax }: Aim, proxies: readonly ProxyFigures[]): Reached {
  const ratio = ratioTo(proxies, over);
  const whom = over.length === 1 ? over[0]! : `the better of ${over.join(' and ')}`;
  return {
    what: `Ballast over ${whom}: ${ratio.toFixed(2)} (aim: at most ${ratioMax.toFixed(2)})`,
    isReached: ratio <= ratioMax,
  };
}

function idleAim(proxies: readonly ProxyFigures[]): Reached {
  const { cost } = proxies.find(({ name }) => name === own)!;
  return {
    what: `an idle connection: ${cost.toFixed(0)} bytes (aim: at most ${idleBytesMax})`,
    isReached: cost <= idleBytesMax,
  };
}

export function format(value: number): string {
  return value.toFixed(value < 100 ? 2 : 0);
}
