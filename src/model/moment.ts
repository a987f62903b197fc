/**
 * A point of the past as people write it: a revision (`42`), a time (`2026-11-23T10:00:00Z`; without a zone it is UTC;
 * a date alone is its first moment), or how long ago (`90s`, `15m`, `2h`, `3d`).
 */
import { accept, type Result, refuse } from '#base/result.ts';

export type Moment =
  | { readonly kind: 'revision'; readonly revision: number }
  | { readonly kind: 'time'; readonly timeMs: number };

/** What `parseMoment` allows, for messages. */
export const momentsAllowed = 'a revision (42), a time (2026-11-23T10:00:00Z), or how long ago (90s, 15m, 2h, 3d)';

const timePattern = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2})?)?$/;
const agoPattern = /^(\d{1,9})([smhd])$/;
const unitMs = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Refuses, in one line, what is none of the three. */
export function parseMoment(text: string, nowMs: number): Result<Moment, string> {
  if (/^\d{1,15}$/.test(text)) return accept({ kind: 'revision', revision: Number(text) });
  const ago = agoPattern.exec(text);
  if (ago !== null) {
    return accept({ kind: 'time', timeMs: nowMs - Number(ago[1]) * unitMs[ago[2] as keyof typeof unitMs] });
  }
  const hasZone = /(?:Z|[+-]\d{2}:\d{2})$/.test(text) || !text.includes('T');
  const timeMs = timePattern.test(text) ? Date.parse(hasZone ? text : `${text}Z`) : Number.NaN;
  if (!Number.isNaN(timeMs)) return accept({ kind: 'time', timeMs });
  return refuse(`found '${text.slice(0, 60)}'; allowed: ${momentsAllowed}`);
}
