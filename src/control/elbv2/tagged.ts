/** The resources of a call about tags, which may be of any kind, and the changes that give them other tags. */
import { accept, type Result, refuse } from '#base/result.ts';
import type { OperationContext } from '#control/operation.ts';
import { type Change, put } from '#model/change.ts';
import type { Entry, Tag } from '#model/documents.ts';
import type { Fault } from '#model/fault.ts';
import type { View } from '#model/view.ts';
import { type ArnKind, findTaggedByArn } from './arns.ts';
import { checkCount } from './checks.ts';
import { quotas } from './quotas.ts';

/** The resources by their ARNs, each once, in the order of the request; refuses when one of them is not there. */
export function findTagged(
  view: View,
  arns: readonly string[],
  context: OperationContext,
): Result<ReadonlyMap<string, Entry<ArnKind>>, Fault> {
  const wrong = checkCount('ResourceArns', arns, quotas.resourcesPerCall);
  if (wrong !== undefined) return refuse(wrong);
  const found = new Map<string, Entry<ArnKind>>();
  for (const arn of arns) {
    const entry = findTaggedByArn(view, arn, context);
    if (!entry.ok) return entry;
    found.set(arn, entry.value);
  }
  return accept(found);
}

/** The change that gives the resource these tags; none when it has them. */
export function putTags(view: View, entry: Entry<ArnKind>, tags: readonly Tag[]): readonly Change[] {
  const present = entry.document.tags;
  const same =
    present.length === tags.length &&
    present.every(({ key, value }, index) => key === tags[index]!.key && value === tags[index]!.value);
  return same ? [] : [put(view, entry.kind, entry.id, { ...entry.document, tags })];
}
