/**
 * Whether somebody's word covers what is to be done. Pure, and the same in the journal's commit path and in every node:
 * a control plane that takes something for approved has to show it.
 */
import { type Certificate, isSignedBy, type Place, parseStatement, type Statement } from '#model/approval.ts';
import type { Cause } from '#model/change.ts';
import type { OperatorDocument, OperatorRight } from '#model/documents.ts';
import type { View } from '#model/view.ts';

/** What needs somebody's word. */
export interface Matter {
  readonly cause: Pick<Cause, 'principal' | 'channel'>;
  /** Of the changes or the plan; undefined where only a part of the changes is known, as on a node. */
  readonly digest: string | undefined;
  readonly right: OperatorRight;
  readonly atMs: number;
}

export interface Approval {
  readonly certificate: Certificate;
  readonly statement: Statement;
}

/** The principal that an operator acts as. */
export function operatorPrincipal(name: string): string {
  return `operator/${name}`;
}

/** What is asked for with the region's own key comes from nobody by name. */
export const namelessOperator = 'operator';

/** How many must approve what this principal asked for: two different people stand behind everything that is done. */
export function approvalsNeeded(principal: string): number {
  return principal === namelessOperator ? 2 : 1;
}

/** The approval, when it is one; else the reason why it is worth nothing, in a sentence. */
export function readApproval(
  view: View,
  certificate: Certificate,
  place: Place,
  right: OperatorRight,
): Approval | { readonly why: string } {
  const parsed = parseStatement(certificate.statement);
  if (!parsed.ok) return { why: parsed.fault };
  const statement = parsed.value;
  for (const part of ['environment', 'region', 'storeId'] as const) {
    if (statement[part] === place[part]) continue;
    const name = part === 'storeId' ? 'store' : part;
    return { why: `the approval is for ${name} '${statement[part]}', and this is '${place[part]}'` };
  }
  const operator: OperatorDocument | undefined = view.get('operator', statement.approver);
  if (operator === undefined) return { why: `there is no operator '${statement.approver}'` };
  if (!isSignedBy(certificate, operator)) return { why: `the approval is not signed by ${statement.approver}'s key` };
  if (!operator.rights.includes(right)) return { why: `${statement.approver} does not have the right '${right}'` };
  return { certificate, statement };
}

/** Why the approval does not cover the matter, in a sentence; undefined when it does. */
export function whyNotCovered({ statement }: Approval, { cause, digest, atMs }: Matter): string | undefined {
  const { approver, covers, notBeforeMs, notAfterMs } = statement;
  if (operatorPrincipal(approver) === cause.principal) return `${approver} asked for it, and nobody approves their own`;
  if (atMs < notBeforeMs) return 'the approval does not hold yet';
  if (atMs > notAfterMs) return 'the approval does not hold any more';
  if (covers.kind === 'digest') {
    return digest === undefined || covers.digest === digest ? undefined : 'the approval is for other changes';
  }
  if (covers.channel !== cause.channel) return `the approval is for the channel ${covers.channel}`;
  const isOfPrincipal = covers.principal.endsWith('/*')
    ? cause.principal.startsWith(covers.principal.slice(0, -1))
    : covers.principal === cause.principal;
  return isOfPrincipal ? undefined : `the approval is for what ${covers.principal} does`;
}

/** Those of the approvals that count together: of different people, up to as many as are needed. */
export function together(approvals: readonly Approval[], count: number): readonly Approval[] | undefined {
  const byApprover = new Map<string, Approval>();
  for (const each of approvals) {
    if (!byApprover.has(each.statement.approver)) byApprover.set(each.statement.approver, each);
  }
  const found = [...byApprover.values()].slice(0, count);
  return found.length === count ? found : undefined;
}
