/**
 * How a caller names a target: an IPv4 address, a port that defaults to the target group's, and where it may get
 * traffic from. Source: `TargetDescription` in the ELB API reference.
 */
import type { TargetDescription } from '@aws-sdk/client-elastic-load-balancing-v2';
import { accept, type Result, refuse } from '#base/result.ts';
import type { RegionSettings } from '#control/operation.ts';
import { parseAddress } from '#model/address.ts';
import type { Entry } from '#model/documents.ts';
import { type Fault, fault } from '#model/fault.ts';
import { targetKey } from '#model/keys.ts';
import { checkChoice, checkRange, portRange, shown } from './checks.ts';
import type { Decoded } from './shape.ts';

export interface NamedTarget {
  readonly key: string;
  readonly address: string;
  readonly port: number;
  readonly availabilityZone: string | undefined;
}

/** Reads how the caller names a target of the group; refuses addresses that no host can have. */
export function decodeTarget(
  group: Entry<'target-group'>,
  description: Decoded<TargetDescription>,
  settings: RegionSettings,
): Result<NamedTarget, Fault> {
  const { Id: address, Port: port = group.document.port ?? 0, AvailabilityZone: availabilityZone } = description;
  const wrong =
    checkAddress(address) ??
    checkRange('Target port', port, portRange) ??
    (availabilityZone === undefined
      ? undefined
      : checkChoice('Target availability zone', availabilityZone, ['all', ...settings.zones])) ??
    (description.QuicServerId === undefined
      ? undefined
      : fault('ValidationError', 'QuicServerId cannot be specified for a target group with protocol HTTP'));
  if (wrong !== undefined) return refuse(wrong);
  return accept({ key: targetKey({ targetGroupId: group.id, address, port }), address, port, availabilityZone });
}

/** "This network" (0.0.0.0/8), multicast and everything above it are nobody's address (RFC 6890, section 2.2.2). */
function checkAddress(text: string): Fault | undefined {
  const address = parseAddress(text);
  if (address === undefined) {
    return fault('ValidationError', `The target ID '${shown(text)}' is not a valid IPv4 address`);
  }
  const firstByte = address >>> 24;
  if (firstByte > 0 && firstByte < 224) return undefined;
  return fault('InvalidTarget', `The IP address '${text}' cannot be the address of a target`);
}
