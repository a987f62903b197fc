/**
 * Undelete: brings a deleted resource back as it was: same ARN, id, DNS name and addresses, with its listeners, rules
 * and registrations, and with the target groups that its rules forward to and that are gone as well.
 *
 * Tools take things apart from the outside in: `terraform destroy` first deregisters the targets, then deletes the
 * listeners, then the load balancer. Who undeletes the load balancer wants it whole. So where it had no listener left,
 * those come back that the same principal deleted within the hour before; and likewise the targets of a target group.
 */
import { accept, type Result, refuse } from '#base/result.ts';
import type { History } from '#journal/history.ts';
import type { TransactionHeader } from '#model/change.ts';
import type { Documents, HexId } from '#model/documents.ts';
import { KeyMap } from '#model/key-map.ts';
import type { Moment } from '#model/moment.ts';
import { isEmpty, type View } from '#model/view.ts';
import { carryOut, type PlanAnswer, type TimeTravel } from './carry-out.ts';
import { missingGroups } from './families.ts';
import type { Wanted } from './plan.ts';
import { familyOf, findResource, openHistory, type Refusal, type Resource } from './scope.ts';

/** Within so long before its deletion, a resource was taken apart by whoever deleted it. */
const takingApartMs = 3_600_000;

export interface UndeleteRequest {
  readonly arn: string;
  /** As it was then; as it was last when not given. */
  readonly at?: Moment;
  readonly dryRun?: boolean;
  readonly reason?: string;
}

/** What is read from the past, and what was found on the way. */
interface Reading {
  readonly history: History;
  readonly view: View;
  readonly wanted: KeyMap<Wanted>;
  readonly notes: string[];
}

/** Refuses what is there (409), what is not known (404), and what lacks the parent that it belongs to (409). */
export async function undelete(travel: TimeTravel, request: UndeleteRequest): Promise<PlanAnswer> {
  const { journal, region } = travel;
  const { arn, at, dryRun, reason } = request;
  const opened = await openHistory(journal);
  if (!opened.ok) return opened;
  const history = opened.value;
  const resource = findResource(history, arn, region);
  if (!resource.ok) return resource;
  const reading: Reading = { history, view: journal.view, wanted: new KeyMap(), notes: [] };
  const found = at === undefined ? readLast(reading, arn, resource.value) : readAt(reading, arn, resource.value, at);
  if (!found.ok) return found;
  const orphan = refuseOrphan(reading, resource.value);
  if (orphan !== undefined) return refuse({ status: 409, error: orphan });
  for (const group of [...missingGroups(reading.view, reading.wanted)]) {
    const deletion = deletionOf(history, 'target-group', group);
    if (deletion === undefined) continue;
    readDeleted(reading, { kind: 'target-group', id: group }, deletion);
    reading.notes.push(`Target group ${nameOf(reading, group)} was deleted too, and comes back with it.`);
  }
  const { wanted, notes } = reading;
  const errand = {
    action: 'Undelete',
    title: `undelete of ${arn}`,
    reason,
    dryRun,
    notes,
    wanted: [...wanted.values()],
  } as const;
  return (await carryOut(travel, history, errand))!;
}

function readLast(reading: Reading, arn: string, resource: Resource): Result<undefined, Refusal> {
  const deletion = deletionOf(reading.history, resource.kind, resource.id);
  if (deletion === undefined) return refuse({ status: 409, error: `${arn} is there: nothing to undelete` });
  readDeleted(reading, resource, deletion);
  return accept(undefined);
}

function readAt(reading: Reading, arn: string, { kind, id }: Resource, at: Moment): Result<undefined, Refusal> {
  const { history, view } = reading;
  if (view.get(kind, id) !== undefined) return refuse({ status: 409, error: `${arn} is there: nothing to undelete` });
  const revision = history.revisionAt(at);
  if (!revision.ok) return refuse({ status: 404, error: revision.fault });
  if (history.documentAt(kind, id, revision.value) === undefined) {
    return refuse({ status: 404, error: `${arn} was not there at revision ${revision.value}` });
  }
  readFamily(reading, { kind, id }, revision.value);
  return accept(undefined);
}

