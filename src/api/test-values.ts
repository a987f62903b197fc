/** Random inputs and outputs by shape, for the tests that send each operation through a real client. */
import fc from 'fast-check';
import type { Shape } from './shapes.ts';

/** Any text that XML 1.0 can hold, but for blank lines alone: those the SDK's XML parser drops. */
const text = fc
  .string({ unit: 'binary', maxLength: 20 })
  .map((any) => any.toWellFormed().replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, ''))
  .filter((chosen) => chosen.trim() !== '' || !chosen.includes('\n'));

/**
 * A value of the shape as the SDK's clients take and give it. Structures inside are never empty: on the wire an empty
 * structure is no parameter at all.
 */
export function anyValue(shape: Shape, isInner = false): fc.Arbitrary<unknown> {
  switch (shape.kind) {
    case 'text':
      return text;
    case 'boolean':
      return fc.boolean();
    case 'number':
      return fc.integer();
    case 'timestamp':
      return fc.date({ noInvalidDate: true, min: new Date(0), max: new Date('9999-12-31T23:59:59.999Z') });
    case 'blob':
      return fc.uint8Array({ maxLength: 20 });
    case 'list':
      return fc.array(anyValue(shape.member(), true), { maxLength: 3 });
    case 'map':
      return fc.dictionary(text, anyValue(shape.value(), true), { minKeys: 1, maxKeys: 3, noNullPrototype: true });
    case 'structure': {
      const members = shape.members.map(({ name, shape: member }) => [name, anyValue(member(), true)]);
      const requiredKeys = shape.members.filter((member) => member.isRequired).map((member) => member.name);
      return fc
        .record(Object.fromEntries(members) as Record<string, fc.Arbitrary<unknown>>, {
          requiredKeys,
          noNullPrototype: true,
        })
        .filter((structure) => !isInner || shape.members.length === 0 || Object.keys(structure).length > 0);
    }
  }
}
