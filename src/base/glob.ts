/** Patterns in which `*` stands for any characters and `?` for exactly one, compared with the whole of a text. */

export type Matches = (text: string) => boolean;

const any = -1;
const one = -2;

/** `isEscaping`: a backslash makes the character behind it mean itself. */
export function compileGlob(pattern: string, { isEscaping = false }: { readonly isEscaping?: boolean } = {}): Matches {
  const { codes, literal } = parse(pattern, isEscaping);
  const anyCount = codes.filter((code) => code === any).length;
  const hasOne = codes.includes(one);
  if (anyCount === 0 && !hasOne) return (text) => text === literal;
  if (anyCount === 1 && !hasOne) {
    const at = codes.indexOf(any);
    const [start, end] = [literal.slice(0, at), literal.slice(at)];
    return (text) => text.length >= literal.length && text.startsWith(start) && text.endsWith(end);
  }
  return (text) => matches(codes, text);
}

/** The pattern as character codes and wildcards; `literal` is what it is without its wildcards. */
function parse(pattern: string, isEscaping: boolean): { readonly codes: readonly number[]; readonly literal: string } {
  const codes: number[] = [];
  let literal = '';
  for (let at = 0; at < pattern.length; at += 1) {
    let character = pattern[at]!;
    if (character === '*') {
      if (codes.at(-1) !== any) codes.push(any);
      continue;
    }
    if (character === '?') {
      codes.push(one);
      continue;
    }
    if (isEscaping && character === '\\' && at + 1 < pattern.length) {
      at += 1;
      character = pattern[at]!;
    }
    codes.push(character.charCodeAt(0));
    literal += character;
  }
  return { codes, literal };
}

/** Only the last `*` is ever gone back to, so it takes at most the product of both lengths. */
function matches(codes: readonly number[], text: string): boolean {
  let at = 0;
  let inText = 0;
  let lastAny = -1;
  let resumeAt = 0;
  while (inText < text.length) {
    const code = codes[at];
    if (code === any) {
      lastAny = at;
      resumeAt = inText;
      at += 1;
    } else if (code === one || code === text.charCodeAt(inText)) {
      at += 1;
      inText += 1;
    } else if (lastAny !== -1) {
      at = lastAny + 1;
      resumeAt += 1;
      inText = resumeAt;
    } else {
      return false;
    }
  }
  while (codes[at] === any) at += 1;
  return at === codes.length;
}
