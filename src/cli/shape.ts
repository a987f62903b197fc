/**
 * Whether what answered has the shape that this version knows: it may be another program, or another version. Members
 * beyond those that are named may be there.
 */

export type Check = (value: unknown) => boolean;

export const text: Check = (value) => typeof value === 'string';
export const count: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
export const amount: Check = (value) => typeof value === 'number';
export const truth: Check = (value) => typeof value === 'boolean';
export const anything: Check = () => true;

export function oneOf(...words: readonly string[]): Check {
  return (value) => words.includes(value as string);
}

export function optional(check: Check): Check {
  return (value) => value === undefined || check(value);
}

export function listOf(check: Check): Check {
  return (value) => Array.isArray(value) && value.every(check);
}

/** An object whose members, whatever their names, are all like this. */
export function recordOf(check: Check): Check {
  return (value) => isObject(value) && Object.values(value).every(check);
}

/** An object with these members. Every member of `T` must be named, so that none is used unchecked. */
export function objectOf<T>(
  members: {
    readonly [Name in keyof T]-?: Check;
  },
): (value: unknown) => value is T {
  const checks = Object.entries<Check>(members);
  return (value): value is T => isObject(value) && checks.every(([name, check]) => check(value[name]));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
