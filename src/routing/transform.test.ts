import assert from 'node:assert/strict';
import test from 'node:test';
import type { RuleTransform } from './table.ts';
import { compileTransforms } from './transform.ts';

const url = (regex: string, replacement: string): RuleTransform => ({ kind: 'url-rewrite', regex, replacement });
const host = (regex: string, replacement: string): RuleTransform => ({
  kind: 'host-header-rewrite',
  regex,
  replacement,
});

test('transforms: what the expression finds first gets the replacement, with what its groups found', () => {
  const of = (...transforms: RuleTransform[]) =>
    compileTransforms(transforms)!({ url: '/shop/items/7?sort=a&x=1', authority: 'Shop-eu.example.com:8080' });
  assert.deepEqual(of(url('^/shop/(.*)$', '/$1')), { url: '/items/7?sort=a&x=1' });
  assert.deepEqual(of(url('/items/([0-9]+)\\?sort=([a-z])', '/$2/$1?was=$2')), { url: '/shop/a/7?was=a&x=1' });
  assert.deepEqual(of(url('s', 'S')), { url: '/Shop/items/7?sort=a&x=1' });
  assert.deepEqual(of(url('(x)|(y)', '$1$2-$0')), { url: '/shop/items/7?sort=a&x-=1' });
  assert.deepEqual(of(host('^shop-([a-z]+)\\..*$', '$1.internal')), { host: 'eu.internal' });
  assert.deepEqual(of(url('^/shop', ''), host(':8080$', '')), {
    url: '/items/7?sort=a&x=1',
    host: 'Shop-eu.example.com',
  });
});

test('transforms: what is not found stays as it came, and what is no request any more is a failure', () => {
  const of = (...transforms: RuleTransform[]) => compileTransforms(transforms)!({ url: '/a/b', authority: 'a.com' });
  assert.deepEqual(of(url('^/x', '/y'), host('^x', 'y')), {});
  assert.equal(of(url('^/a', 'a')), 'failed');
  assert.equal(of(url('^.*$', '')), 'failed');
  assert.equal(of(host('^.*$', '')), 'failed');
  assert.equal(of(host('a', 'a/b')), 'failed');
  assert.equal(of(url('a', 'x'.repeat(9_000))), 'failed');
  assert.equal(compileTransforms([]), undefined);
});
