/**
 * The protocol RPC v2 with CBOR (CloudWatch): service and operation stand in the path, and one map goes each way.
 *
 * https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html
 */
import { cbor, dateToTag } from '@smithy/core/cbor';
import { accept, type Result, refuse } from '#base/result.ts';
import { type Fault, fault } from '#model/fault.ts';
import { decodeJson } from './json-wire.ts';
import { shown } from './query.ts';
import type { ApiDefinition, Shape } from './shapes.ts';
import type { Wire } from './wire.ts';

const protocol = 'rpc-v2-cbor';
const protocolHeader = 'smithy-protocol';
/** Header fields of every answer. */
export const cborHeaders = { [protocolHeader]: protocol } as const;
const pathPattern = /^\/service\/([A-Za-z0-9]{1,64})\/operation\/([A-Za-z0-9]{1,64})$/;
/** What one call may hold: far more than any real one does. */
const partsMax = 65_536;
const depthMax = 16;

/** Whether the path is one of this protocol: no other than `/` is known besides. */
export function isCborPath(path: string): boolean {
  return pathPattern.test(path);
}

/** Whether an answer to the request would be read as CBOR. */
export function speaksCbor(headers: ReadonlyMap<string, readonly string[]>): boolean {
  return headers.get(protocolHeader)?.join(', ') === protocol;
}

/** `service`: its name in the path. */
export function cborWire(api: ApiDefinition, service: string): Wire {
  return {
    contentType: 'application/cbor',
    headers: cborHeaders,
    hasPath: true,
    read({ method, url, body }) {
      const [path = ''] = url.split('?', 1);
      const [, named, name = ''] = pathPattern.exec(path) ?? [];
      const operation = named === service ? api.operations.get(name) : undefined;
      if (method !== 'POST' || operation === undefined) {
        const message = `the path must be /service/${service}/operation/ and an operation, with POST; found ${shown(path)} with ${method}`;
        return refuse(fault('UnknownOperationException', message));
      }
      return accept({ api, operation, input: () => decodeBody(body, operation.input) });
    },
    answer: ({ operation }, output) => cbor.serialize(encode(operation.output, output ?? {})),
    refuse: (refused) => cborError(refused, api.errorNames),
  };
}

/** An error, for whoever speaks CBOR; `names`: what errors are called where it is not their code. */
export function cborError({ code, message }: Fault, names?: ReadonlyMap<string, string>): Uint8Array {
  return cbor.serialize({ __type: names?.get(code) ?? code, message });
}

function decodeBody(body: Uint8Array, shape: Shape): Result<unknown, Fault> {
  let value: unknown;
  try {
    checkSize(body);
    value = body.length === 0 ? {} : toJson(cbor.deserialize(Buffer.from(body)), 0);
  } catch (error) {
    return refuse(fault('SerializationException', `the body is not CBOR: ${(error as Error).message.slice(0, 100)}`));
  }
  return decodeJson(value, shape);
}

/** The reader makes lists of whatever length they claim: what claims more than a call can hold is not read at all. */
function checkSize(body: Uint8Array): void {
  let parts = 0;
  let at = 0;
  while (at < body.length) {
    const [major, minor] = [body[at]! >> 5, body[at]! & 31];
    const lengthBytes = minor < 24 || minor === 31 ? 0 : 2 ** (minor - 24);
    let length = minor < 24 ? minor : 0;
    for (let index = 1; index <= lengthBytes && lengthBytes <= 8; index += 1) {
      length = length * 256 + (body[at + index] ?? 0);
    }
    at += 1 + lengthBytes + (major === 2 || major === 3 ? length : 0);
    parts += 1 + (major === 4 || major === 5 ? length : 0);
    if (parts > partsMax) throw new Error(`it has more than ${partsMax} values`);
  }
  if (at > body.length) throw new Error('it ends too early');
}

/** As JSON would have it: times are seconds, and bytes base64. */
function toJson(value: unknown, depth: number): unknown {
  if (depth > depthMax) throw new Error('it is nested too deeply');
  if (Array.isArray(value)) return value.map((each) => toJson(each, depth + 1));
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (typeof value !== 'object' || value === null) return value;
  if (isTime(value)) return value.value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, toJson(each, depth + 1)]));
}

/** RFC 8949 section 3.4.2: tag 1, the seconds since 1970. */
function isTime(value: object): value is { readonly tag: 1; readonly value: unknown } {
  return 'tag' in value && value.tag === 1 && 'value' in value;
}

function encode(shape: Shape, value: unknown): unknown {
  switch (shape.kind) {
    case 'structure':
      return Object.fromEntries(
        shape.members.flatMap(({ name, shape: member }) => {
          const part = (value as Record<string, unknown>)[name];
          return part === undefined ? [] : [[name, encode(member(), part)]];
        }),
      );
    case 'list':
      return (value as readonly unknown[]).map((each) => encode(shape.member(), each));
    case 'map':
      return Object.fromEntries(
        Object.entries(value as Record<string, unknown>).map(([key, each]) => [key, encode(shape.value(), each)]),
      );
    case 'timestamp':
      return dateToTag(value as Date);
    case 'blob':
    case 'text':
    case 'boolean':
    case 'number':
      return value;
  }
}
