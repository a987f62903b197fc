/**
 * Tells the control plane regularly what a follower works with, as a digest over all of it, so that what was lost on
 * the way is found without waiting for the next change.
 */
import type { Clock } from '#io/clock.ts';
import type { Replica } from '#journal/replica.ts';
import { workedWith } from '#link/compare.ts';
import { type FollowerRole, inventoryPerFrameMax, type UpFrame } from '#link/frames.ts';
import { digestOfHeld } from '#model/state-digest.ts';

/** It is worked out at most this often, and never for more than half a percent of the time. */
export const holdingsPeriodMs = 1_000;
const shareOfTime = 200;

export interface HoldingsOptions {
  readonly replica: Replica;
  readonly role: FollowerRole;
  readonly send: (frame: UpFrame) => void;
  readonly clock: Clock;
}

export class Holdings {
  readonly #options: HoldingsOptions;
  #nextMs = 0;

  constructor(options: HoldingsOptions) {
    this.#options = options;
  }

  /** To be called every `holdingsPeriodMs`. While the brake holds something back it differs on purpose. */
  tell(): void {
    const { replica, role, send, clock } = this.#options;
    const startMs = clock.monotonicMs();
    if (replica.held.length > 0 || replica.position.storeId === '' || startMs < this.#nextMs) return;
    const { revision } = replica.position;
    send({ type: 'digest', revision, ...digestOfHeld(workedWith(replica.view, role)) });
    const endMs = clock.monotonicMs();
    this.#nextMs = endMs + (endMs - startMs) * shareOfTime;
  }

  tellAll(): void {
    const { replica, role, send } = this.#options;
    const { revision } = replica.position;
    const all = workedWith(replica.view, role).map(({ kind, id, revision: of }) => [kind, id, of] as const);
    for (let start = 0; start === 0 || start < all.length; start += inventoryPerFrameMax) {
      const held = all.slice(start, start + inventoryPerFrameMax);
      send({ type: 'inventory', revision, held, rest: Math.max(0, all.length - start - held.length) });
    }
  }
}
