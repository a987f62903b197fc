/**
 * CreateLoadBalancer. The load balancer and its placements are one transaction. The same call again gives the same
 * load balancer and changes nothing; the same name with other settings is refused.
 */
import { isDeepStrictEqual } from 'node:util';
import type { CreateLoadBalancerInput, CreateLoadBalancerOutput } from '@aws-sdk/client-elastic-load-balancing-v2';
import { accept, refuse } from '#base/result.ts';
import { ingressOf } from '#control/ingress.ts';
import type { Decision, OperationContext } from '#control/operation.ts';
import { place } from '#control/workflows/placement.ts';
import { put } from '#model/change.ts';
import type { LoadBalancerDocument, LoadBalancerType, PlacementDocument } from '#model/documents.ts';
import { type Fault, fault } from '#model/fault.ts';
import { nameKey } from '#model/keys.ts';
import { findFirst, type View } from '#model/view.ts';
import { shown } from './checks.ts';
import { encodeLoadBalancer } from './load-balancer-answers.ts';
import { decodeLoadBalancer, type LoadBalancerSettings } from './load-balancer-settings.ts';
import { gatherNetwork, subnetIdsOf } from './network-checks.ts';
import type { Elbv2Operation } from './shape.ts';

export const createLoadBalancer: Elbv2Operation<CreateLoadBalancerInput, CreateLoadBalancerOutput> = {
  kind: 'write',
  gather: (input, world) =>
    gatherNetwork(world, { subnets: subnetIdsOf(input), securityGroups: input.SecurityGroups ?? [] }),
  decide(view, input, context) {
    const wrong = checkName(input.Name);
    if (wrong !== undefined) return refuse(wrong);
    const settings = decodeLoadBalancer(input, context);
    if (!settings.ok) return settings;
    const present = findFirst(view, 'loadBalancerByName', nameKey({ account: context.account, name: input.Name }));
    if (present === undefined) return createNew(view, input.Name, settings.value, context);
    if (!isDeepStrictEqual(comparable(present.document), comparable(settings.value))) {
      const message = `A load balancer with the same name '${input.Name}' exists, but with different settings`;
      return refuse(fault('DuplicateLoadBalancerName', message));
    }
    const placements = [...view.find('placementsOfLoadBalancer', present.id)].map(({ document }) => document);
    return accept({
      changes: [],
      output: { LoadBalancers: [encodeLoadBalancer(context.settings, present.id, present.document, placements)] },
    });
  },
};

const nameLengthMax = 32;
const namePattern = /^[A-Za-z0-9-]+$/;

function createNew(
  view: View,
  name: string,
  settings: LoadBalancerSettings,
  context: OperationContext,
): Decision<CreateLoadBalancerOutput> {
  const { type } = settings;
  const countMax = context.limits[`${type}-load-balancers`];
  if (view.count('load-balancer') >= countMax && countOf(view, context.account, type) >= countMax) {
    const message = `The account has ${countMax} ${type} load balancers, which is its limit`;
    return refuse(fault('TooManyLoadBalancers', message));
  }
  const id = context.newId();
  const ingress = ingressOf(context.network, settings.securityGroups);
  const document: LoadBalancerDocument = {
    account: context.account,
    name,
    dnsName: dnsNameOf(name, id, settings.scheme, context),
    createdAtMs: context.nowMs,
    attributes: {},
    ...settings,
    ...(ingress !== undefined && { ingress }),
  };
  const terms = { nowMs: context.nowMs, holdAddressesMs: context.settings.holdAddressesMs };
  const placed = place(view, { loadBalancerId: id, zones: settings.zones.map(({ zone }) => zone) }, terms);
  if (!placed.ok) return placed;
  const placements = placed.value.map(({ after }) => after as PlacementDocument);
  return accept({
    changes: [put(view, 'load-balancer', id, document), ...placed.value],
    output: { LoadBalancers: [encodeLoadBalancer(context.settings, id, document, placements)] },
  });
}

function countOf(view: View, account: string, type: LoadBalancerType): number {
  return [...view.find('loadBalancersOfAccount', account)].filter(({ document }) => document.type === type).length;
}

function checkName(name: string): Fault | undefined {
  const title = `The load balancer name '${shown(name)}'`;
  if (name.length > nameLengthMax) {
    return fault('ValidationError', `${title} cannot be longer than '${nameLengthMax}' characters`);
  }
  if (!namePattern.test(name)) {
    return fault('ValidationError', `${title} must consist of letters, digits and hyphens, and at least one of them`);
  }
  if (name.startsWith('-') || name.endsWith('-')) {
    return fault('ValidationError', `${title} cannot begin or end with a hyphen`);
  }
  if (name.toLowerCase().startsWith('internal-')) {
    return fault('ValidationError', `${title} cannot begin with 'internal-'`);
  }
  return undefined;
}

/** What must be equal for two calls to mean the same load balancer, whatever the order they name it in. */
function comparable(settings: LoadBalancerSettings): unknown {
  const { type, scheme, ipAddressType, zones, securityGroups, tags } = settings;
  return {
    type,
    scheme,
    ipAddressType,
    sourceNat: settings.prefixForIpv6SourceNat,
    pools: [settings.customerOwnedIpv4Pool, settings.ipv4IpamPoolId],
    zones,
    securityGroups: [...securityGroups].sort(),
    tags: tags.map(({ key, value }) => [key, value].join('\0')).sort(),
  };
}

/** Every label stays within the 63 octets of RFC 1035, section 2.3.4: 9 + 32 + 1 + 16 at most. */
function dnsNameOf(
  name: string,
  id: string,
  scheme: LoadBalancerSettings['scheme'],
  { settings }: OperationContext,
): string {
  const prefix = scheme === 'internal' ? 'internal-' : '';
  return `${prefix}${name}-${id}.${settings.region}.elb.${settings.domain}`.toLowerCase();
}
