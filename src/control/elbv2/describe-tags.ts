/** DescribeTags: the tags of each resource, in the order of the request. */
import type { DescribeTagsInput, DescribeTagsOutput } from '@aws-sdk/client-elastic-load-balancing-v2';
import { accept } from '#base/result.ts';
import type { Elbv2Operation } from './shape.ts';
import { findTagged } from './tagged.ts';
import { encodeTags } from './tags.ts';

export const describeTags: Elbv2Operation<DescribeTagsInput, DescribeTagsOutput> = {
  kind: 'read',
  answer(view, input, context) {
    const found = findTagged(view, input.ResourceArns, context);
    if (!found.ok) return found;
    const TagDescriptions = [...found.value].map(([arn, { document }]) => ({
      ResourceArn: arn,
      Tags: encodeTags(document.tags),
    }));
    return accept({ TagDescriptions });
  },
};
