/** ModifyTargetGroup. Changes only the health check settings that are given; what results must agree as a whole. */
import { isDeepStrictEqual } from 'node:util';
import type { ModifyTargetGroupInput, ModifyTargetGroupOutput } from '@aws-sdk/client-elastic-load-balancing-v2';
import { accept } from '#base/result.ts';
import { put } from '#model/change.ts';
import { findByArn } from './arns.ts';
import { changeHealthCheck } from './health-check.ts';
import type { Elbv2Operation } from './shape.ts';
import { encodeTargetGroup } from './target-group-answers.ts';

export const modifyTargetGroup: Elbv2Operation<ModifyTargetGroupInput, ModifyTargetGroupOutput> = {
  kind: 'write',
  decide(view, input, context) {
    const found = findByArn(view, 'target-group', input.TargetGroupArn, context);
    if (!found.ok) return found;
    const { id, document: present } = found.value;
    const healthCheck = changeHealthCheck(present, present.healthCheck, input);
    if (!healthCheck.ok) return healthCheck;
    const document = { ...present, healthCheck: healthCheck.value };
    return accept({
      changes: isDeepStrictEqual(document, present) ? [] : [put(view, 'target-group', id, document)],
      output: { TargetGroups: [encodeTargetGroup(view, context.settings, id, document)] },
    });
  },
};
