/**
 * What a target group is made with: its target type decides which protocols it can have, and those decide the rest.
 * Source: CreateTargetGroup in the ELB API reference; "Target groups" in the guides.
 */
import type { CreateTargetGroupInput } from '@aws-sdk/client-elastic-load-balancing-v2';
import { accept, type Result, refuse } from '#base/result.ts';
import {
  type TargetGroupDocument,
  type TargetGroupProtocol,
  type TargetType,
  targetGroupProtocols,
  targetTypes,
} from '#model/documents.ts';
import { type Fault, fault } from '#model/fault.ts';
import { checkChoice, checkRange, portRange, shown } from './checks.ts';
import { decodeHealthCheck } from './health-check.ts';
import type { Decoded } from './shape.ts';
import { decodeTags } from './tags.ts';

type Input = Decoded<CreateTargetGroupInput>;

export type TargetGroupSettings = Omit<TargetGroupDocument, 'account' | 'name' | 'createdAtMs' | 'attributes'>;

const vpcPattern = /^vpc-[0-9a-z]{1,32}$/;

/** Reads the settings of a new target group. */
export function decodeTargetGroup(input: Input): Result<TargetGroupSettings, Fault> {
  const { TargetType: targetType = 'instance' } = input;
  const wrong = checkChoice('Target type', targetType, targetTypes);
  if (wrong !== undefined) return refuse(wrong);
  const place = targetType === 'lambda' ? decodeFunction(input) : decodePlace(input, targetType as TargetType);
  if (!place.ok) return place;
  const healthCheck = decodeHealthCheck(place.value, input);
  if (!healthCheck.ok) return healthCheck;
  const tags = decodeTags(input.Tags);
  if (!tags.ok) return tags;
  return accept({ ...place.value, healthCheck: healthCheck.value, tags: tags.value });
}

type Place = Omit<TargetGroupSettings, 'healthCheck' | 'tags'>;

/** A function has no protocol, port or network. */
function decodeFunction(input: Input): Result<Place, Fault> {
  const members = ['Protocol', 'ProtocolVersion', 'Port', 'VpcId', 'TargetControlPort'] as const;
  const given = members.find((member) => input[member] !== undefined);
  if (given !== undefined) {
    const message = `${given} cannot be specified for target groups with target type 'lambda'`;
    return refuse(fault('ValidationError', message));
  }
  return accept({ targetType: 'lambda', ipAddressType: 'ipv4' });
}

function decodePlace(input: Input, targetType: TargetType): Result<Place, Fault> {
  const { Protocol: protocol, Port: port, VpcId: vpcId, IpAddressType = 'ipv4', TargetControlPort } = input;
  const wrongProtocol = checkProtocol(protocol, targetType);
  if (wrongProtocol !== undefined) return refuse(wrongProtocol);
  const version = decodeVersion(input.ProtocolVersion, protocol as TargetGroupProtocol);
  if (!version.ok) return version;
  if (port === undefined) return refuse(fault('ValidationError', 'A port must be specified'));
  const wrong =
    checkRange('Target group port', port, portRange) ??
    checkVpc(vpcId) ??
    checkChoice('IP address type', IpAddressType, ['ipv4', 'ipv6']) ??
    (IpAddressType === 'ipv6' && targetType !== 'ip'
      ? fault('InvalidConfigurationRequest', `IP address type 'ipv6' is for target groups with target type 'ip'`)
      : undefined) ??
    (TargetControlPort === undefined ? undefined : checkControlPort(TargetControlPort, version.value));
  if (wrong !== undefined) return refuse(wrong);
  return accept({
    targetType,
    protocol: protocol as TargetGroupProtocol,
    ...(version.value !== undefined && { protocolVersion: version.value }),
    ipAddressType: IpAddressType as 'ipv4' | 'ipv6',
    port,
    vpcId: vpcId!,
    ...(TargetControlPort !== undefined && { targetControlPort: TargetControlPort }),
  });
}

function checkProtocol(protocol: string | undefined, targetType: TargetType): Fault | undefined {
  if (protocol === undefined) return fault('ValidationError', 'A protocol must be specified');
  if (protocol === 'GENEVE') {
    const message = "Target group protocol 'GENEVE' is for Gateway Load Balancers, which Ballast does not offer";
    return fault('InvalidConfigurationRequest', message);
  }
  const wrong = checkChoice('Target group protocol', protocol, targetGroupProtocols);
  if (wrong !== undefined || targetType !== 'alb' || protocol === 'TCP') return wrong;
  return fault('ValidationError', `Protocol '${protocol}' is not supported with target type 'alb'; it must be 'TCP'`);
}

function decodeVersion(
  version: string | undefined,
  protocol: TargetGroupProtocol,
): Result<TargetGroupDocument['protocolVersion'], Fault> {
  const isHttp = protocol === 'HTTP' || protocol === 'HTTPS';
  if (!isHttp) {
    if (version === undefined) return accept(undefined);
    const message = `Protocol version cannot be specified for target groups with protocol '${protocol}'`;
    return refuse(fault('ValidationError', message));
  }
  const wrong = checkChoice('Protocol version', version ?? 'HTTP1', ['HTTP1', 'HTTP2', 'GRPC']);
  return wrong === undefined ? accept((version ?? 'HTTP1') as 'HTTP1' | 'HTTP2' | 'GRPC') : refuse(wrong);
}

function checkVpc(vpcId: string | undefined): Fault | undefined {
  if (vpcId === undefined) return fault('ValidationError', 'A VPC ID must be specified');
  if (vpcPattern.test(vpcId)) return undefined;
  const allowed = `it must be 'vpc-' and 1 to 32 lower-case letters or digits`;
  return fault('ValidationError', `The VPC ID '${shown(vpcId)}' is not valid; ${allowed}`);
}

/** Where target optimizers listen: kept and described, and not asked. */
function checkControlPort(port: number, version: TargetGroupDocument['protocolVersion']): Fault | undefined {
  if (version !== undefined) return checkRange('Target control port', port, portRange);
  return fault('ValidationError', 'Target control port is for target groups with protocol HTTP or HTTPS');
}
