/** DescribeTargetGroupAttributes: every attribute that applies, given or by default. */
import type {
  DescribeTargetGroupAttributesInput,
  DescribeTargetGroupAttributesOutput,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { accept } from '#base/result.ts';
import { findByArn } from './arns.ts';
import { encodeTargetGroupAttributes } from './attributes.ts';
import type { Elbv2Operation } from './shape.ts';

export const describeTargetGroupAttributes: Elbv2Operation<
  DescribeTargetGroupAttributesInput,
  DescribeTargetGroupAttributesOutput
> = {
  kind: 'read',
  answer(view, input, context) {
    const found = findByArn(view, 'target-group', input.TargetGroupArn, context);
    return found.ok ? accept({ Attributes: encodeTargetGroupAttributes(found.value.document) }) : found;
  },
};
