/**
 * How a caller names a target, by the target type of its group: an address, an instance, a function, or an application
 * load balancer; and where each is reached. What is registered is resolved then and keeps its address.
 * Source: `TargetDescription` and RegisterTargets in the ELB API reference.
 */
import { isIPv6 } from 'node:net';
import type { TargetDescription } from '@aws-sdk/client-elastic-load-balancing-v2';
import { accept, type Result, refuse } from '#base/result.ts';
import { instancePattern } from '#control/network.ts';
import type { OperationContext } from '#control/operation.ts';
import { parseAddress } from '#model/address.ts';
import type { Entry, TargetGroupDocument } from '#model/documents.ts';
import { type Fault, fault } from '#model/fault.ts';
import { targetKey } from '#model/keys.ts';
import type { View } from '#model/view.ts';
import { findByArn, parseOwnArn } from './arns.ts';
import { checkChoice, checkRange, portRange, shown } from './checks.ts';
import type { Decoded } from './shape.ts';

export interface NamedTarget {
  readonly key: string;
  /** As the caller gave it. */
  readonly id: string;
  readonly port: number;
  readonly availabilityZone: string | undefined;
  readonly quicServerId: string | undefined;
}

type Group = Entry<'target-group'>;

export const functionPattern = /^arn:aws:lambda:([a-z0-9-]{1,64}):\d{12}:function:[\w-]{1,64}(?::[\w$-]{1,128})?$/;
const quicServerPattern = /^0x[0-9a-fA-F]{16}$/;

/** Reads how the caller names a target of the group; refuses what cannot name one. */
export function decodeTarget(
  group: Group,
  description: Decoded<TargetDescription>,
  context: OperationContext,
): Result<NamedTarget, Fault> {
  const { Id: id, AvailabilityZone: availabilityZone, QuicServerId: quicServerId } = description;
  const { document } = group;
  const isFunction = document.targetType === 'lambda';
  const port = isFunction ? 0 : (description.Port ?? document.port ?? 0);
  const wrong =
    checkId(document, id, context) ??
    (isFunction ? checkNoPort(description.Port) : checkRange('Target port', port, portRange)) ??
    (availabilityZone === undefined ? undefined : checkZone(document, availabilityZone, context)) ??
    (quicServerId === undefined ? undefined : checkQuicServerId(document, quicServerId));
  if (wrong !== undefined) return refuse(wrong);
  const key = targetKey({ targetGroupId: group.id, address: id, port });
  return accept({ key, id, port, availabilityZone, quicServerId });
}

/** Where the target is reached. Refuses what is not known, cannot be reached now, or is of another network. */
export function resolveTarget(
  view: View,
  group: Group,
  { id, port }: NamedTarget,
  context: OperationContext,
): Result<string, Fault> {
  switch (group.document.targetType) {
    case 'ip':
      return accept(id);
    case 'instance':
      return resolveInstance(group.document, id, context);
    case 'lambda': {
      const endpoint = context.network.functions.get(id);
      if (endpoint !== undefined) return accept(endpoint);
      return refuse(fault('InvalidTarget', `The inventory names no endpoint for the function '${id}'`));
    }
    case 'alb':
      return resolveLoadBalancer(view, id, port, context);
  }
}

function resolveInstance(group: TargetGroupDocument, id: string, { network }: OperationContext): Result<string, Fault> {
  const instance = network.instances.get(id);
  if (instance === undefined) {
    const message = `The instance ID '${id}' does not exist: neither the inventory nor an EC2 endpoint knows it`;
    return refuse(fault('InvalidTarget', message));
  }
  if (instance.state !== 'running') {
    const message = `The following targets are not in a running state and cannot be registered: '${id}'`;
    return refuse(fault('InvalidTarget', message));
  }
  if (instance.vpcId === group.vpcId) return accept(instance.privateAddress);
  const message = `The following targets are not in the target group VPC '${group.vpcId}': '${id}'`;
  return refuse(fault('InvalidTarget', message));
}

