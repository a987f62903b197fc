/**
 * Reads what a request to the operator API says, from a query or from a JSON body: every member by its own parser,
 * nothing that is not known, and refusals that name the member, what was found and what is allowed.
 */
import { accept, type Result, refuse } from '#base/result.ts';
import { isKind, type Kind, kinds } from '#model/documents.ts';
import { type KeepChoice, keepChoices } from '#model/history.ts';
import { type Moment, parseMoment } from '#model/moment.ts';

const textLengthMax = 1_000;
const longTextLengthMax = 4_000;
const listLengthMax = 1_000;

/** Reads one value; refuses with what is allowed. */
export type Parse<Value> = (given: unknown) => Result<Value, string>;

interface Member {
  readonly parse: Parse<unknown>;
  readonly isRequired?: true;
}

export type Members = Readonly<Record<string, Member>>;

/** What the members come to; those that need not be there may be missing. */
export type ValuesOf<M extends Members> = {
  readonly [Name in keyof M as M[Name] extends { isRequired: true } ? Name : never]: ValueOf<M[Name]>;
} & {
  readonly [Name in keyof M as M[Name] extends { isRequired: true } ? never : Name]?: ValueOf<M[Name]>;
};

type ValueOf<M extends Member> = M extends { parse: Parse<infer Value> } ? Value : never;

/** Refuses, in one sentence, the first member that is wrong, missing or not known. */
export function readMembers<M extends Members>(
  members: M,
  given: Iterable<readonly [name: string, value: unknown]>,
): Result<ValuesOf<M>, string> {
  const values: Record<string, unknown> = {};
  for (const [name, value] of given) {
    if (!Object.hasOwn(members, name)) {
      return refuse(`there is no '${cut(name)}'; allowed: ${Object.keys(members).join(', ') || 'nothing'}`);
    }
    const read = members[name]!.parse(value);
    if (!read.ok) return refuse(`${name}: found ${cut(JSON.stringify(value) ?? 'nothing')}; allowed: ${read.fault}`);
    values[name] = read.value;
  }
  const missing = Object.keys(members).find((name) => members[name]!.isRequired && !Object.hasOwn(values, name));
  return missing === undefined ? accept(values as ValuesOf<M>) : refuse(`${missing} is missing`);
}

/** The parameters of a query; a name that comes several times has the list of its values. */
export function queryMembers(query: string): Result<readonly (readonly [string, unknown])[], string> {
  const found = new Map<string, string | string[]>();
  for (const [name, value] of new URLSearchParams(query)) {
    const known = found.get(name);
    if (known === undefined) found.set(name, value);
    else found.set(name, [...(Array.isArray(known) ? known : [known]), value]);
  }
  return found.size > listLengthMax ? refuse('too many parameters') : accept([...found]);
}

/** The members of a JSON object. */
export function bodyMembers(body: string): Result<readonly (readonly [string, unknown])[], string> {
  try {
    const value: unknown = JSON.parse(body === '' ? '{}' : body);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return accept(Object.entries(value));
  } catch {
    // Said below.
  }
  return refuse('the body must be one JSON object');
}

export const text: Parse<string> = (given) =>
  typeof given === 'string' && given.length > 0 && given.length <= textLengthMax
    ? accept(given)
    : refuse(`a text of 1 to ${textLengthMax} characters`);

/** A text that holds other texts. */
export const longText: Parse<string> = (given) =>
  typeof given === 'string' && given.length > 0 && given.length <= longTextLengthMax
    ? accept(given)
    : refuse(`a text of 1 to ${longTextLengthMax} characters`);

/** One, or several. */
export const texts: Parse<readonly string[]> = (given) => {
  const list = Array.isArray(given) ? given : [given];
  const isRight = list.length > 0 && list.length <= listLengthMax && list.every((each) => text(each).ok);
  return isRight ? accept(list as string[]) : refuse(`1 to ${listLengthMax} texts`);
};

export const kind: Parse<Kind> = (given) => (isKind(given) ? accept(given) : refuse(kinds.join(', ')));

export const truth: Parse<boolean> = (given) => (typeof given === 'boolean' ? accept(given) : refuse('true or false'));

/** A whole number from `min` on: as itself in JSON, as its digits in a query. */
export function wholeNumber(min: number): Parse<number> {
  return (given) => {
    const number = typeof given === 'string' && /^\d{1,15}$/.test(given) ? Number(given) : given;
    return typeof number === 'number' && Number.isSafeInteger(number) && number >= min
      ? accept(number)
      : refuse(`a whole number from ${min} on`);
  };
}

export function moment(nowMs: () => number): Parse<Moment> {
  return (given) => {
    const read = parseMoment(typeof given === 'string' ? given : '', nowMs());
    return read.ok ? read : refuse(read.fault.slice(read.fault.indexOf('allowed: ') + 'allowed: '.length));
  };
}

export const keep: Parse<KeepChoice> = (given) =>
  keepChoices.includes(given as KeepChoice) ? accept(given as KeepChoice) : refuse(keepChoices.join(', '));

/** `{"KIND/ID": "ours", …}` */
export const keepByKey: Parse<ReadonlyMap<string, KeepChoice>> = (given) => {
  const allowed = `an object of at most ${listLengthMax} members, as {"listener/ID": "ours"}: ${keepChoices.join(', ')}`;
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return refuse(allowed);
  const entries = Object.entries(given);
  const isRight = entries.length <= listLengthMax && entries.every(([, choice]) => keep(choice).ok);
  return isRight ? accept(new Map(entries as [string, KeepChoice][])) : refuse(allowed);
};

/** `{"NAME": "TEXT", …}` */
export const textsByName: Parse<Readonly<Record<string, string>>> = (given) => {
  const allowed = `an object of at most ${listLengthMax} texts`;
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return refuse(allowed);
  const entries = Object.entries(given);
  const isRight = entries.length <= listLengthMax && entries.every(([, value]) => text(value).ok);
  return isRight ? accept(Object.fromEntries(entries) as Record<string, string>) : refuse(allowed);
};

function cut(shown: string): string {
  return shown.length <= 200 ? shown : `${shown.slice(0, 200)}…`;
}
