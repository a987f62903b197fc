import assert from 'node:assert/strict';
import test from 'node:test';
import v8 from 'node:v8';
import vm from 'node:vm';
import { systemRandom } from '#io/random.ts';
import { type Session, SessionCookies } from './session-cookies.ts';

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
  const lines = cookies.lines('target', 'lb-1', 'group/10.0.0.1:80').toString();
  const value = valueIn(Buffer.from(lines));
  const rest = `${value}; Expires=Mon, 19 Jan 1970 13:46:40 GMT; Path=/`;
  assert.equal(lines, `Set-Cookie: AWSALB=${rest}\r\nSet-Cookie: AWSALBCORS=${rest}; SameSite=None\r\n`);
  for (const field of [`AWSALB=${value}`, `a=b; AWSALB=${value}; c`, `AWSALBCORS=${value}`]) {
    assert.equal(cookies.find('target', 'lb-1', 60, request('x=y', field)), 'group/10.0.0.1:80');
  }
  assert.match(cookies.lines('group', 'lb-1', 'g').toString(), /^Set-Cookie: AWSALBTG=.*\r\nSet-Cookie: AWSALBTGCORS=/);
  const other = new SessionCookies(key, clock, systemRandom);
  assert.equal(other.find('target', 'lb-1', 60, request(`AWSALB=${value}`)), 'group/10.0.0.1:80', 'any node reads it');
  assert(!value.includes('10.0.0.1') && !Buffer.from(value, 'base64url').toString('latin1').includes('10.0.0.1'));
});

test('session cookies: one that is made up, changed, of another load balancer or too old names nobody', () => {
  const { time, cookies, request, valueIn, clock } = prepare();
  const value = valueIn(cookies.lines('target', 'lb-1', 'one'));
  const find = (given: string, scope = 'lb-1', bond: 'target' | 'group' = 'target') =>
    cookies.find(bond, scope, 60, request(`AWSALB=${given}; AWSALBTG=${given}`));
  assert.equal(find(value), 'one');
  assert.equal(find(value, 'lb-2'), undefined);
  assert.equal(find(value, 'lb-1', 'group'), undefined);
  for (let at = 0; at < value.length; at += 1) {
    const changed = value[at] === 'A' ? 'B' : 'A';
    assert.equal(find(`${value.slice(0, at)}${changed}${value.slice(at + 1)}`), undefined, `character ${at}`);
  }
  for (const letter of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_') {
    const changed = value.slice(0, -1) + letter;
    assert.equal(find(changed), changed === value ? 'one' : undefined, 'not even where nothing would change');
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

test('session cookies: what strangers make up is not kept in memory', () => {
  const { cookies, request } = prepare();
  v8.setFlagsFromString('--expose-gc');
  const collect = vm.runInNewContext('gc') as () => void;
  collect();
  const before = process.memoryUsage().heapUsed;
  for (let index = 0; index < 3_000; index += 1) {
    const value = `${index}`.padStart(index % 2 === 0 ? 16_000 : 3_500, 'A');
    assert.equal(cookies.find('target', 'lb-1', 60, request(`AWSALB=${value}`)), undefined);
  }
  collect();
  const grown = process.memoryUsage().heapUsed - before;
  assert(grown < 4_000_000, `${grown} bytes are kept of 3,000 cookies`);
  assert.equal(cookies.find('target', 'lb-1', 60, request('AWSALB=A')), undefined, 'it still holds what it holds');
});

test('session cookies: an answer begins the time anew, within a minute', () => {
  const { time, cookies } = prepare();
  const first = cookies.lines('target', 'lb-1', 'one');
  time.nowMs += 59_999;
  assert.equal(cookies.lines('target', 'lb-1', 'one'), first);
  time.nowMs += 1;
  assert.notDeepEqual(cookies.lines('target', 'lb-1', 'one'), first);
});

test('session cookies: the one that is sent across sites counts first, if it can be read', () => {
  const { cookies, request, valueIn } = prepare();
  const [one, other] = ['one', 'other'].map((name) => valueIn(cookies.lines('target', 'lb-1', name)));
  const find = (field: string) => cookies.find('target', 'lb-1', 60, request(field));
  assert.equal(find(`AWSALB=${one}; AWSALBCORS=${other}`), 'other');
  assert.equal(find(`AWSALB=${one}; AWSALBCORS=x${other}`), 'one');
});

test('session cookies: keys change every day, and a cookie of yesterday is read for as long as it may last', () => {
  const { time, clock, cookies, request, valueIn } = prepare();
  const value = valueIn(cookies.lines('target', 'lb-1', 'one'));
  const weekSeconds = 604_800;
  const find = (from: SessionCookies) => from.find('target', 'lb-1', weekSeconds, request(`AWSALB=${value}`));
  time.nowMs += weekSeconds * 1_000;
  assert.equal(find(cookies), 'one');
  assert.equal(find(new SessionCookies(key, clock, systemRandom)), 'one');
  time.nowMs += 2 * 86_400_000;
  const read = (given: string) =>
    new SessionCookies(key, clock, systemRandom).sessions('target', 'lb-1', request(`AWSALB=${given}`)).length;
  assert.equal(read(value), 0);
  time.nowMs -= 2 * 86_400_000;
  assert.equal(read(value), 1);
  const sealed = Buffer.from(value, 'base64url');
  sealed.writeUInt16BE(sealed.readUInt16BE(0) + 1);
  assert.equal(read(sealed.toString('base64url')), 0, 'of another day, it would have another key');
  time.nowMs += 2 * 86_400_000;
  // A node whose clock is a little behind reads what was made after midnight elsewhere.
  time.nowMs -= 9 * 86_400_000;
  const late = valueIn(cookies.lines('target', 'lb-1', 'two'));
  const before = { wallMs: () => time.nowMs - 86_400_000, monotonicMs: () => 0 };
  const behind = new SessionCookies(key, before, systemRandom);
  assert.equal(behind.find('target', 'lb-1', 60, request(`AWSALB=${late}`)), 'two');
  // 65,536 days later the same two bytes tell another day.
  time.nowMs += 65_536 * 86_400_000;
  assert.equal(find(new SessionCookies(key, clock, systemRandom)), undefined);
});

test('session cookies: an application’s cookie holds a session with each target group, the latest twenty of them', () => {
  const { time, cookies, request, valueIn } = prepare();
  let sessions: readonly Session[] = [];
  for (let index = 0; index < 30; index += 1) {
    time.nowMs += 1_000;
    const lines = cookies.lines('application', 'lb-1', `group-${index}/10.0.0.1:80`, sessions);
    assert(lines.length < 4_096);
    sessions = cookies.sessions('application', 'lb-1', request(`AWSALBAPP-0=${valueIn(lines)}`));
  }
  const expected = Array.from({ length: 20 }, (_, index) => `group-${29 - index}/10.0.0.1:80`);
  assert.deepEqual(
    sessions.map(({ value }) => value),
    expected,
  );
  assert(cookies.lasts(sessions[19]!, 19) && !cookies.lasts(sessions[19]!, 18));
});
