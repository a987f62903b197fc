/**
 * Asks the operator API of a running Ballast, for one value or for a stream of lines. Every way in which it can fail is
 * one sentence for people, and what it answers takes no more memory than a line of it.
 */
import { accept, type Result, refuse } from '#base/result.ts';
import type { FindFault, FoundBallast } from './find-ballast.ts';
import { signatureHeaders } from './operator-key.ts';
import { isDeep, printable, printableValue } from './printable.ts';

/** For what is known at once. */
const quickAnswerMsMax = 10_000;
const answerCharactersMax = 16 * 1024 * 1024;
const lineCharactersMax = 4 * 1024 * 1024;
const sentenceCharactersMax = 2_000;

export interface OperatorRequest {
  /** Beginning with a slash, without a query. */
  readonly path: string;
  readonly query?: readonly (readonly [name: string, value: string])[];
  /** Sent as JSON with POST; without one it is a GET. */
  readonly body?: Readonly<Record<string, unknown>>;
  /** How long the whole answer may take; without it, as long as it goes on. */
  readonly answerMsMax?: number;
}

/** One line of a stream. */
export interface OperatorLine<Line> {
  /** As it came. */
  readonly text: string;
  /** What it says, all its texts printable. */
  readonly line: Line;
}

/** Gets `path` (for instance `/v1/status`) as JSON. */
export function getFromOperator(ballast: FoundBallast, path: string): Promise<Result<unknown, FindFault>> {
  return askOperator(ballast, { path, answerMsMax: quickAnswerMsMax });
}

/** Asks for one JSON value, as it is: what is shown of it must be made printable. */
export async function askOperator(
  ballast: FoundBallast,
  request: OperatorRequest,
): Promise<Result<unknown, FindFault>> {
  const answer = await begin(ballast, request);
  if (!answer.ok) return answer;
  const text = await readAll(answer.value);
  if (!text.ok) return text;
  const content = parseJson(text.value);
  return content === undefined || isDeep(content) ? doesNotAnswerLikeOne(answer.value.url) : accept(content);
}

/**
 * Asks for a stream of JSON lines. `read` gives a line its type, or undefined when it does not know it; `take` gets the
 * lines as they come, and answers whether it wants more. Refuses when the stream breaks off, and when it says itself
 * that it failed.
 */
export async function streamFromOperator<Line>(
  ballast: FoundBallast,
  request: OperatorRequest,
  {
    read,
    take,
  }: {
    readonly read: (value: unknown) => Line | undefined;
    readonly take: (lines: readonly OperatorLine<Line>[]) => Promise<boolean>;
  },
): Promise<Result<void, FindFault>> {
  const answer = await begin(ballast, request);
  if (!answer.ok) return answer;
  const { url, chunks } = answer.value;
  let rest = '';
  for (;;) {
    const chunk = await chunks.next();
    if (!chunk.ok) return chunk;
    const texts = `${rest}${chunk.value ?? ''}`.split('\n');
    rest = texts.pop()!;
    if (rest.length > lineCharactersMax) return giveUp(chunks, `${url} answers with a line that never ends`);
    const { lines, fault } = readLines(texts, read, url);
    if (lines.length > 0 && !(await take(lines))) {
      await chunks.cancel();
      return accept(undefined);
    }
    if (fault !== undefined) return giveUp(chunks, fault);
    if (chunk.value !== undefined) continue;
    return rest === '' ? accept(undefined) : failed(`${url} broke off in the middle of a line`);
  }
}

/** The lines up to the first that cannot be used, and why that one cannot. */
function readLines<Line>(
  texts: readonly string[],
  read: (value: unknown) => Line | undefined,
  url: string,
): { readonly lines: readonly OperatorLine<Line>[]; readonly fault?: string } {
  const lines: OperatorLine<Line>[] = [];
  for (const text of texts) {
    const value = printableValue(parseJson(text));
    const refusal = refusalIn(value);
    if (refusal !== undefined) return { lines, fault: refusal };
    const line = value === undefined ? undefined : read(value);
    if (line === undefined) return { lines, fault: `${url} answers with a line that this version does not know` };
    lines.push({ text, line });
  }
  return { lines };
}

interface Answer {
  readonly url: string;
  readonly chunks: Chunks;
}

/** The body of an answer as text, piece by piece. */
interface Chunks {
  /** Undefined at the end. */
  next(): Promise<Result<string | undefined, FindFault>>;
  cancel(): Promise<void>;
}

