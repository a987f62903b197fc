/** Whatever callers with valid keys send, an answer comes, and refusals change nothing. */
import assert from 'node:assert/strict';
import test from 'node:test';
import * as acm from '@aws-sdk/client-acm';
import * as cloudwatch from '@aws-sdk/client-cloudwatch';
import { cbor, dateToTag } from '@smithy/core/cbor';
import fc from 'fast-check';
import { testSettings } from '#control/elbv2/test-region.ts';
import { acmOperations } from '#control/neighbours/acm/operations.ts';
import { cloudwatchOperations } from '#control/neighbours/cloudwatch/operations.ts';
import { MinuteBook } from '#observe/cloudwatch/minute-book.ts';
import { beganMs, node } from '#observe/cloudwatch/test-counts.ts';
import { apis, defineApi, type Shape } from './shapes.ts';
import { accessKeyId, formType, secretAccessKey, signHeaders } from './test-api.ts';
import { startRegionApi } from './test-region-api.ts';
import { anyValue } from './test-values.ts';

const { operations } = apis.get('2015-12-01')!;
const acmShapes = [...defineApi('2015-12-08', acm).operations.values()].filter(({ name }) => name in acmOperations);

const cloudwatchShapes = [...defineApi('2010-08-01', cloudwatch).operations.values()].filter(
  ({ name }) => name in cloudwatchOperations,
);

/** Sends a signed body. */
async function post(
  url: string,
  body: string | Uint8Array,
  service: string,
  headers: Record<string, string>,
): Promise<Response> {
  const signed = signHeaders({
    method: 'POST',
    url: new URL(url),
    body,
    headers,
    scope: `${testSettings.region}/${service}/aws4_request`,
    keyId: accessKeyId,
    secret: secretAccessKey,
  });
  return fetch(url, { method: 'POST', body: body as BodyInit, headers: signed });
}

/** The form that the value of a shape is written in. */
function* form(shape: Shape, value: unknown, path: string): Iterable<[string, string]> {
  if (value === undefined) return;
  if (shape.kind === 'structure') {
    for (const { name, shape: member } of shape.members) {
      yield* form(member(), (value as Record<string, unknown>)[name], path === '' ? name : `${path}.${name}`);
    }
  } else if (shape.kind === 'list') {
    for (const [index, each] of (value as unknown[]).entries())
      yield* form(shape.member(), each, `${path}.member.${index + 1}`);
  } else if (shape.kind === 'map') {
    for (const [index, [key, each]] of Object.entries(value as object).entries()) {
      yield [`${path}.entry.${index + 1}.key`, key];
      yield* form(shape.value(), each, `${path}.entry.${index + 1}.value`);
    }
  } else {
    yield [path, value instanceof Date ? value.toISOString() : String(value)];
  }
}

/** A call of the schema, with some of its parameters changed, lost, renamed or made up. */
const nearlyRight = fc
  .constantFrom(...operations.values())
  .chain((operation) =>
    fc.record({
      action: fc.constant(operation.name),
      pairs: anyValue(operation.input).map((value) => [...form(operation.input, value, '')]),
      mutations: fc.array(
        fc.record({
          at: fc.nat({ max: 20 }),
          kind: fc.nat({ max: 5 }),
          text: fc.string({ unit: 'binary', maxLength: 12 }),
        }),
        { maxLength: 3 },
      ),
    }),
  )
  .map(({ action, pairs, mutations }) => {
    const changed: [string, string][] = [['Action', action], ['Version', '2015-12-01'], ...pairs];
    for (const { at, kind, text } of mutations) {
      const index = at % changed.length;
      const [name, value] = changed[index]!;
      if (kind === 0) changed[index] = [name, text];
      else if (kind === 1) changed.splice(index, 1);
      else if (kind === 2) changed[index] = [`${name}.${text}`, value];
      else if (kind === 3) changed.push([name, value]);
      else if (kind === 4) changed[index] = [name.replace(/\d+/, `${at}`), value];
      else changed.push([text, text]);
      if (changed.length === 0) changed.push(['Action', action]);
    }
    return changed
      .map(([name, value]) => `${encodeURIComponent(name.toWellFormed())}=${encodeURIComponent(value.toWellFormed())}`)
      .join('&');
  });

const wild = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  fc.string({ unit: 'binary', maxLength: 200 }).map((each) => Buffer.from(each)),
);

