/** GetResourcePolicy. Only trust stores have a policy, once they are shared; there are none here, so none is found. */
import type { GetResourcePolicyInput, GetResourcePolicyOutput } from '@aws-sdk/client-elastic-load-balancing-v2';
import { refuse } from '#base/result.ts';
import { fault } from '#model/fault.ts';
import { shown } from './checks.ts';
import type { Elbv2Operation } from './shape.ts';

const arnPattern = /^arn:aws:elasticloadbalancing:[a-z0-9-]+:\d{12}:[a-z-]+\/[A-Za-z0-9/-]+$/;

export const getResourcePolicy: Elbv2Operation<GetResourcePolicyInput, GetResourcePolicyOutput> = {
  kind: 'read',
  answer(_view, { ResourceArn: arn }) {
    if (!arnPattern.test(arn)) return refuse(fault('ValidationError', `'${shown(arn)}' is not a valid ARN`));
    return refuse(fault('ResourceNotFound', `'${shown(arn)}' is no trust store with a resource policy`));
  },
};
