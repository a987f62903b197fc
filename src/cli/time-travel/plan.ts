/**
 * What `revert`, `restore` and `undelete` have in common: they name the environment they change, show the plan, its
 * conflicts and how to decide them, and say what was done and how to undo it.
 */
import { accept, type Result, refuse } from '#base/result.ts';
import { type Asking, asking } from '#cli/asking.ts';
import { type Command, type CommandContext, exitCodes, type Flag } from '#cli/command.ts';
import type { FindFault } from '#cli/find-ballast.ts';
import type { FoundFlags } from '#cli/flags.ts';
import type { OperatorRequest } from '#cli/operator-client.ts';
import { shellWords } from '#cli/shell-words.ts';
import { sayEnvironment } from '#cli/status.ts';
import { counted, formatCount } from '#cli/style.ts';
import type { PlanCounts, PlanLine, PlanResult, ResourceChange } from '#model/history.ts';
import { formatChange } from './changes.ts';
import { conflictLegend, formatConflict } from './conflicts.ts';
import { readPlanLine } from './lines.ts';
import { jsonFlag, showStream } from './stream.ts';

const changesShownPerKind = 20;
const conflictsShown = 50;

/** The flags of all three. */
export const planFlags: readonly Flag[] = [
  { name: 'dry-run', help: 'Show the plan, change nothing' },
  { name: 'reason', argument: 'TEXT', help: 'Why, for the log' },
  jsonFlag,
];

export const onlyFlag: Flag = {
  name: 'only',
  argument: 'ARN',
  isRepeatable: true,
  help: 'Only this and what belongs to it; again, or with commas, for more',
};

/** Runs one of the three; `readRequest` makes what to ask for of its flags. */
export function runPlan(
  command: Command,
  context: CommandContext,
  readRequest: (found: FoundFlags) => Result<OperatorRequest, string>,
): Promise<number> {
  return asking(command, context, readRequest, async (asked, request) => {
    const environment = await sayEnvironment(asked);
    return environment.ok ? showPlan(command.name, asked, request) : environment;
  });
}

async function showPlan(name: string, asked: Asking, request: OperatorRequest): Promise<Result<number, FindFault>> {
  const text = new PlanText(name, asked);
  const shown = await showStream(asked, request, {
    read: readPlanLine,
    format: (lines) => lines.map((line) => text.take(line)).join(''),
    isToTheEnd: true,
  });
  if (!shown.ok) return shown;
  const { result } = text;
  if (result === undefined) {
    const message = "the answer ended before its result; whether it was done, 'ballast log' says";
    return refuse({ kind: 'failed', message });
  }
  return accept(result.conflicts === 0 ? exitCodes.ok : exitCodes.undecided);
}

/** The plan as text for people: each line gives what may be shown now. */
class PlanText {
  readonly #name: string;
  readonly #asked: Asking;
  readonly #isDryRun: boolean;
  /** The first changes of each kind, and how many there are. */
  readonly #changes = new Map<string, { readonly first: ResourceChange[]; count: number }>();
  #conflictsCount = 0;
  #result: PlanResult | undefined;

  constructor(name: string, asked: Asking) {
    this.#name = name;
    this.#asked = asked;
    this.#isDryRun = asked.found.has('dry-run');
  }

  /** Undefined until the last line was taken. */
  get result(): PlanResult | undefined {
    return this.#result;
  }

  take(line: PlanLine): string {
    const { style } = this.#asked;
    switch (line.type) {
      case 'change':
        this.#keep(line);
        return '';
      case 'conflict':
        this.#conflictsCount += 1;
        if (this.#conflictsCount > conflictsShown) return '';
        return `${this.#takeChanges()}${this.#conflictsCount === 1 ? conflictLegend(style) : ''}${formatConflict(line, style)}`;
      case 'plan':
        this.#result = line;
        return `${this.#takeChanges()}${this.#hiddenConflicts(line)}${this.#formatResult(line)}`;
    }
  }

  #keep(change: ResourceChange): void {
    const ofKind = this.#changes.get(change.kind) ?? { first: [], count: 0 };
    this.#changes.set(change.kind, ofKind);
    ofKind.count += 1;
    if (ofKind.first.length < changesShownPerKind) ofKind.first.push(change);
  }

