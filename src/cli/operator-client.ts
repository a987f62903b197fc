/** Asks the operator API of a running Ballast. Every way in which it can fail is one sentence for people. */
import { accept, type Result, refuse } from '#base/result.ts';
import type { FindFault, FoundBallast } from './find-ballast.ts';

const answerMsMax = 10_000;

/** Gets `path` (for instance `/v1/status`) as JSON. */
export async function getFromOperator(ballast: FoundBallast, path: string): Promise<Result<unknown, FindFault>> {
  const url = `${ballast.operatorEndpoint}${path}`;
  let status: number;
  let text: string;
  try {
    const response = await fetch(url, {
      headers: { authorization: `Bearer ${ballast.operatorKey}`, accept: 'application/json' },
      // The key is for this address and no other.
      redirect: 'error',
      signal: AbortSignal.timeout(answerMsMax),
    });
    status = response.status;
    text = await response.text();
  } catch (error) {
    return refuse(explainFailure(error, url, ballast));
  }
  const content = parseJson(text);
  if (status === 200 && content !== undefined) return accept(content);
  if (status === 401 || status === 403) return failed(`${ballast.operatorEndpoint} refuses the operator key`);
  if (status === 200) return failed(`${url} does not answer like the operator API of a Ballast`);
  return failed(`${url} answered with status ${status}${errorIn(content)}`);
}

function explainFailure(error: unknown, url: string, ballast: FoundBallast): FindFault {
  if (!(error instanceof Error)) throw error;
  if (error.name === 'TimeoutError') {
    return { kind: 'failed', message: `${url} did not answer within ${answerMsMax / 1000} seconds` };
  }
  const cause = error.cause as NodeJS.ErrnoException | undefined;
  if (cause?.code === 'ECONNREFUSED') return { kind: 'not-running', message: ballast.notRunning };
  return { kind: 'failed', message: `${url} cannot be reached: ${cause?.message ?? error.message}` };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function errorIn(content: unknown): string {
  if (typeof content !== 'object' || content === null || !('error' in content)) return '';
  return typeof content.error === 'string' ? `: ${content.error}` : '';
}

function failed(message: string): { readonly ok: false; readonly fault: FindFault } {
  return refuse({ kind: 'failed', message });
}