test('random bodies: the query API always answers in XML, never with a failure of its own, and refusals change nothing', async (context) => {
  const { url, region } = await startRegionApi(context);
  await fc.assert(
    fc.asyncProperty(fc.oneof({ weight: 4, arbitrary: nearlyRight }, { weight: 1, arbitrary: wild }), async (body) => {
      const before = region.journal.view.revision;
      const answer = await post(url, body, 'elasticloadbalancing', { 'content-type': formType });
      const text = await answer.text();
      assert(answer.status === 200 || (answer.status >= 400 && answer.status < 500), `${answer.status} ${text}`);
      assert.match(text, /^<\?xml version="1\.0" encoding="UTF-8"\?>\n<(\w+Response) [\s\S]*<\/\1>\n$/);
      if (answer.status !== 200) assert.equal(region.journal.view.revision, before, text);
    }),
    { numRuns: 400 },
  );
});

test('random bodies: the JSON API likewise', async (context) => {
  const { url, region } = await startRegionApi(context);
  const json = fc.constantFrom(...acmShapes).chain(({ name, input }) =>
    fc.record({
      name: fc.oneof({ weight: 9, arbitrary: fc.constant(name) }, { weight: 1, arbitrary: fc.string() }),
      body: fc.oneof(
        anyValue(input).map((value) => Buffer.from(JSON.stringify(value))),
        fc.json({ maxDepth: 4 }).map((value) => Buffer.from(value)),
        wild,
      ),
    }),
  );
  await fc.assert(
    fc.asyncProperty(json, async ({ name, body }) => {
      const before = region.journal.view.revision;
      const target = `CertificateManager.${name.replace(/[^ -~]/g, '')}`.trimEnd();
      const headers = { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': target };
      const answer = await post(url, body, 'acm', headers);
      const text = await answer.text();
      assert(answer.status === 200 || (answer.status >= 400 && answer.status < 500), `${answer.status} ${text}`);
      const read = JSON.parse(text) as Record<string, unknown>;
      if (answer.status === 200) return;
      assert.equal(typeof read.__type, 'string');
      assert.equal(region.journal.view.revision, before, text);
    }),
    { numRuns: 200 },
  );
});

/** Times as the protocol has them; a part of a call may not be given. */
function tagged(value: unknown): unknown {
  if (value instanceof Date) return dateToTag(value);
  if (Array.isArray(value)) return value.map(tagged);
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, each]) => (each === undefined ? [] : [[key, tagged(each)]])),
  );
}

test('random bodies: the CBOR API likewise, also of bodies that are not CBOR, or claim to be larger than they are', async (context) => {
  const book = new MinuteBook({ sinceMs: beganMs });
  book.look(beganMs + 60_000, new Map([['n', node({ group: { requests: 1 } })]]));
  const { url } = await startRegionApi(context, undefined, book);
  const bodies = fc.constantFrom(...cloudwatchShapes).chain(({ name, input }) =>
    fc.record({
      name: fc.constant(name),
      body: fc.oneof(
        fc
          .record({
            value: anyValue(input),
            mutations: fc.array(fc.record({ at: fc.nat(), byte: fc.nat({ max: 255 }) }), { maxLength: 2 }),
            cutBytes: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat({ max: 9 }) }),
          })
          .map(({ value, mutations, cutBytes }) => {
            const bytes = Uint8Array.from(cbor.serialize(tagged(value)));
            for (const { at, byte } of mutations) bytes[at % bytes.length] = byte;
            return bytes.subarray(0, Math.max(0, bytes.length - cutBytes));
          }),
        wild,
      ),
    }),
  );
  const ask = (name: string, body: Uint8Array) =>
    post(`${url}service/GraniteServiceVersion20100801/operation/${name}`, body, 'monitoring', {
      'content-type': 'application/cbor',
      'smithy-protocol': 'rpc-v2-cbor',
    });
  assert.equal((await ask('ListMetrics', cbor.serialize({}))).status, 200, 'what is right is understood');
  await fc.assert(
    fc.asyncProperty(bodies, async ({ name, body }) => {
      const answer = await ask(name, body);
      const bytes = new Uint8Array(await answer.arrayBuffer());
      const read = cbor.deserialize(bytes) as Record<string, unknown>;
      assert.equal(answer.headers.get('smithy-protocol'), 'rpc-v2-cbor');
      assert(answer.status === 200 || answer.status === 400, `${answer.status} ${JSON.stringify(read)}`);
      if (answer.status !== 200) assert.equal(typeof read.__type, 'string');
    }),
    { numRuns: 400 },
  );
  for (const lie of [
    [0x9b, 0, 0, 0, 1, 0, 0, 0, 0],
    [0xbb, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff],
    [0x9f],
    [0x7b, 1],
    [0xa1, 0x1b, 0x42, 1, 2, 3, 4, 5, 6, 7, 0],
    [0xc2, 0x41, 1],
    [0xa0, 0xa0],
    Array(99).fill(0x81),
  ]) {
    assert.equal((await ask('ListMetrics', Uint8Array.from(lie))).status, 400);
  }
});
