/**
 * The characters with which every text begins in which a regular expression is found. It may say less than it could:
 * empty when it does not begin with `^`, or has alternatives.
 */
export function literalPrefix(source: string): string {
  if (!source.startsWith('^') || source.includes('|')) return '';
  let prefix = '';
  let at = 1;
  for (; at < source.length; at += 1) {
    const character = source[at]!;
    const next = source[at + 1] ?? '';
    if (character === '\\' && /[^A-Za-z0-9]/.test(next)) {
      prefix += next;
      at += 1;
    } else if (/[A-Za-z0-9/_~%=&,:;@!'"<> -]/.test(character)) {
      prefix += character;
    } else {
      break;
    }
  }
  // What may come any number of times need not be there.
  return /[?*{+]/.test(source[at] ?? '') ? prefix.slice(0, -1) : prefix;
}
