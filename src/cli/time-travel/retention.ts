/** `ballast retention`: folds the far past of registrations into days, and unfolds it again. */
import { accept, type Result, refuse } from '#base/result.ts';
import { type Asking, asking } from '#cli/asking.ts';
import { type Command, exitCodes } from '#cli/command.ts';
import { type FindFault, findFlags } from '#cli/find-ballast.ts';
import { type FoundFlags, textOf } from '#cli/flags.ts';
import type { OperatorRequest } from '#cli/operator-client.ts';
import { sayEnvironment } from '#cli/status.ts';
import { counted, type Style } from '#cli/style.ts';
import type { FoldEntry, RetentionLine, RetentionResult } from '#model/history.ts';
import { readRetentionLine } from './lines.ts';
import { jsonFlag, showStream } from './stream.ts';

export const retention: Command = {
  name: 'retention',
  saysEnvironment: true,
  summary: 'fold the far past of registrations into days, or unfold it',
  flags: [
    { name: 'older-than', argument: 'DAYS', help: 'Fold days that ended at least so many days ago' },
    {
      name: 'undo',
      argument: 'REV',
      help: 'Put back what this fold took, from the vault; it is named by its last revision',
    },
    { name: 'yes', help: 'Do it; without, only the plan is shown' },
    jsonFlag,
    ...findFlags,
  ],
  notes: [
    'History is kept for ever unless this is run. Without --older-than and --undo it lists the folds that there are.',
    'Of each registration of a target, the last change of every day (UTC) stays in the journal. Nothing else is touched,',
    'and the vault keeps what goes: nothing is folded that it does not hold. A folded transaction cannot be reverted.',
    'It can be interrupted at any time; run again, it goes on.',
  ],
  examples: [
    { line: 'ballast retention --older-than 90', purpose: 'what would go' },
    { line: 'ballast retention --older-than 90 --yes', purpose: 'fold it' },
    { line: 'ballast retention --undo 80211 --yes', purpose: 'put it back' },
  ],
  run: (context) => asking(retention, context, readWish, showRetention),
};

function readWish(found: FoundFlags): Result<OperatorRequest, string> {
  const days = textOf(found, 'older-than');
  const fold = textOf(found, 'undo');
  if (days !== undefined && fold !== undefined) return refuse('--older-than and --undo exclude each other');
  const dryRun = found.has('yes') ? {} : { dryRun: true };
  if (days !== undefined) {
    if (!/^[1-9]\d{0,5}$/.test(days))
      return refuse(`--older-than: found '${days}'; allowed: a number of days from 1 on`);
    return accept({ path: '/v1/retention', body: { olderThanDays: Number(days), ...dryRun } });
  }
  if (fold !== undefined) {
    if (!/^\d{1,15}$/.test(fold)) return refuse(`--undo: found '${fold}'; allowed: the last revision of a fold`);
    return accept({ path: '/v1/retention/undo', body: { fold: Number(fold), ...dryRun } });
  }
  if (found.has('yes')) return refuse('--yes goes with --older-than or --undo');
  return accept({ path: '/v1/retention' });
}

async function showRetention(asked: Asking, request: OperatorRequest): Promise<Result<number, FindFault>> {
  const { found, style } = asked;
  const isUndo = found.has('undo');
  const isList = request.body === undefined;
  if (!isList) {
    const environment = await sayEnvironment(asked);
    if (!environment.ok) return environment;
  }
  let foldsCount = 0;
  let result: RetentionResult | undefined;
  const take = (line: RetentionLine): string => {
    if (line.type === 'result') result = line;
    if (line.type !== 'fold') return '';
    foldsCount += 1;
    return `${formatFold(line, isUndo, style)}\n`;
  };
  const shown = await showStream(asked, request, {
    read: readRetentionLine,
    format: (lines) => lines.map(take).join(''),
    progressOf: (line) => (line.type === 'progress' ? line : undefined),
    end: () => closing(isList ? 'list' : isUndo ? 'undo' : 'fold', foldsCount, result, style),
    isToTheEnd: true,
  });
  if (!shown.ok || isList || result !== undefined) return shown.ok ? accept(exitCodes.ok) : shown;
  return refuse({
    kind: 'failed',
    message: "the answer ended before its result; 'ballast retention' says how far it is",
  });
}

function formatFold({ from, to, firstDay, lastDay, changes, state }: FoldEntry, isUndo: boolean, style: Style): string {
  const days = firstDay === lastDay ? firstDay : `${firstDay} to ${lastDay}`;
  const how = {
    planned: style.changed('can be folded'),
    done: isUndo ? 'are folded' : style.good('folded'),
    unfinished: style.bad('are not all folded: it did not come to its end'),
  }[state];
  return `fold ${to}: ${days}, revisions ${from} to ${to}, ${counted(changes, 'change')} ${how}`;
}

function closing(
  wish: 'list' | 'fold' | 'undo',
  foldsCount: number,
  result: RetentionResult | undefined,
  style: Style,
): string {
  if (wish === 'list') return foldsCount === 0 ? 'Nothing is folded: the whole history is there.\n' : '';
  if (result === undefined) return '';
  if (foldsCount === 0) return 'Nothing is old enough to be folded.\n';
  if (!result.done) return 'Nothing was changed. Add --yes to do it.\n';
  const as = result.revisions.length === 0 ? '' : ` as revision ${style.changed(result.revisions.join(', '))}`;
  if (wish === 'undo') return `${style.good('Put back')}${as}.\n`;
  return `${style.good('Done')}${as}. 'ballast retention --undo REV' puts a fold back.\n`;
}
