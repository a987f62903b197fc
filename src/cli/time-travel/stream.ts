/** Shows a stream of lines as they come: nothing is held back, and it ends when nobody reads it any more. */
import { accept, type Result } from '#base/result.ts';
import type { Asking } from '#cli/asking.ts';
import { exitCodes, type Flag } from '#cli/command.ts';
import type { FindFault } from '#cli/find-ballast.ts';
import { type OperatorRequest, streamFromOperator } from '#cli/operator-client.ts';
import { printableJson } from '#cli/printable.ts';
import { type ProgressState, startProgress } from '#cli/progress.ts';
import type { ReadLine } from './lines.ts';

export const jsonFlag: Flag = { name: 'json', help: 'Print what the operator API answers, one JSON object a line' };

/** For the help of every command that takes one. */
export const momentNote =
  'MOMENT is a revision (42), a time (2026-11-23T10:00:00Z), or how long ago (90s, 15m, 2h, 3d).';

export interface StreamView<Line> {
  readonly read: ReadLine<Line>;
  /** Lines that came together, as text for people. */
  readonly format: (lines: readonly Line[]) => string;
  /** How far it is, of a line that says so; without it, lines are counted. */
  readonly progressOf?: (line: Line) => ProgressState | undefined;
  /** What stands behind the last line. */
  readonly end?: () => string;
  /** Every line counts, whoever still reads what is written: it says what was changed. */
  readonly isToTheEnd?: boolean;
}

/** Shows the answer to `request`, with --json as it is; gives the exit code of a stream that came whole. */
export async function showStream<Line>(
  { context, found, ballast }: Asking,
  request: OperatorRequest,
  { read, format, progressOf, end, isToTheEnd = false }: StreamView<Line>,
): Promise<Result<number, FindFault>> {
  const { output } = context;
  const isJson = found.has('json');
  const progress = startProgress(context, 'waiting for the answer');
  const write = (text: string) => {
    if (text === '') return;
    if (output.isTerminal) progress.hide();
    output.write(text);
  };
  let linesCount = 0;
  const answer = await streamFromOperator(ballast, request, {
    read,
    take: async (lines) => {
      linesCount += lines.length;
      const said = progressOf && lines.map(({ line }) => progressOf(line)).findLast((state) => state !== undefined);
      if (said !== undefined) progress.update(said);
      else if (progressOf === undefined) progress.update({ done: linesCount, unit: 'lines' });
      const shown = format(lines.map(({ line }) => line));
      write(isJson ? lines.map(({ text }) => `${output.isTerminal ? printableJson(text) : text}\n`).join('') : shown);
      return (await output.flushed()) || isToTheEnd;
    },
  });
  progress.end();
  if (!answer.ok) return answer;
  if (!isJson && end !== undefined) write(end());
  return accept(exitCodes.ok);
}
