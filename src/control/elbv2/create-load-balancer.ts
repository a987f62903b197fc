/**
 * CreateLoadBalancer. The load balancer and its placements are one transaction. The same call again gives the same
 * load balancer and changes nothing; the same name with other settings is refused.
 */
import { isDeepStrictEqual } from 'node:util';
import type { CreateLoadBalancerInput, CreateLoadBalancerOutput } from '@aws-sdk/client-elastic-load-balancing-v2';
import { accept, type Result, refuse } from '#base/result.ts';
import type { Decision, OperationContext } from '#control/operation.ts';
import { place } from '#control/workflows/placement.ts';
import { put } from '#model/change.ts';
import type { LoadBalancerDocument, PlacementDocument } from '#model/documents.ts';
import { type Fault, fault } from '#model/fault.ts';
import { nameKey } from '#model/keys.ts';
import { findFirst, type View } from '#model/view.ts';
import { checkChoice, notOffered, shown } from './checks.ts';
import { checkIpAddressType } from './ip-address-type.ts';
import { encodeLoadBalancer } from './load-balancer-answers.ts';
import { quotas } from './quotas.ts';
import { decodeSecurityGroups } from './security-groups.ts';
import type { Decoded, Elbv2Operation } from './shape.ts';
import { chooseZones } from './subnets.ts';
import { decodeTags } from './tags.ts';

type Input = Decoded<CreateLoadBalancerInput>;
type Settings = Pick<LoadBalancerDocument, 'scheme' | 'zones' | 'securityGroups' | 'tags'>;

export const createLoadBalancer: Elbv2Operation<CreateLoadBalancerInput, CreateLoadBalancerOutput> = {
  kind: 'write',
  decide(view, input, context) {
    const wrong = checkName(input.Name) ?? checkOffered(input);
    if (wrong !== undefined) return refuse(wrong);
    const settings = decodeSettings(input, context);
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
  settings: Settings,
  context: OperationContext,
): Decision<CreateLoadBalancerOutput> {
  const { loadBalancersPerAccount: countMax } = quotas;
  if (view.count('load-balancer') >= countMax && countOf(view, context.account) >= countMax) {
    return refuse(fault('TooManyLoadBalancers', `The limit of ${countMax} load balancers is reached`));
  }
  const id = context.newId();
  const document: LoadBalancerDocument = {
    account: context.account,
    name,
    type: 'application',
    ipAddressType: 'ipv4',
    vpcId: context.settings.vpcId,
    dnsName: dnsNameOf(name, id, settings.scheme, context),
    createdAtMs: context.nowMs,
    attributes: {},
    ...settings,
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

function countOf(view: View, account: string): number {
  return [...view.find('loadBalancersOfAccount', account)].length;
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

function checkOffered(input: Input): Fault | undefined {
  const { Type = 'application', IpAddressType = 'ipv4', Scheme = 'internet-facing' } = input;
  const unsupported = (['CustomerOwnedIpv4Pool', 'EnablePrefixForIpv6SourceNat', 'IpamPools'] as const).find(
    (member) => input[member] !== undefined,
  );
  return (
    checkChoice('Load balancer type', Type, ['application', 'network', 'gateway']) ??
    (Type === 'application' ? undefined : notOffered('Load balancer type', Type, 'application')) ??
    (['internet-facing', 'internal'].includes(Scheme)
      ? undefined
      : fault('InvalidScheme', `Scheme '${shown(Scheme)}' must be one of 'internet-facing, internal'`)) ??
    checkIpAddressType(IpAddressType) ??
    (unsupported && fault('InvalidConfigurationRequest', `${unsupported} is not offered by this version of Ballast`))
  );
}

function decodeSettings(input: Input, context: OperationContext): Result<Settings, Fault> {
  const zones = chooseZones(input, context.settings);
  if (!zones.ok) return zones;
  const securityGroups = decodeSecurityGroups(input.SecurityGroups ?? []);
  if (!securityGroups.ok) return securityGroups;
  const tags = decodeTags(input.Tags);
  if (!tags.ok) return tags;
  const scheme = input.Scheme === 'internal' ? 'internal' : 'internet-facing';
  return accept({ scheme, zones: zones.value, securityGroups: securityGroups.value, tags: tags.value });
}

/** What must be equal for two calls to mean the same load balancer, whatever the order they name it in. */
function comparable({ scheme, zones, securityGroups, tags }: Settings): unknown {
  return {
    scheme,
    subnets: zones.map(({ subnetId }) => subnetId).sort(),
    securityGroups: [...securityGroups].sort(),
    tags: tags.map(({ key, value }) => [key, value].join('\0')).sort(),
  };
}

/** Every label stays within the 63 octets of RFC 1035, section 2.3.4: 9 + 32 + 1 + 16 at most. */
function dnsNameOf(name: string, id: string, scheme: Settings['scheme'], { settings }: OperationContext): string {
  const prefix = scheme === 'internal' ? 'internal-' : '';
  return `${prefix}${name}-${id}.${settings.region}.elb.${settings.domain}`.toLowerCase();
}
