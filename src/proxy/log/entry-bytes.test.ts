import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { EntryBytes } from './entry-bytes.ts';

const shown = ({ bytes, length }: EntryBytes) => bytes.toString('latin1', 0, length);

test('entry bytes: whatever a stranger sends ends neither its field nor its line, and can be read back', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 3_000 }), (source) => {
      const entry = new EntryBytes().text('"').escaped(Buffer.from(source), 0, source.length).text('"');
      assert.match(shown(entry), /^"[ !#-~]*"$/);
      const back = shown(entry)
        .slice(1, -1)
        .replace(/\\x([0-9a-f]{2})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
      assert.equal(back, Buffer.from(source).toString('latin1'));
      const text = new EntryBytes().escapedText(Buffer.from(source).toString('latin1'));
      assert.equal(shown(text), shown(entry).slice(1, -1));
    }),
  );
});

test('entry bytes: times have the forms that logs give them', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 4e12 }), fc.double({ min: 0, max: 1e7, noNaN: true }), (atMs, durationMs) => {
      assert.equal(shown(new EntryBytes().moment(atMs)), new Date(atMs).toISOString().replace('Z', '000Z'));
      assert.equal(shown(new EntryBytes().seconds(durationMs)), (Math.round(durationMs) / 1_000).toFixed(3));
    }),
  );
  assert.equal(shown(new EntryBytes().seconds(-1)), '0.000', 'a clock that was read too early');
});

test('entry bytes: parts of another entry are taken over as they are', () => {
  const source = new EntryBytes().text('abc').escapedText('"');
  assert.equal(shown(new EntryBytes().number(7).copy(source, 1, source.length).number(42)), '7bc\\x2242');
});
