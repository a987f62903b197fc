/** How ids that are made of other ids are written. */
import type { HexId } from './documents.ts';

export function targetKey(target: {
  readonly targetGroupId: HexId;
  readonly address: string;
  readonly port: number;
  readonly named?: string;
}): string {
  return `${target.targetGroupId}/${target.named ?? target.address}:${target.port}`;
}

export function revocationKey(revocation: { readonly trustStoreId: HexId; readonly number: number }): string {
  return `${revocation.trustStoreId}/${revocation.number}`;
}

export function placementKey(placement: { readonly loadBalancerId: HexId; readonly nodeId: string }): string {
  return `${placement.loadBalancerId}/${placement.nodeId}`;
}

export function principalKey(principal: { readonly account: string; readonly name: string }): string {
  return `${principal.account}/${principal.name}`;
}

/** Names are unique for each account; the index by name is kept under this. */
export function nameKey(named: { readonly account: string; readonly name: string }): string {
  return `${named.account}/${named.name}`;
}
