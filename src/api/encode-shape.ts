/** Turns the value of a shape into what a serializer takes: members that are not there are left out. */
import type { Shape } from './shapes.ts';

/** What a protocol has for values that plain data has none for. */
export interface ValueEncodings {
  readonly timestamp: (time: Date) => unknown;
  readonly blob: (bytes: Uint8Array) => unknown;
}

export function encodeShape(shape: Shape, value: unknown, encodings: ValueEncodings): unknown {
  switch (shape.kind) {
    case 'structure':
      return Object.fromEntries(
        shape.members.flatMap(({ name, shape: member }) => {
          const part = (value as Record<string, unknown>)[name];
          return part === undefined ? [] : [[name, encodeShape(member(), part, encodings)]];
        }),
      );
    case 'list':
      return (value as readonly unknown[]).map((each) => encodeShape(shape.member(), each, encodings));
    case 'map':
      return Object.fromEntries(
        Object.entries(value as Record<string, unknown>).map(([key, each]) => [
          key,
          encodeShape(shape.value(), each, encodings),
        ]),
      );
    case 'timestamp':
      return encodings.timestamp(value as Date);
    case 'blob':
      return encodings.blob(value as Uint8Array);
    case 'text':
    case 'boolean':
    case 'number':
      return value;
  }
}
