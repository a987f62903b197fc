/** The lines of the operator API about the past, each checked for the shape that this version knows. */

import { anything, type Check, count, listOf, objectOf, oneOf, optional, recordOf, text, truth } from '#cli/shape.ts';
import type {
  BlameHeader,
  BlameLine,
  Conflict,
  DiffHeader,
  FoldEntry,
  LogEntry,
  MemberChange,
  PlanCounts,
  PlanLine,
  PlanResult,
  ResourceChange,
  RetentionLine,
  RetentionProgress,
  RetentionResult,
} from '#model/history.ts';

/** A reader gives a line its type, or undefined when it is none of those that are expected. */
export type ReadLine<Line> = (value: unknown) => Line | undefined;

// Kinds, channels and reasons of conflicts are only shown: ones that this version does not know yet are welcome.
const resourceName = { kind: text, id: text, label: text, arn: optional(text) };

const isLogEntry = objectOf<LogEntry>({
  type: oneOf('transaction'),
  revision: count,
  time: text,
  principal: text,
  channel: text,
  action: text,
  requestId: text,
  reason: optional(text),
  summary: text,
  harmed: count,
  changes: count,
});

const isResourceChange = objectOf<ResourceChange>({
  type: oneOf('change'),
  ...resourceName,
  did: oneOf('added', 'removed', 'changed'),
  members: listOf(objectOf<MemberChange>({ member: text, before: anything, after: anything })),
});

const point: Check = objectOf<DiffHeader['from']>({ revision: count, time: text });
const isDiffHeader = objectOf<DiffHeader>({ type: oneOf('diff'), from: point, to: point });

const isBlameHeader = objectOf<BlameHeader>({
  type: oneOf('blame'),
  ...resourceName,
  present: truth,
  deletedBy: optional(isLogEntry),
});

const isBlameLine = objectOf<BlameLine>({
  type: oneOf('member'),
  member: text,
  value: anything,
  setBy: objectOf<BlameLine['setBy']>({ revision: count, time: text, principal: text, channel: text, action: text }),
});

const isConflict = objectOf<Conflict>({
  type: oneOf('conflict'),
  ...resourceName,
  why: text,
  explanation: text,
  key: text,
  members: listOf(text),
  base: anything,
  theirs: anything,
  ours: anything,
});

const isPlanResult = objectOf<PlanResult>({
  type: oneOf('plan'),
  done: truth,
  revision: optional(count),
  counts: recordOf(objectOf<PlanCounts>({ putBack: count, takenOut: count, changed: count })),
  conflicts: count,
  harmed: count,
  notes: listOf(text),
});

const isFoldEntry = objectOf<FoldEntry>({
  type: oneOf('fold'),
  from: count,
  to: count,
  firstDay: text,
  lastDay: text,
  changes: count,
  state: oneOf('planned', 'done', 'unfinished'),
});

const isRetentionProgress = objectOf<RetentionProgress>({
  type: oneOf('progress'),
  done: count,
  total: count,
  unit: text,
});

const isRetentionResult = objectOf<RetentionResult>({
  type: oneOf('result'),
  done: truth,
  revisions: listOf(count),
});

export const readLogLine: ReadLine<LogEntry> = reader(isLogEntry);
export const readShowLine: ReadLine<LogEntry | ResourceChange> = reader(isLogEntry, isResourceChange);
export const readDiffLine: ReadLine<DiffHeader | ResourceChange> = reader(isDiffHeader, isResourceChange);
export const readBlameLine: ReadLine<BlameHeader | BlameLine> = reader(isBlameHeader, isBlameLine);
export const readPlanLine: ReadLine<PlanLine> = reader(isResourceChange, isConflict, isPlanResult);

export const readRetentionLine: ReadLine<RetentionLine> = reader(isFoldEntry, isRetentionProgress, isRetentionResult);

type Guard<Line> = (value: unknown) => value is Line;

function reader<A, B = never, C = never>(...guards: readonly [Guard<A>, Guard<B>?, Guard<C>?]): ReadLine<A | B | C> {
  return (value) => (guards.some((guard) => guard?.(value)) ? (value as A | B | C) : undefined);
}
