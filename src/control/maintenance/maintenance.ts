/**
 * Maintenance: planned from a view, requested by one person, approved by another, carried out in small steps. What is
 * carried out is planned anew and must be exactly what was approved; at the first sign of harm it stops, and what was
 * done by then is undone with `revert`.
 */
import { createHash } from 'node:crypto';
import { accept, type Result, refuse } from '#base/result.ts';
import { commitWish } from '#control/approval/committing.ts';
import { nameOf } from '#control/time-travel/naming.ts';
import type { Refusal } from '#control/time-travel/scope.ts';
import { approvalsNeeded } from '#guard/approvals.ts';
import { type Gate, listed } from '#guard/gate.ts';
import { type Harm, harm } from '#guard/harm.ts';
import type { Random } from '#io/random.ts';
import { sleep } from '#io/timers.ts';
import type { Journal } from '#journal/journal.ts';
import { formatArn } from '#model/arn.ts';
import { type Change, digestOfChanges, put, remove } from '#model/change.ts';
import type { HexId, RequestDocument } from '#model/documents.ts';
import type { PlanLine, ProcessEntry, RunLine } from '#model/maintenance.ts';
import { memberChanges } from '#model/members.ts';
import type { View } from '#model/view.ts';
import { builtInProcesses } from './built-in.ts';
import type { MaintenanceProcess, ProcessParameter } from './process.ts';

const requestMs = 3_600_000;
const batchChangesMax = 100;
const pauseMs = 500;
const requestsMax = 1_000;
const linesMax = 20_000;

/** A process whose work is not a list of changes: it says what it would do, and does it. */
export interface EffectProcess {
  readonly name: string;
  readonly summary: string;
  readonly parameters: Readonly<Record<string, ProcessParameter>>;
  /** Sentences that say exactly what would be done; their text is what is approved. */
  readonly plan: (parameters: Readonly<Record<string, string>>) => Promise<Result<readonly string[], Refusal>>;
  /** Sentences that say what was done. */
  readonly run: (
    parameters: Readonly<Record<string, string>>,
    by: string,
  ) => Promise<Result<readonly string[], Refusal>>;
}

export interface MaintenanceOptions {
  readonly journal: Journal;
  readonly gate: Gate;
  readonly random: Random;
  readonly environment: string;
  readonly region: string;
  readonly nowMs: () => number;
  readonly requestsLastHour: (loadBalancerId: HexId) => number;
  /** Why it should not go on, a sentence; asked between the steps. `revision` is where the nodes should be by then. */
  readonly whyUnwell: (revision: number) => Promise<string | undefined>;
  readonly effects: readonly EffectProcess[];
  /** The operator's own. */
  readonly own: readonly MaintenanceProcess[];
}

type AnyProcess = MaintenanceProcess | EffectProcess;

interface Wish {
  readonly process: string;
  readonly parameters?: Readonly<Record<string, string>> | undefined;
}

interface Planned {
  readonly steps: readonly (readonly Change[])[];
  readonly changes: readonly Change[];
  readonly harmed: readonly Harm[];
  readonly effects: readonly string[];
  readonly digest: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly view: View;
}

export class Maintenance {
  readonly #options: MaintenanceOptions;
  readonly #processes: ReadonlyMap<string, AnyProcess>;
  #isBusy = false;

  constructor(options: MaintenanceOptions) {
    this.#options = options;
    const all: readonly AnyProcess[] = [...builtInProcesses, ...options.effects, ...options.own];
    this.#processes = new Map(all.map((each) => [each.name, each]));
  }

