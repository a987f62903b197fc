/** DeleteTargetGroup. Takes its targets along. Refused while a rule uses it; deleting what is not there succeeds. */
import type { DeleteTargetGroupInput, DeleteTargetGroupOutput } from '@aws-sdk/client-elastic-load-balancing-v2';
import { accept, refuse } from '#base/result.ts';
import { remove } from '#model/change.ts';
import { fault } from '#model/fault.ts';
import { findByArn } from './arns.ts';
import { isInUse } from './associations.ts';
import type { Elbv2Operation } from './shape.ts';

export const deleteTargetGroup: Elbv2Operation<DeleteTargetGroupInput, DeleteTargetGroupOutput> = {
  kind: 'write',
  decide(view, input, context) {
    const found = findByArn(view, 'target-group', input.TargetGroupArn, context);
    if (!found.ok) {
      return found.fault.code === 'TargetGroupNotFound' ? accept({ changes: [], output: {} }) : found;
    }
    const { id } = found.value;
    if (isInUse(view, id)) {
      const message = `The target group '${input.TargetGroupArn}' is currently in use by a listener or a rule`;
      return refuse(fault('ResourceInUse', message));
    }
    const targets = [...view.find('targetsOfTargetGroup', id)].map((target) => remove(view, 'target', target.id));
    return accept({ changes: [...targets, remove(view, 'target-group', id)], output: {} });
  },
};