/** Sends the request; gives the answer when it is a good one. */
async function begin(ballast: FoundBallast, request: OperatorRequest): Promise<Result<Answer, FindFault>> {
  const query = new URLSearchParams(request.query?.map(([name, value]) => [name, value])).toString();
  const url = `${ballast.operatorEndpoint}${request.path}`;
  const pathWithQuery = query === '' ? request.path : `${request.path}?${query}`;
  const method = request.body === undefined ? 'GET' : 'POST';
  const body = request.body === undefined ? '' : JSON.stringify(request.body);
  const { key } = ballast;
  let response: Response;
  try {
    response = await fetch(`${ballast.operatorEndpoint}${pathWithQuery}`, {
      method,
      headers: {
        authorization: `Bearer ${ballast.operatorKey}`,
        ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(key === undefined ? {} : signatureHeaders(key, { method, url: pathWithQuery, body }, Date.now())),
      },
      // The key is for this address and no other.
      redirect: 'error',
      ...(request.body === undefined ? {} : { body }),
      ...(request.answerMsMax === undefined ? {} : { signal: AbortSignal.timeout(request.answerMsMax) }),
    });
  } catch (error) {
    return refuse(explainFailure(error, { url, request, ballast }));
  }
  const answer = { url, chunks: chunksOf(response, (error) => explainFailure(error, { url, request, ballast })) };
  return response.status === 200 ? accept(answer) : explainStatus(response.status, answer, ballast);
}

function chunksOf(response: Response, explain: (error: unknown) => FindFault): Chunks {
  const reader = response.body?.getReader();
  const decoder = new TextDecoder();
  return {
    next: async () => {
      if (reader === undefined) return accept(undefined);
      try {
        const { done, value } = await reader.read();
        return accept(done ? undefined : decoder.decode(value, { stream: true }));
      } catch (error) {
        return refuse(explain(error));
      }
    },
    cancel: async () => {
      // It may have failed already, which is no news to someone who wants no more of it.
      await reader?.cancel().catch(() => {});
    },
  };
}

async function readAll({ url, chunks }: Answer): Promise<Result<string, FindFault>> {
  let text = '';
  for (;;) {
    const chunk = await chunks.next();
    if (!chunk.ok) return chunk;
    if (chunk.value === undefined) return accept(text);
    text += chunk.value;
    if (text.length > answerCharactersMax) return giveUp(chunks, `${url} answers with more than can be read`);
  }
}

async function explainStatus(status: number, answer: Answer, ballast: FoundBallast): Promise<Result<never, FindFault>> {
  const text = await readAll(answer);
  const sentence = text.ok ? errorIn(parseJson(text.value)) : undefined;
  if (status === 401 && ballast.key !== undefined && sentence !== undefined) return failed(sentence);
  if (status === 401 || status === 403) return failed(`${ballast.operatorEndpoint} refuses the operator key`);
  // It understood the question and says itself what is wrong with it.
  if (sentence !== undefined && status === 400) return refuse({ kind: 'usage', message: sentence });
  if (sentence !== undefined && (status === 404 || status === 409)) return failed(sentence);
  return failed(`${answer.url} answered with status ${status}${sentence === undefined ? '' : `: ${sentence}`}`);
}

function explainFailure(
  error: unknown,
  {
    url,
    request,
    ballast,
  }: { readonly url: string; readonly request: OperatorRequest; readonly ballast: FoundBallast },
): FindFault {
  if (!(error instanceof Error)) throw error;
  if (error.name === 'TimeoutError' && request.answerMsMax !== undefined) {
    return { kind: 'failed', message: `${url} did not answer within ${request.answerMsMax / 1_000} seconds` };
  }
  const cause = error.cause as NodeJS.ErrnoException | undefined;
  if (cause?.code === 'ECONNREFUSED') return { kind: 'not-running', message: ballast.notRunning };
  // It may have been heard, and only the answer is lost.
  const doubt = request.body === undefined ? '' : "; whether it was done, 'ballast log' says";
  if (error.message === 'terminated') return { kind: 'failed', message: `${url} broke off before its end${doubt}` };
  return { kind: 'failed', message: `${url} cannot be reached: ${cause?.message ?? error.message}${doubt}` };
}

async function giveUp(chunks: Chunks, message: string): Promise<Result<never, FindFault>> {
  await chunks.cancel();
  return failed(message);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Of a line that says that the rest cannot be had. */
function refusalIn(value: unknown): string | undefined {
  const isRefusal = typeof value === 'object' && value !== null && 'type' in value && value.type === 'error';
  return isRefusal ? (errorIn(value) ?? 'the operator API failed in the middle of its answer') : undefined;
}

function errorIn(content: unknown): string | undefined {
  if (typeof content !== 'object' || content === null || !('error' in content)) return undefined;
  return typeof content.error === 'string' ? printable(content.error.slice(0, sentenceCharactersMax)) : undefined;
}

function doesNotAnswerLikeOne(url: string): Result<never, FindFault> {
  return failed(`${url} does not answer like the operator API of a Ballast`);
}

function failed(message: string): { readonly ok: false; readonly fault: FindFault } {
  return refuse({ kind: 'failed', message });
}