  list(): readonly ProcessEntry[] {
    const { own } = this.#options;
    return [...this.#processes.values()].map((known) => ({
      type: 'process',
      name: known.name,
      summary: known.summary,
      parameters: Object.entries(known.parameters).map(([name, { help, default: usual }]) => ({
        name,
        help,
        ...(usual !== undefined && { default: usual }),
      })),
      isBuiltIn: !own.includes(known as MaintenanceProcess),
    }));
  }

  /** What it would change, whom it would harm, and the digest of it all. */
  async plan(wish: Wish): Promise<Result<Iterable<PlanLine>, Refusal>> {
    const planned = await this.#plan(wish);
    return planned.ok ? accept(this.#linesOf(wish.process, planned.value)) : planned;
  }

  /** Asks for it: from then on it waits for approvals, for an hour. Nothing is changed. */
  async request(
    by: string,
    wish: Wish & { readonly environment: string; readonly reason: string },
  ): Promise<Result<RequestDocument & { readonly id: HexId }, Refusal>> {
    const { environment, random, nowMs } = this.#options;
    if (wish.environment !== environment) {
      const error = `this is environment '${environment}', and the request is for '${wish.environment}'`;
      return refuse({ status: 409, error });
    }
    const planned = await this.#plan(wish);
    if (!planned.ok) return planned;
    const { changes, harmed, effects, digest, parameters } = planned.value;
    if (changes.length === 0 && effects.length === 0) return refuse({ status: 409, error: 'it would change nothing' });
    const id = random.hex(16);
    const document: RequestDocument = {
      process: wish.process,
      parameters,
      digest,
      changesCount: changes.length,
      harmed: listed(harmed),
      harmedCount: harmed.length,
      summary: effects,
      requestedBy: by,
      environment,
      reason: wish.reason,
      approvalsNeeded: approvalsNeeded(by),
      requestedAtMs: nowMs(),
      expiresAtMs: nowMs() + requestMs,
    };
    const done = await commitWish(this.#options, { by, action: 'RequestMaintenance', reason: wish.reason }, (view) => {
      if (view.count('request') >= requestsMax) return `there are ${requestsMax} requests, which is the limit`;
      return { changes: [put(view, 'request', id, document)], output: undefined };
    });
    return done.ok ? accept({ id, ...document }) : done;
  }

  /** Carries out what was approved. Refuses, with the reason, when it must not be; says what was done as it goes. */
  async apply(by: string, { id }: { readonly id: HexId }): Promise<Result<AsyncIterable<RunLine>, Refusal>> {
    const { journal, gate, nowMs } = this.#options;
    const request = journal.view.get('request', id);
    if (request === undefined) return refuse({ status: 404, error: `there is no request ${id}, or it has expired` });
    const chosen = this.#processes.get(request.process);
    const planned = await this.#plan(request);
    if (!planned.ok) return planned;
    const { steps, changes, digest, parameters } = planned.value;
    if (this.#isBusy)
      return refuse({ status: 409, error: 'maintenance is under way already: try again when it is done' });
    if (chosen !== undefined && 'run' in chosen) {
      const granted = gate.grantOf(journal.view, id, digest, 0, nowMs());
      if (typeof granted === 'string') return refuse({ status: 409, error: granted });
      return this.#runEffect(chosen, parameters, by, id);
    }
    const run = gate.open(journal.view, id, changes, digest, nowMs());
    if (typeof run === 'string') return refuse({ status: 409, error: run });
    this.#isBusy = true;
    return accept(this.#run(request, id, steps, () => run.end()));
  }

  async #runEffect(
    effect: EffectProcess,
    parameters: Readonly<Record<string, string>>,
    by: string,
    id: HexId,
  ): Promise<Result<AsyncIterable<RunLine>, Refusal>> {
    const done = await effect.run(parameters, by);
    if (!done.ok) return done;
    await this.#forget(id, by);
    const lines: RunLine[] = [{ type: 'maintenance-result', done: true, changes: 0, notes: done.value }];
    return accept(
      (async function* () {
        yield* lines;
      })(),
    );
  }

  async *#run(
    { process: action, requestedBy, changesCount }: RequestDocument,
    id: HexId,
    steps: readonly (readonly Change[])[],
    end: () => void,
  ): AsyncGenerator<RunLine> {
    const { journal, random, whyUnwell, gate } = this.#options;
    const revisions: number[] = [];
    let changes = 0;
    let stopped: string | undefined;
    try {
      for (const batch of batchesOf(steps)) {
        if (revisions.length > 0) await sleep(pauseMs);
        stopped = gate.isOff ? undefined : await whyUnwell(revisions.at(-1) ?? journal.head.revision);
        if (stopped !== undefined) break;
        const cause = {
          principal: requestedBy,
          channel: 'maintenance',
          action,
          requestId: random.hex(32),
          reason: `request ${id}`,
          grant: id,
        } as const;
        const made = await journal.transact(cause, () => accept({ changes: batch, output: undefined }));
        if (!made.ok) {
          stopped = made.fault.message;
          break;
        }
        const { transaction } = made.value;
        if (transaction !== undefined) revisions.push(transaction.revision);
        changes += batch.length;
        yield { type: 'progress', done: changes, total: changesCount, unit: 'changes' };
      }
      if (stopped === undefined) await this.#forget(id, requestedBy);
    } finally {
      end();
      this.#isBusy = false;
    }
    const [from, to] = [revisions[0], revisions.at(-1)];
    const undo = from === undefined ? [] : [`undo it with: ballast revert ${from === to ? from : `${from}..${to}`}`];
    yield {
      type: 'maintenance-result',
      done: stopped === undefined,
      ...(from !== undefined && { from, to: to! }),
      changes,
      notes: [...(stopped === undefined ? [] : [`stopped: ${stopped}`]), ...undo],
    };
  }

  /** A request is for one run. */
  async #forget(id: HexId, by: string): Promise<void> {
    await commitWish(this.#options, { by, action: 'EndMaintenance' }, (view) =>
      view.get('request', id) === undefined ? undefined : { changes: [remove(view, 'request', id)], output: undefined },
    );
  }

  async #plan({ process: name, parameters: given = {} }: Wish): Promise<Result<Planned, Refusal>> {
    const chosen = this.#processes.get(name);
    if (chosen === undefined) {
      const known = [...this.#processes.keys()].join(', ');
      return refuse({ status: 404, error: `there is no process '${name.slice(0, 100)}'; there is ${known}` });
    }
    const parameters = readParameters(chosen, given);
    if (!parameters.ok) return refuse({ status: 400, error: parameters.fault });
    const { journal, nowMs } = this.#options;
    if ('run' in chosen) {
      const effects = await chosen.plan(parameters.value);
      if (!effects.ok) return effects;
      const digest = textDigest([name, JSON.stringify(parameters.value), ...effects.value]);
      const nothing = { steps: [], changes: [], harmed: [], view: journal.view };
      return accept({ ...nothing, effects: effects.value, digest, parameters: parameters.value });
    }
    return journal.read((view): Result<Planned, Refusal> => {
      let steps: readonly (readonly Change[])[];
      try {
        steps = chosen.plan(view, { parameters: parameters.value, nowMs: nowMs() });
      } catch (error) {
        return refuse({ status: 409, error: `${name} cannot plan: ${(error as Error).message}` });
      }
      const changes = steps.flat();
      const digest = digestOfChanges(changes);
      return accept({
        steps,
        changes,
        harmed: harm(view, changes),
        effects: [],
        digest,
        parameters: parameters.value,
        view,
      });
    });
  }

  *#linesOf(name: string, { view, changes, harmed, effects, digest }: Planned): Iterable<PlanLine> {
    const { region, environment, requestsLastHour } = this.#options;
    const views = { now: view, past: view };
    for (const { kind, id, after } of changes.slice(0, linesMax)) {
      const before = view.get(kind, id) ?? null;
      const document = after ?? before;
      if (document === null) continue;
      const did = before === null ? 'added' : after === null ? 'removed' : 'changed';
      yield {
        type: 'change',
        ...nameOf(views, kind, id, document, region),
        did,
        members: memberChanges(before, after),
      };
    }
    for (const { loadBalancerId: id, account, name, reason } of harmed.slice(0, linesMax)) {
      const type = view.get('load-balancer', id)?.type ?? 'application';
      const arn = formatArn({ kind: 'load-balancer', region, account, type, name, id });
      yield { type: 'harm', account, name, arn, reason, requestsLastHour: requestsLastHour(id) };
    }
    yield {
      type: 'maintenance-plan',
      process: name,
      environment,
      digest,
      changes: changes.length,
      harmed: harmed.length,
      effects,
    };
  }
}