/** The transaction that deleted the resource; undefined when it is there. */
function deletionOf(history: History, kind: Resource['kind'], id: HexId): TransactionHeader | undefined {
  for (const { revision, document } of history.versionsOf(kind, id)) {
    return document === null ? history.header(revision) : undefined;
  }
  return undefined;
}

function readDeleted(reading: Reading, resource: Pick<Resource, 'kind' | 'id'>, deletion: TransactionHeader): void {
  readFamily(reading, resource, deletion.revision - 1);
  if (resource.kind === 'load-balancer') readListenersBefore(reading, resource.id, deletion);
  if (resource.kind === 'target-group') readTargetsBefore(reading, resource.id, deletion);
}

/** What belonged to the resource at the revision and is not there now; not what was on its way out. */
function readFamily(
  { history, view, wanted }: Reading,
  resource: Pick<Resource, 'kind' | 'id'>,
  revision: number,
): void {
  for (const { kind, id } of familyOf(history, resource)) {
    const document = history.documentAt(kind, id, revision)?.document;
    if (document === undefined || view.get(kind, id) !== undefined) continue;
    if (kind === 'target' && (document as Documents['target']).state.kind === 'draining') continue;
    wanted.set({ kind, id, base: document, theirs: null });
  }
}

function readListenersBefore(reading: Reading, loadBalancerId: HexId, deletion: TransactionHeader): void {
  const { history, wanted, notes } = reading;
  if (!isEmpty(wanted.valuesOf('listener'))) return;
  for (const id of history.everFound('listenersOfLoadBalancer', loadBalancerId)) {
    const end = deletionOf(history, 'listener', id);
    if (end !== undefined && isTakingApart(end, deletion))
      readFamily(reading, { kind: 'listener', id }, end.revision - 1);
  }
  const count = [...wanted.valuesOf('listener')].length;
  if (count > 0) {
    notes.push(
      `${count === 1 ? 'Its listener was' : `${count} listeners were`} deleted shortly before it, and ${comeBack(count)} with it.`,
    );
  }
}

function readTargetsBefore(
  { history, wanted, notes }: Reading,
  targetGroupId: HexId,
  deletion: TransactionHeader,
): void {
  const ids = [...history.everFound('targetsOfTargetGroup', targetGroupId)];
  if (ids.some((id) => wanted.has('target', id))) return;
  let count = 0;
  for (const id of ids) {
    // From the newest version on: the one after a registered version is what ended the registration.
    let end: TransactionHeader | undefined;
    for (const { revision, document } of history.versionsOf('target', id)) {
      if (document?.state.kind !== 'registered') {
        end = history.header(revision);
        continue;
      }
      if (end !== undefined && isTakingApart(end, deletion)) {
        wanted.set({ kind: 'target', id, base: document, theirs: null });
        count += 1;
      }
      break;
    }
  }
  if (count > 0) {
    notes.push(
      `${count === 1 ? 'A target' : `${count} targets`} deregistered shortly before the group was deleted ${comeBack(count)} with it.`,
    );
  }
}

function isTakingApart(step: TransactionHeader, deletion: TransactionHeader): boolean {
  return (
    step.cause.principal === deletion.cause.principal &&
    step.revision <= deletion.revision &&
    step.timeMs >= deletion.timeMs - takingApartMs
  );
}

function refuseOrphan({ view, wanted }: Reading, { kind, id }: Resource): string | undefined {
  const base = wanted.get(kind, id)?.base;
  if (kind === 'listener') {
    const { loadBalancerId } = base as Documents['listener'];
    if (view.get('load-balancer', loadBalancerId) === undefined) {
      return `its load balancer ${loadBalancerId} is deleted as well: undelete that, and its listeners come back with it`;
    }
  }
  if (kind === 'rule') {
    const { listenerId } = base as Documents['rule'];
    if (view.get('listener', listenerId) === undefined) {
      return `its listener ${listenerId} is deleted as well: undelete that, and its rules come back with it`;
    }
  }
  return undefined;
}

function comeBack(count: number): string {
  return count === 1 ? 'comes back' : 'come back';
}

function nameOf({ wanted }: Reading, targetGroupId: HexId): string {
  const { account, name } = wanted.get('target-group', targetGroupId)!.base as Documents['target-group'];
  return `${account}/${name}`;
}
