/**
 * Text of others on our terminal. What a server, or whoever named a resource there, can write must not move the cursor,
 * set colours or turn the reading direction: such characters are shown as `\u001b`, which is what JSON calls them too.
 */

/** Deeper than anything that the operator API answers; what is deeper is not shown. */
const depthMax = 32;

/** Controls (C0, DEL, C1), format characters (direction, joiners, byte order mark), line and paragraph separators. */
const unprintable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** The text with everything escaped that is no visible character. */
export function printable(text: string): string {
  return text.replace(unprintable, escapeCharacter);
}

/** JSON text stays JSON of the same value; its line breaks and blanks stay what they are. */
export function printableJson(text: string): string {
  return text.replace(unprintable, (character) => (character === '\n' ? character : escapeCharacter(character)));
}

/** A copy of what JSON.parse gave, all of whose texts are printable. */
export function printableValue(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return printable(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth === depthMax) return '…';
  if (Array.isArray(value)) return value.map((each) => printableValue(each, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([name, part]) => [printable(name), printableValue(part, depth + 1)]),
  );
}

/** Whether there is more in a value than these functions, or JSON.stringify, can walk through. */
export function isDeep(value: unknown, depth = 0): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return depth === depthMax || Object.values(value).some((part) => isDeep(part, depth + 1));
}

function escapeCharacter(character: string): string {
  return Array.from({ length: character.length }, (_, index) => {
    const unit = character.charCodeAt(index);
    return `\\u${unit.toString(16).padStart(4, '0')}`;
  }).join('');
}
