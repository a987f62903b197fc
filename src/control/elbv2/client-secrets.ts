/** The sealed client secret of a rule: a new one, the one that it has, or none when no action needs one. */
import { accept, type Result, refuse } from '#base/result.ts';
import type { OperationContext } from '#control/operation.ts';
import type { HexId, RuleDocument } from '#model/documents.ts';
import { type Fault, fault } from '#model/fault.ts';
import type { ClientSecret } from './authenticate-actions.ts';

type Sealed = Pick<RuleDocument, 'sealedClientSecret'>;

/** What the rule's document holds of it. Refuses to use one that is not there. */
export function sealClientSecret(
  ruleId: HexId,
  secret: ClientSecret | undefined,
  present: Sealed,
  context: OperationContext,
): Result<Sealed, Fault> {
  if (secret === undefined) return accept({});
  if (secret.kind === 'given') return accept({ sealedClientSecret: context.seal(secret.secret, ruleId) });
  const { sealedClientSecret } = present;
  if (sealedClientSecret !== undefined) return accept({ sealedClientSecret });
  const message = 'UseExistingClientSecret: the rule has no client secret yet; ClientSecret must be specified';
  return refuse(fault('InvalidLoadBalancerAction', message));
}
