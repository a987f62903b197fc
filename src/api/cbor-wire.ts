/**
 * The protocol RPC v2 with CBOR (CloudWatch): service and operation stand in the path, and one map goes each way.
 *
 * https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html
 */
import { cbor, dateToTag } from '@smithy/core/cbor';
import { accept, type Result, refuse } from '#base/result.ts';
import { type Fault, fault } from '#model/fault.ts';
import { cborFault } from './cbor-check.ts';
import { encodeShape, type ValueEncodings } from './encode-shape.ts';
import { decodeJson } from './json-wire.ts';
import { shown } from './query.ts';
import type { ApiDefinition, Shape } from './shapes.ts';
import type { Wire } from './wire.ts';

const encodings: ValueEncodings = { timestamp: dateToTag, blob: (bytes) => bytes };

const protocol = 'rpc-v2-cbor';
const protocolHeader = 'smithy-protocol';
/** Header fields of every answer. */
export const cborHeaders = { [protocolHeader]: protocol } as const;
const pathPattern = /^\/service\/([A-Za-z0-9]{1,64})\/operation\/([A-Za-z0-9]{1,64})$/;

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
    answer: ({ operation }, output) => cbor.serialize(encodeShape(operation.output, output ?? {}, encodings)),
    refuse: (refused) => cborError(refused, api.errorNames),
  };
}

/** An error, for whoever speaks CBOR; `names`: what errors are called where it is not their code. */
export function cborError({ code, message }: Fault, names?: ReadonlyMap<string, string>): Uint8Array {
  return cbor.serialize({ __type: names?.get(code) ?? code, message });
}

function decodeBody(body: Uint8Array, shape: Shape): Result<unknown, Fault> {
  if (body.length === 0) return decodeJson({}, shape);
  const wrong = cborFault(body);
  if (wrong !== undefined) return refuse(fault('SerializationException', `the body is not CBOR: ${wrong}`));
  let value: unknown;
  try {
    value = toJson(cbor.deserialize(Buffer.from(body)));
  } catch (error) {
    return refuse(fault('SerializationException', `the body is not CBOR: ${(error as Error).message.slice(0, 100)}`));
  }
  return decodeJson(value, shape);
}

/** As JSON would have it: times are seconds, and bytes base64. */
function toJson(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((each) => toJson(each));
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (typeof value !== 'object' || value === null) return value;
  if (isTime(value)) return value.value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, toJson(each)]));
}

/** RFC 8949 section 3.4.2: tag 1, the seconds since 1970. */
function isTime(value: object): value is { readonly tag: 1; readonly value: unknown } {
  return 'tag' in value && value.tag === 1 && 'value' in value;
}
