/**
 * The event that an Application Load Balancer invokes a function with, and what a function answers with. Pure.
 *
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html
 */

import { functionErrorField } from '#proxy/http1/function-error.ts';

/** Of a request's body, and of a function's answer as JSON. */
export const sizeBytesMax = 1024 * 1024;

export interface FunctionRequest {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  /** Name, value, name, value … as they came. */
  readonly rawHeaders: readonly string[];
}

export interface FunctionAnswer {
  readonly statusCode: number;
  readonly statusDescription: string;
  readonly headers: Record<string, string | string[]>;
  readonly body: Buffer;
}

/** What is text goes as text, unless it is encoded. */
const textTypes = /^(?:text\/|application\/(?:json|javascript|xml)\b)/i;
/** What is between the load balancer and the bridge alone. */
const ownFields = new Set(['connection', 'transfer-encoding', 'keep-alive', functionErrorField]);
const statusDescriptionPattern = /^\d{3} ([\t -~]{1,200})$/;

/** The event, as JSON. Names and values of the query are as they were sent, as with AWS. */
export function eventOf(
  { targetGroupArn, hasMultiValues }: { readonly targetGroupArn: string; readonly hasMultiValues: boolean },
  { method = 'GET', url = '/', rawHeaders }: FunctionRequest,
  body: Buffer,
): string {
  const question = url.indexOf('?');
  const path = question === -1 ? url : url.slice(0, question);
  const query = question === -1 ? '' : url.slice(question + 1);
  const fields = headerPairs(rawHeaders);
  const valueFor = (name: string) => fields.find(([each]) => each === name)?.[1];
  const isText = valueFor('content-encoding') === undefined && textTypes.test(valueFor('content-type') ?? 'text/plain');
  const pairs = query.split('&').flatMap((pair): [string, string][] => {
    if (pair === '') return [];
    const equals = pair.indexOf('=');
    return [equals === -1 ? [pair, ''] : [pair.slice(0, equals), pair.slice(equals + 1)]];
  });
  return JSON.stringify({
    requestContext: { elb: { targetGroupArn } },
    httpMethod: method,
    path,
    ...(hasMultiValues
      ? { multiValueQueryStringParameters: allOf(pairs), multiValueHeaders: allOf(fields) }
      : { queryStringParameters: Object.fromEntries(pairs), headers: Object.fromEntries(fields) }),
    body: isText ? body.toString('utf8') : body.toString('base64'),
    isBase64Encoded: !isText,
  });
}

/** Reads what a function gave back; a sentence when that is no answer. */
export function answerOf(bytes: Buffer): FunctionAnswer | string {
  let given: unknown;
  try {
    given = JSON.parse(bytes.toString('utf8'));
  } catch {
    return 'its answer is not JSON';
  }
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return 'its answer is not a JSON object';
  const { statusCode, statusDescription = '', headers, multiValueHeaders, body = '', isBase64Encoded } = given as Given;
  const status = Number(statusCode);
  if (!Number.isInteger(status) || status < 200 || status > 599) return 'its statusCode is none from 200 to 599';
  if (typeof body !== 'string') return 'its body is not a text';
  const fields = { ...textsOf(headers), ...textsOf(multiValueHeaders) };
  const content = Buffer.from(body, isBase64Encoded === true ? 'base64' : 'utf8');
  return {
    statusCode: status,
    statusDescription: statusDescriptionPattern.exec(String(statusDescription))?.[1] ?? '',
    headers: { ...fields, 'content-length': `${content.length}` },
    body: content,
  };
}

type Given = Readonly<Record<string, unknown>>;

/** The header fields of an answer; what frames it is the load balancer's business. */
function textsOf(given: unknown): Record<string, string | string[]> {
  if (typeof given !== 'object' || given === null) return {};
  return Object.fromEntries(
    Object.entries(given).flatMap(([name, value]): [string, string | string[]][] => {
      const lower = name.toLowerCase();
      if (ownFields.has(lower) || lower === 'content-length') return [];
      return [[lower, Array.isArray(value) ? value.map(String) : String(value)]];
    }),
  );
}

function headerPairs(raw: readonly string[]): [string, string][] {
  const pairs: [string, string][] = [];
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = raw[index]!.toLowerCase();
    if (!ownFields.has(name)) pairs.push([name, raw[index + 1]!]);
  }
  return pairs;
}

function allOf(pairs: readonly (readonly [string, string])[]): Record<string, string[]> {
  const all: Record<string, string[]> = Object.create(null);
  for (const [name, value] of pairs) {
    const values = all[name];
    if (values === undefined) all[name] = [value];
    else values.push(value);
  }
  return all;
}
