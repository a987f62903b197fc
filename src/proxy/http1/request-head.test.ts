import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import test from 'node:test';
import fc from 'fast-check';
import type { Progress } from './field-section.ts';
import { RequestHead } from './request-head.ts';

/** Everything that a reader says about a head, as text: two readings are the same when this is. */
function read(message: Buffer, cuts: readonly number[], base = 0): string {
  const room = Buffer.alloc(base + message.length, 0x5a);
  const head = new RequestHead();
  head.begin();
  let progress: Progress = 0;
  for (const cut of [...cuts, message.length]) {
    message.copy(room, base, 0, cut);
    progress = head.read(room, base, base + cut);
    if (progress !== 0) break;
  }
  return progress === 1 ? describe(head) : String(progress);
}

function describe(head: RequestHead): string {
  const { fields, ...rest } = head;
  const lines = Array.from({ length: fields.count }, (_, index) => [
    fields.lineStart(index),
    fields.nameEnd(index),
    fields.valueStart(index),
    fields.valueEnd(index),
    fields.lineEnd(index),
    fields.id(index),
  ]);
  return JSON.stringify({ ...rest, end: fields.end, lines });
}

const ordinary = 'GET /path?query=1 HTTP/1.1\r\nHost: example.com\r\nUser-Agent: test\r\nAccept:  */* \t\r\n\r\n';

const accepted = [
  ordinary,
  '\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n',
  'POST / HTTP/1.1\r\nhost:a:80\r\nCONTENT-LENGTH: 12\r\n\r\n',
  'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n',
  'GET http://example.com:8080/path HTTP/1.1\r\nHost: other\r\n\r\n',
  'OPTIONS * HTTP/1.1\r\nHost: [::1]:80\r\nConnection: x-secret, , keep-alive\r\nX-Secret: 1\r\n\r\n',
  'GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n',
  'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
  'PROPFIND /dav HTTP/1.1\r\nHost:\r\nX-Empty:\r\nX-Obs: caf\xe9\r\n\r\n',
];

