/**
 * The query protocol's answers: XML by the operation's shape, and errors. Whatever the answer holds, what goes out is
 * well-formed XML 1.0.
 */
import { type Fault, faults } from '#model/fault.ts';
import type { ApiDefinition, OperationShape, Shape } from './shapes.ts';

const declaration = '<?xml version="1.0" encoding="UTF-8"?>\n';

/** `<XResponse><XResult>…</XResult><ResponseMetadata>…`; undefined members are left out, empty lists are not. */
export function encodeAnswer(
  api: ApiDefinition,
  operation: OperationShape,
  output: unknown,
  requestId: string,
): string {
  const { name } = operation;
  const result = encode(operation.output, output ?? {});
  return [
    `${declaration}<${name}Response xmlns="${api.namespace}"><${name}Result>${result}</${name}Result>`,
    `<ResponseMetadata><RequestId>${requestId}</RequestId></ResponseMetadata></${name}Response>\n`,
  ].join('');
}

/** An error document; who is to blame follows from the code's HTTP status. */
export function encodeError(namespace: string, { code, message }: Fault, requestId: string): string {
  const type = faults[code] >= 500 ? 'Receiver' : 'Sender';
  return [
    `${declaration}<ErrorResponse xmlns="${namespace}"><Error><Type>${type}</Type><Code>${code}</Code>`,
    `<Message>${escapeXml(message)}</Message></Error><RequestId>${requestId}</RequestId></ErrorResponse>\n`,
  ].join('');
}

/** EC2's form: `<XResponse><requestId>…` and the members, by names of their own. */
export function encodeEc2Answer(
  api: ApiDefinition,
  { name, output: shape }: OperationShape,
  output: unknown,
  requestId: string,
): string {
  const members = encodeEc2(shape, output ?? {});
  return `${declaration}<${name}Response xmlns="${api.namespace}"><requestId>${requestId}</requestId>${members}</${name}Response>\n`;
}

export function encodeEc2Error({ code, message }: Fault, requestId: string): string {
  const error = `<Error><Code>${code}</Code><Message>${escapeXml(message)}</Message></Error>`;
  return `${declaration}<Response><Errors>${error}</Errors><RequestID>${requestId}</RequestID></Response>\n`;
}

function encodeEc2(shape: Shape, value: unknown): string {
  if (shape.kind === 'structure') {
    return shape.members
      .map(({ name, answeredName = name, shape: member }) => {
        const part = (value as Record<string, unknown>)[name];
        return part === undefined ? '' : `<${answeredName}>${encodeEc2(member(), part)}</${answeredName}>`;
      })
      .join('');
  }
  if (shape.kind !== 'list') return encode(shape, value);
  const { itemName = 'item', member } = shape;
  return (value as readonly unknown[])
    .map((each) => `<${itemName}>${encodeEc2(member(), each)}</${itemName}>`)
    .join('');
}

function encode(shape: Shape, value: unknown): string {
  switch (shape.kind) {
    case 'structure':
      return shape.members
        .map(({ name, shape: member }) => {
          const part = (value as Record<string, unknown>)[name];
          return part === undefined ? '' : `<${name}>${encode(member(), part)}</${name}>`;
        })
        .join('');
    case 'list':
      return (value as readonly unknown[]).map((each) => `<member>${encode(shape.member(), each)}</member>`).join('');
    case 'map':
      return Object.entries(value as Record<string, unknown>)
        .map(
          ([key, each]) => `<entry><key>${escapeXml(key)}</key><value>${encode(shape.value(), each)}</value></entry>`,
        )
        .join('');
    case 'timestamp':
      return (value as Date).toISOString();
    case 'blob':
      return Buffer.from(value as Uint8Array).toString('base64');
    case 'text':
      return escapeXml(value as string);
    case 'boolean':
    case 'number':
      return String(value);
  }
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  // As it is, parsers would read a line feed (XML 1.0, section 2.11).
  '\r': '&#xD;',
};

/** XML 1.0 cannot hold most control characters and half surrogates, not even escaped (section 2.2): U+FFFD instead. */
function escapeXml(text: string): string {
  return text
    .replace(/[&<>"\r]/g, (character) => entities[character]!)
    .replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '\ufffd');
}