  #takeChanges(): string {
    const { style } = this.#asked;
    const groups = [...this.#changes].map(([kind, { first, count }]) => {
      const left = count - first.length;
      const rest = left === 0 ? '' : `${style.faint(`  … and ${formatCount(left)} more of ${kind}`)}\n`;
      return `${first.map((change) => formatChange(change, style)).join('')}${rest}`;
    });
    this.#changes.clear();
    return groups.length === 0 ? '' : `${groups.join('')}\n`;
  }

  #hiddenConflicts({ conflicts }: PlanResult): string {
    const hidden = Math.max(conflicts, this.#conflictsCount) - conflictsShown;
    if (this.#conflictsCount <= conflictsShown) return '';
    return `${this.#asked.style.faint(`… and ${formatCount(hidden)} more conflicts; --json lists them`)}\n\n`;
  }

  #formatResult(result: PlanResult): string {
    const notes = result.notes.map((note) => `Note: ${note}`);
    const lines = [...notes, ...this.#verdict(result), ...this.#harm(result), ...this.#left(result)];
    return lines.map((line) => `${line}\n`).join('');
  }

  /** What was done and how to undo it; or what would be, and how to do it. */
  #verdict(result: PlanResult): string[] {
    const { style, ballast, context } = this.#asked;
    const done = formatDone(result.counts, this.#isDryRun);
    if (done === '' && result.conflicts === 0) return [`There is nothing to ${this.#name}.`];
    if (this.#isDryRun && done !== '') {
      const words = ['ballast', this.#name, ...context.args.filter((word) => word !== '--dry-run')];
      return [`${done}. Nothing was changed.`, `To do it: ${style.strong(shellWords(words))}`];
    }
    if (!result.done || result.revision === undefined) return ['Nothing was changed.'];
    const undo = shellWords(['ballast', 'revert', `${result.revision}`, ...ballast.findWords]);
    const revision = style.changed(`${result.revision}`);
    return [`${style.good(done)} as revision ${revision}.`, `To undo this: ${style.strong(undo)}`];
  }

  #left({ conflicts }: PlanResult): string[] {
    if (conflicts === 0) return [];
    const are = `${counted(conflicts, 'conflict')} ${conflicts === 1 ? 'is' : 'are'} left`;
    return [this.#asked.style.bad(`${are}: what there is now stays there`)];
  }

  #harm({ harmed, done }: PlanResult): string[] {
    if (harmed === 0 || (!done && !this.#isDryRun)) return [];
    const whom = counted(harmed, 'load balancer');
    return [this.#asked.style.bad(this.#isDryRun ? `${whom} would stop serving` : `${whom} stopped serving`)];
  }
}

const deeds: readonly { readonly count: keyof PlanCounts; readonly done: string; readonly planned: string }[] = [
  { count: 'putBack', done: 'put back', planned: 'put back' },
  { count: 'takenOut', done: 'took out', planned: 'take out' },
  { count: 'changed', done: 'changed', planned: 'change' },
];

/** `Put back 3 load balancers and 6 listeners, took out 1 rule`; nothing when there is nothing. */
function formatDone(counts: PlanResult['counts'], isDryRun: boolean): string {
  const parts = deeds.flatMap(({ count, done, planned }) => {
    const things = Object.entries(counts).flatMap(([kind, of]) =>
      of[count] === 0 ? [] : [counted(of[count], kind.replaceAll('-', ' '))],
    );
    return things.length === 0 ? [] : [`${isDryRun ? planned : done} ${enumerated(things)}`];
  });
  const text = parts.join('; ');
  if (text === '') return '';
  return isDryRun ? `This would ${text}` : `${text[0]!.toUpperCase()}${text.slice(1)}`;
}

/** `a, b and c`. */
function enumerated(things: readonly string[]): string {
  return things.length === 1 ? things[0]! : `${things.slice(0, -1).join(', ')} and ${things.at(-1)}`;
}
