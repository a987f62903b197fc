/**
 * Why a function gave no answer. What stands between the workers and a function answers in its place then, with a page
 * of the load balancer and the reason in a field of their own, which no client ever sees and no function can set.
 * Source: "Error reason codes" in the documentation of Application Load Balancers.
 */
import { errorPage, type LocalResponse } from './local-response.ts';
import type { ResponseHead } from './response-head.ts';

export type FunctionError =
  | 'LambdaAccessDenied'
  | 'LambdaConnectionTimeout'
  | 'LambdaInvalidResponse'
  | 'LambdaRequestTooLarge'
  | 'LambdaResourceNotFound'
  | 'LambdaResponseTooLarge'
  | 'LambdaServiceException'
  | 'LambdaThrottling'
  | 'LambdaUnhandled'
  | 'LambdaUnhandledException';

/** These are not the function's fault (metric LambdaInternalError), all others are (LambdaUserError). */
const internalErrors: ReadonlySet<FunctionError> = new Set([
  'LambdaConnectionTimeout',
  'LambdaServiceException',
  'LambdaUnhandledException',
]);

export function isInternalError(error: FunctionError): boolean {
  return internalErrors.has(error);
}

/** In lower case. */
export const functionErrorField = 'x-ballast-function-error';

/** What a client gets instead. */
export function functionErrorPage(error: FunctionError): LocalResponse {
  if (error === 'LambdaRequestTooLarge') return errorPage(413);
  return errorPage(error === 'LambdaConnectionTimeout' ? 504 : 502);
}

/** Takes the reason out of an answer; undefined when it is a function's own. */
export function takeFunctionError({ fields }: ResponseHead, bytes: Buffer, base: number): string | undefined {
  const index = fields.indexOf(bytes, base, functionErrorField);
  if (index === -1) return undefined;
  fields.drop(index);
  return bytes.toString('latin1', base + fields.valueStart(index), base + fields.valueEnd(index));
}
