import assert from 'node:assert/strict';
import test from 'node:test';
import { systemRandom } from '#io/random.ts';
import { SessionCookies } from './session-cookies.ts';

const key = Buffer.alloc(32, 7);

function prepare() {
  const time = { nowMs: 1_000_000_000 };
  const clock = { wallMs: () => time.nowMs, monotonicMs: () => time.nowMs };
  const cookies = new SessionCookies(key, clock, systemRandom);
  const request = (...fields: string[]) => ({
    method: 'GET',
    host: '',
    path: '/',
    query: '',
    source: '',
    values: (name: string) => (name === 'cookie' ? fields : []),
  });
  const valueIn = (lines: Buffer) => /=([^;]*);/.exec(lines.toString())![1]!;
  return { time, clock, cookies, request, valueIn };
}

test('session cookies: what a cookie names is found again, by the cookie of either name', () => {
  const { cookies, request, valueIn, clock } = prepare();
  const lines = cookies.lines('target', 'lb-1', 60, 'group/10.0.0.1:80').toString();
  const value = valueIn(Buffer.from(lines));
  const rest = `${value}; Expires=Mon, 12 Jan 1970 13:47:40 GMT; Path=/`;
  assert.equal(lines, `Set-Cookie: AWSALB=${rest}\r\nSet-Cookie: AWSALBCORS=${rest}; SameSite=None\r\n`);
  for (const field of [`AWSALB=${value}`, `a=b; AWSALB=${value}; c`, `AWSALBCORS=${value}`]) {
    assert.equal(cookies.find('target', 'lb-1', 60, request('x=y', field)), 'group/10.0.0.1:80');
  }
  assert.match(
    cookies.lines('group', 'lb-1', 60, 'g').toString(),
    /^Set-Cookie: AWSALBTG=.*\r\nSet-Cookie: AWSALBTGCORS=/,
  );
  const other = new SessionCookies(key, clock, systemRandom);
  assert.equal(other.find('target', 'lb-1', 60, request(`AWSALB=${value}`)), 'group/10.0.0.1:80', 'any node reads it');
  assert(!value.includes('10.0.0.1') && !Buffer.from(value, 'base64url').toString('latin1').includes('10.0.0.1'));
});

test('session cookies: one that is made up, changed, of another load balancer or too old names nobody', () => {
  const { time, cookies, request, valueIn, clock } = prepare();
  const value = valueIn(cookies.lines('target', 'lb-1', 60, 'one'));
  const find = (given: string, scope = 'lb-1', bond: 'target' | 'group' = 'target') =>
    cookies.find(bond, scope, 60, request(`AWSALB=${given}; AWSALBTG=${given}`));
  assert.equal(find(value), 'one');
  assert.equal(find(value, 'lb-2'), undefined);
  assert.equal(find(value, 'lb-1', 'group'), undefined);
  for (let at = 0; at < value.length; at += 1) {
    const changed = value[at] === 'A' ? 'B' : 'A';
    assert.equal(find(`${value.slice(0, at)}${changed}${value.slice(at + 1)}`), undefined, `character ${at}`);
  }
  for (const wrong of ['', 'x', value.slice(0, -4), `${value}AAAA`, 'A'.repeat(100), 'A'.repeat(5_000)]) {
    assert.equal(find(wrong), undefined);
  }
  const stranger = new SessionCookies(Buffer.alloc(32, 8), clock, systemRandom);
  assert.equal(stranger.find('target', 'lb-1', 60, request(`AWSALB=${value}`)), undefined);
  assert.equal(cookies.find('target', 'lb-1', 60, request()), undefined);
  time.nowMs += 60_000;
  assert.equal(find(value), 'one');
  time.nowMs += 1;
  assert.equal(find(value), undefined);
});

test('session cookies: an answer begins the time anew, within a minute', () => {
  const { time, cookies } = prepare();
  const first = cookies.lines('target', 'lb-1', 600, 'one');
  time.nowMs += 59_999;
  assert.equal(cookies.lines('target', 'lb-1', 600, 'one'), first);
  time.nowMs += 1;
  assert.notDeepEqual(cookies.lines('target', 'lb-1', 600, 'one'), first);
});