function readParameters(
  { name, parameters }: AnyProcess,
  given: Readonly<Record<string, string>>,
): Result<Readonly<Record<string, string>>, string> {
  const unknown = Object.keys(given).find((each) => !Object.hasOwn(parameters, each));
  if (unknown !== undefined) {
    return refuse(
      `${name} has no parameter '${unknown.slice(0, 100)}'; allowed: ${Object.keys(parameters).join(', ') || 'none'}`,
    );
  }
  const values: Record<string, string> = {};
  for (const [each, { default: usual, check }] of Object.entries(parameters)) {
    const value = given[each] ?? usual;
    if (value === undefined) return refuse(`${name} needs the parameter '${each}'`);
    const allowed = check?.(value);
    if (allowed !== undefined) return refuse(`${each}: found '${value.slice(0, 100)}'; allowed: ${allowed}`);
    values[each] = value;
  }
  return accept(values);
}

/** Whole steps together, up to so many changes. */
function* batchesOf(steps: readonly (readonly Change[])[]): Iterable<readonly Change[]> {
  let batch: Change[] = [];
  for (const step of steps) {
    if (batch.length > 0 && batch.length + step.length > batchChangesMax) {
      yield batch;
      batch = [];
    }
    batch.push(...step);
  }
  if (batch.length > 0) yield batch;
}

function textDigest(texts: readonly string[]): string {
  const digest = createHash('sha256');
  for (const text of texts) digest.update(`${text}\n`);
  return digest.digest('hex');
}
