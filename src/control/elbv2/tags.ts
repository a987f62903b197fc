/**
 * Tags: what may be one, and how they are added and removed. The order of insertion is kept; a new value for a key
 * that is there takes its place and does not count against the limit.
 * Source: "Tag" in the ELB API reference and "Tag your AWS resources": restrictions.
 */
import type { Tag as SdkTag } from '@aws-sdk/client-elastic-load-balancing-v2';
import { accept, type Result, refuse } from '#base/result.ts';
import type { Tag } from '#model/documents.ts';
import { type Fault, fault } from '#model/fault.ts';
import { shown } from './checks.ts';
import { quotas } from './quotas.ts';
import type { Decoded } from './shape.ts';

const keyLengthMax = 128;
const valueLengthMax = 256;
const tagPattern = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;

/** The tags of a new resource; none when the caller names none. */
export function decodeTags(tags: readonly Decoded<SdkTag>[] | undefined): Result<readonly Tag[], Fault> {
  return tags === undefined ? accept([]) : addTags([], tags);
}

/** The tags of a resource after adding some. */
export function addTags(present: readonly Tag[], added: readonly Decoded<SdkTag>[]): Result<readonly Tag[], Fault> {
  if (added.length === 0) return refuse(fault('ValidationError', 'Tags is empty; at least one tag must be specified'));
  if (new Set(added.map((tag) => tag.Key)).size < added.length) {
    return refuse(fault('DuplicateTagKeys', 'A tag key was specified more than once'));
  }
  const values = new Map(present.map(({ key, value }) => [key, value]));
  for (const { Key: key, Value: value = '' } of added) {
    const wrong = checkTag(key, value);
    if (wrong !== undefined) return refuse(wrong);
    values.set(key, value);
  }
  if (values.size > quotas.tagsPerResource) {
    const { tagsPerResource } = quotas;
    return refuse(fault('TooManyTags', `A resource would have ${values.size} tags; the limit is ${tagsPerResource}`));
  }
  return accept([...values].map(([key, value]) => ({ key, value })));
}

/** The tags of a resource without the named ones; a key that is not there is no error. */
export function removeTags(present: readonly Tag[], keys: readonly string[]): readonly Tag[] {
  return present.filter(({ key }) => !keys.includes(key));
}

export function encodeTags(tags: readonly Tag[]): SdkTag[] {
  return tags.map(({ key, value }) => ({ Key: key, Value: value }));
}

function checkTag(key: string, value: string): Fault | undefined {
  const keyLength = lengthOf(key);
  if (keyLength < 1 || keyLength > keyLengthMax) {
    return fault('ValidationError', `Tag key '${shown(key)}' must be 1 to ${keyLengthMax} characters long`);
  }
  if (lengthOf(value) > valueLengthMax) {
    return fault('ValidationError', `The value of tag '${key}' must be at most ${valueLengthMax} characters long`);
  }
  if (key.toLowerCase().startsWith('aws:')) {
    return fault('ValidationError', `Tag key '${key}' must not start with 'aws:', which is reserved`);
  }
  if (tagPattern.test(key) && tagPattern.test(value)) return undefined;
  return fault(
    'ValidationError',
    `Tag '${key}' = '${value}' may only hold letters, digits, spaces and the characters _ . : / = + - @`,
  );
}

/** In Unicode characters, as the API counts them. */
function lengthOf(text: string): number {
  return [...text].length;
}
