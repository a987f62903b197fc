/**
 * How much harm is usual. Limits are documents, so that changing one leaves a trace and needs a second person; where
 * there is none the table below holds.
 *
 *   api, api/ACCOUNT          what one principal does through the AWS API, for all or of one account
 *   restore                   what an operator takes back
 *   region                    what all of them together do
 *   node                      what one node takes at its brake
 *
 * Workflows and maintenance have no limit to set: the first may never harm, the second never without a grant.
 */
import type { Channel } from '#model/change.ts';
import type { LimitDocument } from '#model/documents.ts';
import type { View } from '#model/view.ts';

export const defaultLimits = {
  api: { percentMax: 5, countMin: 10, windowSeconds: 600 },
  restore: { percentMax: 5, countMin: 10, windowSeconds: 600 },
  region: { percentMax: 20, countMin: 40, windowSeconds: 600 },
  node: { percentMax: 10, countMin: 3, windowSeconds: 600 },
} as const satisfies Record<string, LimitDocument>;

export type LimitName = keyof typeof defaultLimits;

/** So far back harm is remembered; no limit has a longer window. */
export const windowSecondsMax = 86_400;

const accountPattern = /^api\/\d{12}$/;

/** Whether a limit can have the id. */
export function isLimitId(id: string): boolean {
  return Object.hasOwn(defaultLimits, id) || accountPattern.test(id);
}

/** The limit of a principal (`ACCOUNT/NAME`) on a channel; undefined where there is none to set. */
export function limitOf(
  view: View,
  channel: Channel,
  principal: string,
): { readonly id: string; readonly limit: LimitDocument } | undefined {
  if (channel !== 'api' && channel !== 'restore') return undefined;
  const ofAccount = channel === 'api' ? `api/${principal.split('/', 1)[0]}` : undefined;
  const own = ofAccount === undefined ? undefined : view.get('limit', ofAccount);
  if (own !== undefined) return { id: ofAccount!, limit: own };
  return { id: channel, limit: namedLimit(view, channel) };
}

export function namedLimit(view: View, name: LimitName): LimitDocument {
  return view.get('limit', name) ?? defaultLimits[name];
}

/** Whether so many of so many are more than usual. */
export function isOver({ percentMax, countMin }: LimitDocument, harmedCount: number, allCount: number): boolean {
  return harmedCount >= Math.max(1, countMin) && harmedCount * 100 > percentMax * allCount;
}

/** `more than 5 % of the load balancers, and at least 10, within 10 minutes`. */
export function describeLimit({ percentMax, countMin, windowSeconds }: LimitDocument): string {
  const window = windowSeconds % 60 === 0 ? `${windowSeconds / 60} minutes` : `${windowSeconds} seconds`;
  return `more than ${percentMax} % of the load balancers, and at least ${countMin}, within ${window}`;
}
