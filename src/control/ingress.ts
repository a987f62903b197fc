/**
 * Who may connect to a load balancer, by the rules that the operator's inventory gives its security groups. It is kept
 * with the load balancer, so that nodes enforce it without asking anybody, and so that the history shows who was let in
 * when.
 */
import { isDeepStrictEqual } from 'node:util';
import { type Change, put } from '#model/change.ts';
import type { Entry, IngressRule } from '#model/documents.ts';
import type { View } from '#model/view.ts';
import type { Network } from './network.ts';

/** Bounds one transaction; whoever follows the network calls again until nothing is left to change. */
const changesPerTransactionMax = 1_000;

/**
 * What these security groups let in together. Undefined, which is everybody: there are none, or nobody has said what
 * the rules of one of them are.
 */
export function ingressOf(network: Network, securityGroups: readonly string[]): readonly IngressRule[] | undefined {
  const groups = securityGroups.map((id) => network.securityGroups.get(id)?.ingress);
  if (groups.length === 0 || groups.includes(undefined)) return undefined;
  return groups
    .flatMap((rules) => rules ?? [])
    .filter(({ protocol }) => protocol === 'tcp' || protocol === 'all')
    .map(({ fromPort, toPort, cidrs }) => ({ fromPort, toPort, cidrs }));
}

/**
 * Changes for the load balancers that let in others than the network says, so many at most. Where it does not have one
 * of their groups, or not any more, they stay as they are: absence opens no door.
 */
export function followNetwork(view: View, network: Network): readonly Change[] {
  const changes: Change[] = [];
  for (const { id, document } of view.all('load-balancer') as Iterable<Entry<'load-balancer'>>) {
    if (!document.securityGroups.every((group) => network.securityGroups.has(group))) continue;
    const { ingress: before, ...rest } = document;
    const ingress = ingressOf(network, document.securityGroups);
    if (isDeepStrictEqual(before, ingress)) continue;
    changes.push(put(view, 'load-balancer', id, ingress === undefined ? rest : { ...rest, ingress }));
    if (changes.length === changesPerTransactionMax) break;
  }
  return changes;
}
