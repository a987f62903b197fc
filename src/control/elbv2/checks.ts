/**
 * The checks that many operations share. Each gives the fault that says which member, what was found and what is
 * allowed, or undefined when nothing is wrong.
 */
import { type Fault, fault } from '#model/fault.ts';

export interface Range {
  readonly min: number;
  readonly max: number;
}

export const portRange: Range = { min: 1, max: 65_535 };

const decimalPattern = /^(0|[1-9]\d{0,15})$/;

/** A caller's text in our own messages: cut, so that an answer is never much larger than what is said about it. */
export function shown(text: string): string {
  return text.length <= 256 ? text : `${text.slice(0, 256)}…`;
}

/** Refuses a number outside of the range, or one that is not whole. */
export function checkRange(member: string, value: number, { min, max }: Range): Fault | undefined {
  if (Number.isInteger(value) && value >= min && value <= max) return undefined;
  return fault('ValidationError', `${member} '${value}' must be between '${min}' and '${max}' inclusive`);
}

/** Refuses a text that is not one of the values. */
export function checkChoice(member: string, value: string, values: readonly string[]): Fault | undefined {
  if (values.includes(value)) return undefined;
  return fault('ValidationError', `${member} '${shown(value)}' must be one of '${values.join(', ')}'`);
}

/** Refuses a list that is empty or longer than allowed. */
export function checkCount(member: string, list: readonly unknown[], countMax: number): Fault | undefined {
  if (list.length >= 1 && list.length <= countMax) return undefined;
  return fault('ValidationError', `${member} has ${list.length} entries; it must have between 1 and ${countMax}`);
}

/** Says that AWS knows the value and that Ballast does not offer it. */
export function notOffered(member: string, value: string, offered: string): Fault {
  return fault(
    'InvalidConfigurationRequest',
    `${member} '${shown(value)}' is not offered by this version of Ballast; '${offered}' is`,
  );
}

/** Refuses a text that is not the number of a port. */
export function checkPortText(member: string, text: string): Fault | undefined {
  const port = parseDecimal(text) ?? 0;
  if (port >= portRange.min && port <= portRange.max) return undefined;
  return fault('ValidationError', `${member} '${shown(text)}' must be between '1' and '65535' inclusive`);
}

/** Reads a decimal number written the one way it can be: no sign, no leading zeros; undefined for anything else. */
export function parseDecimal(text: string): number | undefined {
  return decimalPattern.test(text) ? Number(text) : undefined;
}
