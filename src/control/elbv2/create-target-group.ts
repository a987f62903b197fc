/**
 * CreateTargetGroup. The same call again gives the same target group and changes nothing; the same name with other
 * settings is refused.
 */
import { isDeepStrictEqual } from 'node:util';
import type { CreateTargetGroupInput, CreateTargetGroupOutput } from '@aws-sdk/client-elastic-load-balancing-v2';
import { accept, refuse } from '#base/result.ts';
import { put } from '#model/change.ts';
import type { TargetGroupDocument } from '#model/documents.ts';
import { type Fault, fault } from '#model/fault.ts';
import { nameKey } from '#model/keys.ts';
import { findFirst, type View } from '#model/view.ts';
import { shown } from './checks.ts';
import { checkVpcThere, gatherNetwork } from './network-checks.ts';
import type { Elbv2Operation } from './shape.ts';
import { encodeTargetGroup } from './target-group-answers.ts';
import { decodeTargetGroup, type TargetGroupSettings } from './target-group-settings.ts';

export const createTargetGroup: Elbv2Operation<CreateTargetGroupInput, CreateTargetGroupOutput> = {
  kind: 'write',
  gather: ({ VpcId }, world) => gatherNetwork(world, { vpcs: VpcId === undefined ? [] : [VpcId] }),
  decide(view, input, context) {
    const wrong = checkName(input.Name);
    if (wrong !== undefined) return refuse(wrong);
    const settings = decodeTargetGroup(input);
    if (!settings.ok) return settings;
    const strange = checkVpcThere(context.network, settings.value.vpcId);
    if (strange !== undefined) return refuse(strange);
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
    const countMax = context.limits['target-groups'];
    if (view.count('target-group') >= countMax && countOf(view, context.account) >= countMax) {
      return refuse(fault('TooManyTargetGroups', `The account has ${countMax} target groups, which is its limit`));
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

/** What must be equal for two calls to mean the same target group, whatever the order of its tags. */
function settingsOf(settings: TargetGroupSettings): unknown {
  const { targetType, protocol, protocolVersion, ipAddressType, port, vpcId, targetControlPort, healthCheck, tags } =
    settings;
  return {
    place: [targetType, protocol, protocolVersion, ipAddressType, port, vpcId, targetControlPort],
    healthCheck,
    tags: tags.map(({ key, value }) => [key, value].join('\0')).sort(),
  };
}
