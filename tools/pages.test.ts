import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { pages } from './pages.ts';

for (const [path, page] of Object.entries(pages)) {
  test(`pages: ${path} says what the code says; \`npm run pages\` writes it`, () => {
    assert.equal(readFileSync(join(import.meta.dirname, '..', path), 'utf8'), page());
  });
}
