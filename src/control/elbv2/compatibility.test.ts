import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import * as sdk from '@aws-sdk/client-elastic-load-balancing-v2';
import { elbv2Operations } from './operations.ts';

const operationSchemaId = 9;

test('compatibility: the reference page says of every operation of the API whether it works, and nothing else', () => {
  const page = readFileSync(new URL('../../../docs/aws-compatibility.md', import.meta.url), 'utf8');
  const said = [...page.matchAll(/^\| ([A-Z]\w+) \| (works|refused) \|$/gm)].map(([, name, state]) => [name, state]);
  const schemas = Object.values(sdk).filter((each) => Array.isArray(each) && each[0] === operationSchemaId);
  const names = schemas.map((schema) => String((schema as readonly unknown[])[2])).sort();
  assert.deepEqual(
    said,
    names.map((name) => [name, Object.hasOwn(elbv2Operations, name) ? 'works' : 'refused']),
  );
});
