/**
 * The API's shapes, compiled from the schemas that the official SDK packages export: what every operation takes and
 * gives, complete by construction. Only this file knows how those schemas are written.
 */
import * as classic from '@aws-sdk/client-elastic-load-balancing';
import * as elbv2 from '@aws-sdk/client-elastic-load-balancing-v2';
import { NormalizedSchema } from '@smithy/core/schema';
import { assert } from '#base/assert.ts';
import type { ApiVersion } from '#control/execute.ts';

export type Shape =
  | { readonly kind: 'text' | 'boolean' | 'number' | 'timestamp' | 'blob' }
  /** `itemName`: what EC2 calls an entry. */
  | { readonly kind: 'list'; readonly member: () => Shape; readonly itemName?: string }
  | { readonly kind: 'map'; readonly value: () => Shape }
  | { readonly kind: 'structure'; readonly name: string; readonly members: readonly Member[] };

export interface Member {
  readonly name: string;
  readonly isRequired: boolean;
  readonly shape: () => Shape;
  /** What EC2 calls it in a request, and in an answer. */
  readonly askedName?: string;
  readonly answeredName?: string;
}

export interface OperationShape {
  readonly name: string;
  readonly input: Shape;
  readonly output: Shape;
}

export interface ApiDefinition {
  readonly version: ApiVersion;
  /** XML namespace of the answers; empty where they are JSON. */
  readonly namespace: string;
  readonly operations: ReadonlyMap<string, OperationShape>;
  /** Code of an error in the query protocol → its name in others, where the API has both. */
  readonly errorNames: ReadonlyMap<string, string>;
}

/** A schema of the SDK packages: [id, namespace, name, traits, …]; 9 is an operation, 3 a structure, -3 an error. */
type Schema = readonly [id: number, namespace: string, name: string, traits: unknown, ...parts: unknown[]];
/** https://smithy.io/2.0/aws/protocols/aws-query-protocol.html */
interface QueryErrorTraits {
  readonly awsQueryError?: readonly [code: string, status: number];
}
const operationSchemaId = 9;
const errorSchemaId = -3;

/** Structures that are compiled: they may contain themselves. */
const compiled = new Map<unknown, Shape>();

const namespaces: Readonly<Record<ApiVersion, string>> = {
  '2015-12-01': 'http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/',
  '2012-06-01': 'http://elasticloadbalancing.amazonaws.com/doc/2012-06-01/',
  '2015-12-08': '',
  '2010-05-08': 'https://iam.amazonaws.com/doc/2010-05-08/',
  '2011-06-15': 'https://sts.amazonaws.com/doc/2011-06-15/',
  '2010-08-01': 'http://monitoring.amazonaws.com/doc/2010-08-01/',
  '2016-11-15': 'http://ec2.amazonaws.com/doc/2016-11-15/',
};

/** Of Elastic Load Balancing, by version. */
export const apis: ReadonlyMap<string, ApiDefinition> = new Map(
  (
    [
      ['2015-12-01', elbv2],
      ['2012-06-01', classic],
    ] as const
  ).map(([version, sdk]) => [version, defineApi(version, sdk)]),
);

/** Compiles what an SDK package exports. */
export function defineApi(version: ApiVersion, sdk: object): ApiDefinition {
  const operations = new Map<string, OperationShape>();
  const errorNames = new Map<string, string>();
  for (const [name, exported] of Object.entries(sdk)) {
    if (!name.endsWith('$') || !Array.isArray(exported)) continue;
    const [id, , shapeName, traits, input, output] = exported as unknown as Schema;
    if (id === operationSchemaId) {
      operations.set(shapeName, { name: shapeName, input: compile(input), output: compile(output) });
    }
    const { awsQueryError: [code] = [] } = (id === errorSchemaId ? traits : {}) as QueryErrorTraits;
    if (code !== undefined) errorNames.set(code, shapeName);
  }
  assert(operations.size > 0, 'the SDK package exports the schemas of its operations');
  return { version, namespace: namespaces[version], operations, errorNames };
}

/** Compiled once for each structure, and its members only when they are first used. */
function compile(reference: unknown): Shape {
  const schema = NormalizedSchema.of(reference as never);
  if (schema.isListSchema()) {
    const { xmlName: itemName } = schema.getValueSchema().getMergedTraits();
    return { kind: 'list', member: lazily(() => compile(schema.getValueSchema())), ...named({ itemName }) };
  }
  if (schema.isMapSchema()) return { kind: 'map', value: lazily(() => compile(schema.getValueSchema())) };
  if (schema.isBooleanSchema()) return { kind: 'boolean' };
  if (schema.isNumericSchema()) return { kind: 'number' };
  if (schema.isBlobSchema()) return { kind: 'blob' };
  if (schema.isTimestampSchema()) return { kind: 'timestamp' };
  if (!schema.isStructSchema()) {
    assert(schema.isStringSchema() || schema.isUnitSchema(), `the schema of ${schema.getName()} is of a known kind`);
    return schema.isUnitSchema() ? { kind: 'structure', name: 'Unit', members: [] } : { kind: 'text' };
  }
  const structure = schema.getSchema() as Schema;
  const known = compiled.get(structure);
  if (known !== undefined) return known;
  // Behind names and members stands how many of them, from the first on, are required.
  const requiredCount = typeof structure[6] === 'number' ? structure[6] : 0;
  const members = [...schema.structIterator()].map(([name, member], index) => ({
    name,
    isRequired: index < requiredCount,
    shape: lazily(() => compile(member)),
    ...wireNames(member.getMergedTraits()),
  }));
  const shape: Shape = { kind: 'structure', name: structure[2], members };
  compiled.set(structure, shape);
  return shape;
}

/** How the EC2 protocol derives its names (traits `ec2QueryName` and `xmlName`). */
function wireNames(traits: Readonly<Record<string, unknown>>): Pick<Member, 'askedName' | 'answeredName'> {
  const { ec2QueryName, xmlName } = traits;
  const capital = typeof xmlName === 'string' ? `${xmlName[0]!.toUpperCase()}${xmlName.slice(1)}` : undefined;
  return named({ askedName: ec2QueryName ?? capital, answeredName: xmlName });
}

function named<Name extends string>(names: Readonly<Record<Name, unknown>>): { readonly [Each in Name]?: string } {
  return Object.fromEntries(Object.entries(names).filter(([, name]) => typeof name === 'string')) as never;
}

function lazily<Value>(make: () => Value): () => Value {
  let made: Value | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
