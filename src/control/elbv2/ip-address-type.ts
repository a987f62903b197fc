/** The IP address type of a load balancer: what AWS knows, and what of it is offered. */
import type { Fault } from '#model/fault.ts';
import { checkChoice, notOffered } from './checks.ts';

/** Refuses what is not `ipv4`. */
export function checkIpAddressType(type: string): Fault | undefined {
  const wrong = checkChoice('IP address type', type, ['ipv4', 'dualstack', 'dualstack-without-public-ipv4']);
  return wrong ?? (type === 'ipv4' ? undefined : notOffered('IP address type', type, 'ipv4'));
}
