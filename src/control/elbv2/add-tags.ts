/** AddTags: on all the resources or on none. A value for a key that is there replaces the old one. */
import type { AddTagsInput, AddTagsOutput } from '@aws-sdk/client-elastic-load-balancing-v2';
import { accept } from '#base/result.ts';
import type { Change } from '#model/change.ts';
import type { Elbv2Operation } from './shape.ts';
import { findTagged, putTags } from './tagged.ts';
import { addTags as addTo } from './tags.ts';

export const addTags: Elbv2Operation<AddTagsInput, AddTagsOutput> = {
  kind: 'write',
  decide(view, input, context) {
    const found = findTagged(view, input.ResourceArns, context);
    if (!found.ok) return found;
    const changes: Change[] = [];
    for (const entry of found.value.values()) {
      const tags = addTo(entry.document.tags, input.Tags);
      if (!tags.ok) return tags;
      changes.push(...putTags(view, entry, tags.value));
    }
    return accept({ changes, output: {} });
  },
};
