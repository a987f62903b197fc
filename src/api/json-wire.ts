/**
 * The JSON protocol, version 1.1 (AWS Certificate Manager) and 1.0 (CloudWatch): the operation's name stands in the
 * header `X-Amz-Target`, and one JSON object goes each way. What the shapes do not know is passed over, as in the query
 * protocol.
 *
 * https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html
 */
import { accept, type Result, refuse } from '#base/result.ts';
import { type Fault, fault } from '#model/fault.ts';
import { encodeShape, type ValueEncodings } from './encode-shape.ts';
import { decodeBase64, shown } from './query.ts';
import type { ApiDefinition, Shape } from './shapes.ts';
import type { Wire } from './wire.ts';

/** Times are seconds, and bytes base64. */
const encodings: ValueEncodings = {
  timestamp: (time) => time.getTime() / 1_000,
  blob: (bytes) => Buffer.from(bytes).toString('base64'),
};

const contentType = 'application/x-amz-json-1.1';
const depthMax = 16;
const listLengthMax = 5_000;
const targetHeader = 'x-amz-target';

/** `prefix` stands before the operation's name in the header. */
export function jsonWire(api: ApiDefinition, prefix: string, version: '1.0' | '1.1' = '1.1'): Wire {
  return {
    contentType: `application/x-amz-json-${version}`,
    read({ method, headers, body }) {
      const target = headers.get(targetHeader)?.join(', ') ?? '';
      const operation = target.startsWith(`${prefix}.`)
        ? api.operations.get(target.slice(prefix.length + 1))
        : undefined;
      if (method !== 'POST' || operation === undefined) {
        const message = `X-Amz-Target must be ${prefix} and an operation, with POST; found ${shown(target)} with ${method}`;
        return refuse(fault('UnknownOperationException', message));
      }
      return accept({ api, operation, input: () => decodeBody(body, operation.input) });
    },
    answer: ({ operation }, output) => JSON.stringify(encodeShape(operation.output, output ?? {}, encodings)),
    refuse: (refused) => jsonError(refused, api.errorNames),
  };
}

/** Whether an answer to the request would be read as JSON, whatever service it is for. */
export function speaksJson(headers: ReadonlyMap<string, readonly string[]>): boolean {
  return headers.has(targetHeader);
}

/** An error, for whoever speaks JSON; `names`: what errors are called where it is not their code. */
export function jsonError({ code, message }: Fault, names?: ReadonlyMap<string, string>): string {
  return JSON.stringify({ __type: names?.get(code) ?? code, message });
}

export const jsonContentType = contentType;

function decodeBody(body: Uint8Array, shape: Shape): Result<unknown, Fault> {
  let value: unknown;
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(body);
    value = text === '' ? {} : JSON.parse(text);
  } catch (error) {
    return refuse(
      fault('SerializationException', `the body is not JSON in UTF-8: ${(error as Error).message.slice(0, 100)}`),
    );
  }
  return decodeJson(value, shape);
}

/** Checks what was read, from JSON or something like it, by its shape. */
export function decodeJson(value: unknown, shape: Shape): Result<unknown, Fault> {
  return decode(value, shape, '', 0);
}

function decode(value: unknown, shape: Shape, path: string, depth: number): Result<unknown, Fault> {
  const wrong = (allowed: string) =>
    refuse(
      fault(
        'SerializationException',
        `${path === '' ? 'the body' : path} must be ${allowed}; found ${shownJson(value)}`,
      ),
    );
  if (depth > depthMax) return refuse(fault('SerializationException', `${path} is nested too deeply`));
  switch (shape.kind) {
    case 'structure': {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) return wrong('an object');
      const structure: Record<string, unknown> = {};
      for (const { name, isRequired, shape: member } of shape.members) {
        const part = Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;
        const memberPath = path === '' ? name : `${path}.${name}`;
        if (part === undefined || part === null) {
          if (isRequired) return refuse(fault('ValidationException', `${memberPath} is required and was not given`));
          continue;
        }
        const decoded = decode(part, member(), memberPath, depth + 1);
        if (!decoded.ok) return decoded;
        structure[name] = decoded.value;
      }
      return accept(structure);
    }
    case 'list': {
      if (!Array.isArray(value)) return wrong('a list');
      if (value.length > listLengthMax) return wrong(`a list of at most ${listLengthMax}`);
      const list: unknown[] = [];
      for (const [index, each] of value.entries()) {
        const decoded = decode(each, shape.member(), `${path}[${index}]`, depth + 1);
        if (!decoded.ok) return decoded;
        list.push(decoded.value);
      }
      return accept(list);
    }
    case 'map': {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) return wrong('an object');
      const map: Record<string, unknown> = Object.create(null);
      for (const [key, each] of Object.entries(value)) {
        const decoded = decode(each, shape.value(), `${path}[${shown(key)}]`, depth + 1);
        if (!decoded.ok) return decoded;
        map[key] = decoded.value;
      }
      return accept(map);
    }
    case 'text':
      return typeof value === 'string' ? accept(value) : wrong('a text');
    case 'boolean':
      return typeof value === 'boolean' ? accept(value) : wrong('true or false');
    case 'number':
      return typeof value === 'number' && Number.isSafeInteger(value) ? accept(value) : wrong('a whole number');
    case 'timestamp':
      return typeof value === 'number' ? accept(new Date(value * 1_000)) : wrong('a time in seconds');
    case 'blob': {
      const bytes = typeof value === 'string' ? decodeBase64(value) : undefined;
      return bytes === undefined ? wrong('base64') : accept(bytes);
    }
  }
}

/** What stands there, without telling what could be a secret. */
function shownJson(value: unknown): string {
  return value === null ? 'null' : Array.isArray(value) ? 'a list' : `a value of type ${typeof value}`;
}
