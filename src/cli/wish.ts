/** What most commands do that change something: say where, ask, and say what came of it. */
import { accept, type Result, refuse } from '#base/result.ts';
import type { Asking } from './asking.ts';
import { exitCodes } from './command.ts';
import type { FindFault } from './find-ballast.ts';
import { askOperator, type OperatorRequest, streamFromOperator } from './operator-client.ts';
import { printableJson } from './printable.ts';
import { sayEnvironment } from './status.ts';

/** What is asked for, and how the answer is told; undefined: it is none that this version knows. */
export interface Wish {
  readonly request: OperatorRequest;
  readonly say: (asked: Asking, answer: unknown) => string | undefined;
}

export async function carryOutWish(asked: Asking, wish: Wish): Promise<Result<number, FindFault>> {
  const environment = await sayEnvironment(asked);
  return environment.ok ? askFor(asked, wish) : environment;
}

/** The same, where it was said before. */
export async function askFor(
  { context, found, ballast, style }: Asking,
  { request, say }: Wish,
): Promise<Result<number, FindFault>> {
  const answer = await askOperator(ballast, request);
  if (!answer.ok) return answer;
  const said = say({ context, found, ballast, style }, answer.value);
  if (said === undefined) {
    const message = `${ballast.operatorEndpoint} answers with something that this version does not know`;
    return refuse({ kind: 'failed', message });
  }
  context.output.write(found.has('json') ? `${printableJson(JSON.stringify(answer.value))}\n` : said);
  return accept(exitCodes.ok);
}

/** All lines of an answer that is known to be short; their texts are printable. */
export async function readAllLines<Line>(
  { ballast }: Pick<Asking, 'ballast'>,
  request: OperatorRequest,
  isLine: (value: unknown) => value is Line,
): Promise<Result<readonly Line[], FindFault>> {
  const lines: Line[] = [];
  const answer = await streamFromOperator(ballast, request, {
    read: (value) => (isLine(value) ? value : undefined),
    take: async (taken) => {
      for (const { line } of taken) lines.push(line);
      return true;
    },
  });
  return answer.ok ? accept(lines) : answer;
}

/** With --json as they came, else as `format` says. */
export function showLines<Line>(
  { context, found }: Asking,
  lines: readonly Line[],
  format: (lines: readonly Line[]) => string,
): Result<number, FindFault> {
  if (found.has('json')) for (const line of lines) context.output.write(`${JSON.stringify(line)}\n`);
  else context.output.write(format(lines));
  return accept(exitCodes.ok);
}
