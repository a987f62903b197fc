/**
 * CreateTargetGroup. The same call again gives the same target group and changes nothing; the same name with other
 * settings is refused.
 */
import { isDeepStrictEqual } from 'node:util';
import type { CreateTargetGroupInput, CreateTargetGroupOutput } from '@aws-sdk/client-elastic-load-balancing-v2';
import { accept, type Result, refuse } from '#base/result.ts';
import { put } from '#model/change.ts';
import type { TargetGroupDocument } from '#model/documents.ts';
import { type Fault, fault } from '#model/fault.ts';
import { nameKey } from '#model/keys.ts';
import { findFirst, type View } from '#model/view.ts';
import { checkChoice, checkRange, notOffered, portRange, shown } from './checks.ts';
import { decodeHealthCheck } from './health-check.ts';
import { quotas } from './quotas.ts';
import type { Decoded, Elbv2Operation } from './shape.ts';
import { decodeTags } from './tags.ts';
import { encodeTargetGroup } from './target-group-answers.ts';

type Input = Decoded<CreateTargetGroupInput>;
type Settings = Omit<TargetGroupDocument, 'account' | 'name' | 'createdAtMs' | 'attributes'>;

export const createTargetGroup: Elbv2Operation<CreateTargetGroupInput, CreateTargetGroupOutput> = {
  kind: 'write',
  decide(view, input, context) {
    const wrong = checkName(input.Name);
    if (wrong !== undefined) return refuse(wrong);
    const settings = decodeSettings(input);
    if (!settings.ok) return settings;
    const named = { account: context.account, name: input.Name };
    const present = findFirst(view, 'targetGroupByName', nameKey(named));
    if (present !== undefined) {
      if (!isDeepStrictEqual(settingsOf(present.document), settingsOf(settings.value))) {
        const message = `A target group with the same name '${input.Name}' exists, but with different settings`;
        return refuse(fault('DuplicateTargetGroupName', message));
      }
      const TargetGroups = [encodeTargetGroup(view, context.settings, present.id, present.document)];
      return accept({ changes: [], output: { TargetGroups } });
    }
    const { targetGroupsPerAccount: countMax } = quotas;
    if (view.count('target-group') >= countMax && countOf(view, context.account) >= countMax) {
      return refuse(fault('TooManyTargetGroups', `The limit of ${countMax} target groups is reached`));
    }
    const id = context.newId();
    const document: TargetGroupDocument = {
      ...named,
      ...settings.value,
      createdAtMs: context.nowMs,
      attributes: {},
    };
    return accept({
      changes: [put(view, 'target-group', id, document)],
      output: { TargetGroups: [encodeTargetGroup(view, context.settings, id, document)] },
    });
  },
};

const nameLengthMax = 32;
const nameCharactersPattern = /^[A-Za-z0-9-]+$/;
const nameHyphensPattern = /^-|--|-$/;
const vpcPattern = /^vpc-[0-9a-z]{1,32}$/;
const apiProtocols = ['HTTP', 'HTTPS', 'TCP', 'TLS', 'UDP', 'TCP_UDP', 'GENEVE', 'QUIC', 'TCP_QUIC'];

function countOf(view: View, account: string): number {
  return [...view.find('targetGroupsOfAccount', account)].length;
}

function checkName(name: string): Fault | undefined {
  const title = `Target group name '${shown(name)}'`;
  if (name.length > nameLengthMax) {
    return fault('ValidationError', `${title} cannot be longer than '${nameLengthMax}' characters`);
  }
  if (!nameCharactersPattern.test(name)) {
    const allowed = 'can only contain characters that are alphanumeric characters or hyphens(-)';
    return fault('ValidationError', `${title} ${allowed}`);
  }
  if (!nameHyphensPattern.test(name)) return undefined;
  return fault(
    'ValidationError',
    `1 validation error detected: Value '${name}' at 'targetGroup.targetGroupArn.targetGroupName' failed to satisfy constraint: Member must satisfy regular expression pattern: ^([a-zA-Z0-9]+-)*[a-zA-Z0-9]+$`,
  );
}

/** The API's default target type is `instance`, so a caller must say `ip`. */
function checkOffered(input: Input): Fault | undefined {
  const { TargetType = 'instance', Protocol = 'HTTP', ProtocolVersion = 'HTTP1', IpAddressType = 'ipv4' } = input;
  return (
    checkChoice('Target type', TargetType, ['instance', 'ip', 'lambda', 'alb']) ??
    (TargetType === 'ip' ? undefined : notOffered('TargetType', TargetType, 'ip')) ??
    checkChoice('Target group protocol', Protocol, apiProtocols) ??
    (Protocol === 'HTTP' ? undefined : notOffered('Target group protocol', Protocol, 'HTTP')) ??
    checkChoice('Protocol version', ProtocolVersion, ['HTTP1', 'HTTP2', 'GRPC']) ??
    (ProtocolVersion === 'HTTP1' ? undefined : notOffered('Protocol version', ProtocolVersion, 'HTTP1')) ??
    checkChoice('IP address type', IpAddressType, ['ipv4', 'ipv6']) ??
    (IpAddressType === 'ipv4' ? undefined : notOffered('IP address type', IpAddressType, 'ipv4')) ??
    (input.TargetControlPort === undefined
      ? undefined
      : fault('InvalidConfigurationRequest', 'TargetControlPort is not offered by this version of Ballast'))
  );
}

function decodeSettings(input: Input): Result<Settings, Fault> {
  const { Protocol, Port: port, VpcId: vpcId } = input;
  const notThere = checkOffered(input);
  if (notThere !== undefined) return refuse(notThere);
  if (Protocol === undefined) return refuse(fault('ValidationError', 'A protocol must be specified'));
  if (port === undefined) return refuse(fault('ValidationError', 'A port must be specified'));
  const wrong = checkRange('Target group port', port, portRange);
  if (wrong !== undefined) return refuse(wrong);
  if (vpcId === undefined) return refuse(fault('ValidationError', 'A VPC ID must be specified'));
  if (!vpcPattern.test(vpcId)) {
    const allowed = `it must be 'vpc-' and 1 to 32 lower-case letters or digits`;
    return refuse(fault('ValidationError', `The VPC ID '${shown(vpcId)}' is not valid; ${allowed}`));
  }
  const healthCheck = decodeHealthCheck(input);
  if (!healthCheck.ok) return healthCheck;
  const tags = decodeTags(input.Tags);
  if (!tags.ok) return tags;
  return accept({
    targetType: 'ip',
    protocol: 'HTTP',
    protocolVersion: 'HTTP1',
    ipAddressType: 'ipv4',
    port,
    vpcId,
    healthCheck: healthCheck.value,
    tags: tags.value,
  });
}

/** What must be equal for two calls to mean the same target group, whatever the order of its tags. */
function settingsOf({ protocol, port, vpcId, healthCheck, tags }: Settings): unknown {
  return { protocol, port, vpcId, healthCheck, tags: tags.map(({ key, value }) => [key, value].join('\0')).sort() };
}
