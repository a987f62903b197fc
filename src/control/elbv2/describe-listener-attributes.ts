/** DescribeListenerAttributes: every attribute that applies to the listener's protocol, given or by default. */
import type {
  DescribeListenerAttributesInput,
  DescribeListenerAttributesOutput,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { accept } from '#base/result.ts';
import { findByArn } from './arns.ts';
import { encodeListenerAttributes } from './attributes.ts';
import type { Elbv2Operation } from './shape.ts';

export const describeListenerAttributes: Elbv2Operation<
  DescribeListenerAttributesInput,
  DescribeListenerAttributesOutput
> = {
  kind: 'read',
  answer(view, input, context) {
    const found = findByArn(view, 'listener', input.ListenerArn, context);
    return found.ok ? accept({ Attributes: encodeListenerAttributes(found.value.document) }) : found;
  },
};