/** What another server might read in another way, with the status that refuses it. */
const refused: readonly (readonly [string, string, number])[] = [
  ['both lengths', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n', 400],
  ['two lengths', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nContent-Length: 4\r\n\r\n', 400],
  ['a list of lengths', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4, 4\r\n\r\n', 400],
  ['a signed length', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +4\r\n\r\n', 400],
  ['a hexadecimal length', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x4\r\n\r\n', 400],
  ['an empty length', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n', 400],
  ['an endless length', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000000000\r\n\r\n', 400],
  ['a coding after chunked', 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip\r\n\r\n', 501],
  ['a coding before chunked', 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n', 501],
  ['a tab behind chunked', 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked \t\r\n\r\n', 501],
  ['an unknown coding', 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n', 501],
  ['identity without a length', 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Identity\r\n\r\n', 411],
  ['identity', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: identity\r\n\r\n', 400],
  ['POST in HTTP/1.0 without a length', 'POST / HTTP/1.0\r\nHost: a\r\n\r\n', 411],
  ['PUT in HTTP/1.0 without a length', 'PUT / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n', 411],
  ['two codings', 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n', 400],
  ['a vertical tab before chunked', 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \x0bchunked\r\n\r\n', 400],
  ['chunks in HTTP/1.0', 'POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n', 400],
  ['a space before the colon', 'GET / HTTP/1.1\r\nHost: a\r\nX : b\r\n\r\n', 400],
  ['a folded line', 'GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n', 400],
  ['a line that begins with a space', 'GET / HTTP/1.1\r\n Host: a\r\n\r\n', 400],
  ['a field without a name', 'GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n', 400],
  ['a line without a colon', 'GET / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n', 400],
  ['a bare line feed', 'GET / HTTP/1.1\nHost: a\r\n\r\n', 400],
  ['a bare line feed after a field', 'GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n', 400],
  ['a bare line feed at the end', 'GET / HTTP/1.1\r\nHost: a\r\n\n', 400],
  ['a bare carriage return', 'GET / HTTP/1.1\r\nHost: a\r\nX: b\rc\r\n\r\n', 400],
  ['a NUL in a value', 'GET / HTTP/1.1\r\nHost: a\r\nX: b\0c\r\n\r\n', 400],
  ['a control character in a value', 'GET / HTTP/1.1\r\nHost: a\r\nX: \x7f\r\n\r\n', 400],
  ['a NUL in the target', 'GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['a byte above ASCII in the target', 'GET /\xe9 HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['a fragment', 'GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['a space in the target', 'GET /a b HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['two spaces', 'GET  / HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['a tab for a space', 'GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['no host', 'GET / HTTP/1.1\r\nX: a\r\n\r\n', 400],
  ['two hosts', 'GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n', 400],
  ['two hosts in HTTP/1.0', 'GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n', 400],
  ['a list of hosts', 'GET / HTTP/1.1\r\nHost: a, b\r\n\r\n', 400],
  ['a host with a user', 'GET / HTTP/1.1\r\nHost: user@a\r\n\r\n', 400],
  ['a host with a path', 'GET / HTTP/1.1\r\nHost: a/b\r\n\r\n', 400],
  ['a host with two ports', 'GET / HTTP/1.1\r\nHost: a:1:2\r\n\r\n', 400],
  ['a port that is none', 'GET / HTTP/1.1\r\nHost: a:b\r\n\r\n', 400],
  ['a method that is no token', 'G(T / HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['a method without end', `${'A'.repeat(41)} / HTTP/1.1\r\nHost: a\r\n\r\n`, 400],
  ['no method', ' / HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['two empty lines first', '\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['HTTP/0.9', 'GET /\r\n', 400],
  ['HTTP/1.2', 'GET / HTTP/1.2\r\nHost: a\r\n\r\n', 505],
  ['HTTP/2.0', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 505],
  ['a version with two digits', 'GET / HTTP/1.10\r\nHost: a\r\n\r\n', 400],
  ['another protocol', 'GET / ICY/1.1\r\nHost: a\r\n\r\n', 400],
  ['a lower case version', 'GET / http/1.1\r\nHost: a\r\n\r\n', 400],
  ['a TLS handshake', '\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03', 400],
  ['TRACE', 'TRACE / HTTP/1.1\r\nHost: a\r\n\r\n', 405],
  ['CONNECT', 'CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['GET of an asterisk', 'GET * HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['a target without a slash', 'GET path HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['an absolute target with a user', 'GET http://user@a/ HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['an absolute target without a host', 'GET http:///a HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['an absolute target of another scheme', 'GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n', 400],
  ['a Connection that drops the host', 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close, Host\r\n\r\n', 400],
  [
    'a Connection that drops the length',
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nConnection: content-length\r\n\r\n',
    400,
  ],
  ['a Connection that is no list', 'GET / HTTP/1.1\r\nHost: a\r\nConnection: a b\r\n\r\n', 400],
  ['too many Connection options', `GET / HTTP/1.1\r\nHost: a\r\nConnection: ${'a,'.repeat(17)}\r\n\r\n`, 400],
  ['a target without end', `GET /${'a'.repeat(20_000)} HTTP/1.1\r\nHost: a\r\n\r\n`, 414],
  ['a line without end', `GET / HTTP/1.1\r\nHost: a\r\nX: ${'a'.repeat(20_000)}\r\n\r\n`, 431],
  ['a head without end', `GET / HTTP/1.1\r\nHost: a\r\n${`X: ${'a'.repeat(8000)}\r\n`.repeat(9)}\r\n`, 431],
  ['too many fields', `GET / HTTP/1.1\r\nHost: a\r\n${'X: a\r\n'.repeat(128)}\r\n`, 431],
];

test('request head: what has one meaning is accepted', () => {
  for (const message of accepted) assert.match(read(Buffer.from(message, 'latin1'), []), /^\{/, message);
});

for (const [what, message, status] of refused) {
  test(`request head: ${what} is refused with ${status}`, () => {
    assert.equal(read(Buffer.from(message, 'latin1'), []), String(status));
  });
}

test('request head: a message reads the same at every split, byte by byte, and anywhere in a buffer', () => {
  for (const message of [...accepted, ...refused.map(([, text]) => text)]) {
    const bytes = Buffer.from(message, 'latin1');
    const whole = read(bytes, []);
    assert.equal(read(bytes, [], 7), whole);
    assert.equal(read(bytes, Array.from(bytes.keys()), 3), whole, JSON.stringify(message.slice(0, 200)));
    if (bytes.length > 1000) continue;
    for (let cut = 0; cut < bytes.length; cut += 1) assert.equal(read(bytes, [cut]), whole, `${message} cut at ${cut}`);
  }
});

test('request head: random changes to a message read the same at every split', () => {
  const texts = [...accepted, ...refused.map(([, text]) => text)].filter((text) => text.length < 500);
  fc.assert(
    fc.property(
      fc.constantFrom(...texts),
      fc.array(fc.tuple(fc.nat(), fc.constantFrom(0, 9, 10, 13, 32, 58, 44, 48, 65, 97, 0x80, 0xff)), {
        minLength: 1,
        maxLength: 3,
      }),
      fc.array(fc.nat(), { maxLength: 4 }),
      (text, changes, cuts) => {
        const bytes = Buffer.from(text, 'latin1');
        for (const [position, byte] of changes) bytes[position % bytes.length] = byte;
        const sorted = cuts.map((cut) => cut % bytes.length).sort((a, b) => a - b);
        assert.equal(read(bytes, sorted), read(bytes, []));
      },
    ),
    { numRuns: 3000 },
  );
});

test('request head: a reader that has read a request reads the next one as if it were new', () => {
  const head = new RequestHead();
  for (const message of [...refused.map(([, text]) => text), ...accepted]) {
    const bytes = Buffer.from(message, 'latin1');
    head.begin();
    const progress = head.read(bytes, 0, bytes.length);
    const found = progress === 1 ? describe(head) : String(progress);
    assert.equal(withoutLeftovers(found), withoutLeftovers(read(bytes, [])), message);
  }
});

/** `hostStart` and the like mean nothing without a host. */
function withoutLeftovers(description: string): string {
  return description.replace(/"(hostStart|hostEnd)":0,/g, '');
}

test('request head: what the strict parser of Node refuses is refused', async (t) => {
  const server = http.createServer((_, response) => response.end());
  server.on('clientError', (_, socket) => socket.destroy());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const { port } = server.address() as net.AddressInfo;
  const isAcceptedByNode = async (bytes: Buffer): Promise<boolean> => {
    const socket = net.connect({ port, host: '127.0.0.1' });
    socket.on('error', () => {});
    let answer = '';
    socket.on('data', (data) => {
      answer += data.toString('latin1');
    });
    socket.end(bytes);
    await once(socket, 'close');
    return answer.startsWith('HTTP/1.1 200');
  };
  const texts = accepted.filter((text) => text.startsWith('GET') || text.startsWith('POST'));
  const property = fc.asyncProperty(
    fc.constantFrom(...texts),
    fc.nat(),
    fc.constantFrom(0, 9, 10, 13, 32, 58, 44, 48, 65, 97, 0x7f, 0x80),
    async (text, position, byte) => {
      const bytes = Buffer.from(text, 'latin1');
      // Node knows a closed list of methods, Ballast relays any: the method stays.
      const from = bytes.indexOf(' ');
      bytes[from + (position % (bytes.length - from))] = byte;
      if (!read(bytes, []).startsWith('{')) return;
      const body = /chunked/i.test(text) ? '0\r\n\r\n' : 'x'.repeat(12);
      assert(
        await isAcceptedByNode(Buffer.concat([bytes, Buffer.from(body)])),
        JSON.stringify(bytes.toString('latin1')),
      );
    },
  );
  await fc.assert(property, { numRuns: 400 });
});

test('request head: a head that comes byte by byte is read in linear time', () => {
  // Counting, not timing: a reader that goes on where it stopped looks at each byte once.
  const bytes = Buffer.from(`GET / HTTP/1.1\r\nHost: a\r\nX: ${'a'.repeat(16_000)}\r\n\r\n`);
  let looks = 0;
  const counting = new Proxy(bytes, {
    get: (target, key) => {
      if (typeof key === 'string' && /^\d+$/.test(key)) looks += 1;
      const value = Reflect.get(target, key);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const head = new RequestHead();
  head.begin();
  let progress: Progress = 0;
  for (let end = 1; end <= bytes.length; end += 1) progress = head.read(counting, 0, end);
  assert.equal(progress, 1);
  assert(looks < bytes.length * 5, `${looks} looks at ${bytes.length} bytes`);
});
