/** RemoveTags: from all the resources or from none. A key that a resource does not have is no error. */
import type { RemoveTagsInput, RemoveTagsOutput } from '@aws-sdk/client-elastic-load-balancing-v2';
import { accept } from '#base/result.ts';
import type { Elbv2Operation } from './shape.ts';
import { findTagged, putTags } from './tagged.ts';
import { removeTags as removeFrom } from './tags.ts';

export const removeTags: Elbv2Operation<RemoveTagsInput, RemoveTagsOutput> = {
  kind: 'write',
  decide(view, input, context) {
    const found = findTagged(view, input.ResourceArns, context);
    if (!found.ok) return found;
    const changes = [...found.value.values()].flatMap((entry) =>
      putTags(view, entry, removeFrom(entry.document.tags, input.TagKeys)),
    );
    return accept({ changes, output: {} });
  },
};