/** An application load balancer that listens on the port; traffic goes to one of its addresses. */
function resolveLoadBalancer(view: View, arn: string, port: number, context: OperationContext): Result<string, Fault> {
  const found = findByArn(view, 'load-balancer', arn, context);
  if (!found.ok) return found;
  const { id, document } = found.value;
  if (document.type !== 'application') {
    return refuse(fault('InvalidTarget', `'${shown(arn)}' is not an Application Load Balancer`));
  }
  const listens = [...view.find('listenersOfLoadBalancer', id)].some((listener) => listener.document.port === port);
  if (!listens) {
    const message = `The load balancer '${document.name}' has no listener on port ${port}, which the target must have`;
    return refuse(fault('InvalidTarget', message));
  }
  const [placement] = view.find('placementsOfLoadBalancer', id);
  return accept(placement?.document.address ?? '');
}

function checkId(group: TargetGroupDocument, id: string, context: OperationContext): Fault | undefined {
  switch (group.targetType) {
    case 'ip':
      return group.ipAddressType === 'ipv6' ? checkIpv6(id) : checkIpv4(id);
    case 'instance':
      if (instancePattern.test(id)) return undefined;
      return fault('ValidationError', `Instance ID '${shown(id)}' is not valid`);
    case 'lambda': {
      const region = functionPattern.exec(id)?.[1];
      if (region === context.settings.region) return undefined;
      return fault('ValidationError', `'${shown(id)}' is not the ARN of a function in ${context.settings.region}`);
    }
    case 'alb': {
      const arn = parseOwnArn('load-balancer', id, context);
      return arn.ok ? undefined : arn.fault;
    }
  }
}

/** "This network" (0.0.0.0/8), multicast and everything above it are nobody's address (RFC 6890, section 2.2.2). */
function checkIpv4(text: string): Fault | undefined {
  const address = parseAddress(text);
  if (address === undefined) {
    return fault('ValidationError', `The target ID '${shown(text)}' is not a valid IPv4 address`);
  }
  const firstByte = address >>> 24;
  if (firstByte > 0 && firstByte < 224) return undefined;
  return fault('InvalidTarget', `The IP address '${text}' cannot be the address of a target`);
}

/** Neither the unspecified address nor multicast (RFC 4291, sections 2.5.2 and 2.7), and no zone identifier. */
function checkIpv6(text: string): Fault | undefined {
  if (!isIPv6(text) || text.includes('%') || text.includes('.')) {
    return fault('ValidationError', `The target ID '${shown(text)}' is not a valid IPv6 address`);
  }
  if (!/^[0:]+$/.test(text) && !/^ff/i.test(text)) return undefined;
  return fault('InvalidTarget', `The IP address '${text}' cannot be the address of a target`);
}

function checkNoPort(port: number | undefined): Fault | undefined {
  if (port === undefined) return undefined;
  return fault('ValidationError', `A port cannot be specified for a target with target type 'lambda'`);
}

function checkZone(
  { targetType }: TargetGroupDocument,
  zone: string,
  { settings }: OperationContext,
): Fault | undefined {
  if (targetType === 'instance' || targetType === 'alb') {
    const message = `An Availability Zone cannot be specified for a target with target type '${targetType}'`;
    return fault('ValidationError', message);
  }
  const zones = targetType === 'lambda' ? [] : settings.zones;
  return checkChoice('Target availability zone', zone, ['all', ...zones]);
}

function checkQuicServerId({ protocol }: TargetGroupDocument, id: string): Fault | undefined {
  if (protocol !== 'QUIC' && protocol !== 'TCP_QUIC') {
    const message = `QuicServerId cannot be specified for a target group with protocol ${protocol ?? 'none'}`;
    return fault('ValidationError', message);
  }
  if (quicServerPattern.test(id)) return undefined;
  return fault('ValidationError', `QuicServerId '${shown(id)}' must be '0x' and 16 hexadecimal digits`);
}
