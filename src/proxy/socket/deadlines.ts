/**
 * Deadlines for many connections at the price of one timer: a wheel of slots, one a tick, each a linked list that runs
 * through the connections themselves. Moving a deadline further away, which every request does, only stores a number;
 * the entry moves to its new slot when the wheel next comes by. A deadline fires up to three ticks late, never early.
 */
import type { Clock } from '#io/clock.ts';

export const tickMs = 100;
const slotsCount = 512;

/** One link of a slot's list; the slot itself is the list's fixed first link. */
class Link {
  next: Link = this;
  previous: Link = this;
}

/** What can have a deadline: the connection classes extend this. */
export abstract class Deadline extends Link {
  /** The tick at which it fires; Infinity while it has no deadline. */
  dueTick = Number.POSITIVE_INFINITY;
  /** The tick at which the wheel looks at it, at most `dueTick`; 0 while it is in no slot. */
  slotTick = 0;

  abstract onDeadline(): void;
}

export class DeadlineWheel {
  readonly #clock: Clock;
  readonly #slots = Array.from({ length: slotsCount }, () => new Link());
  #tick = 1;
  /** The clock's time at which `#tick` began. */
  #tickBeganMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#tickBeganMs = clock.monotonicMs();
  }

  /** Gives `entry` the deadline `delayMs` from now, in place of any other. */
  set(entry: Deadline, delayMs: number): void {
    const due = this.#tick + Math.ceil(delayMs / tickMs) + 2;
    entry.dueTick = due;
    if (entry.slotTick !== 0) {
      if (entry.slotTick <= due) return;
      unlink(entry);
    }
    this.#link(entry);
  }

  /** Takes the deadline away for now; cheap, because the entry stays where it is. */
  suspend(entry: Deadline): void {
    entry.dueTick = Number.POSITIVE_INFINITY;
  }

  /** Takes the entry out for good, so that the wheel does not keep it alive. */
  remove(entry: Deadline): void {
    entry.dueTick = Number.POSITIVE_INFINITY;
    if (entry.slotTick !== 0) unlink(entry);
  }

  /** Moves on to the present, firing what is due. To be called every tick. */
  advance(): void {
    const nowMs = this.#clock.monotonicMs();
    let ticks = Math.floor((nowMs - this.#tickBeganMs) / tickMs);
    // After a stall, what was set during it was measured from before it: time that nobody could use does not count.
    if (ticks > 2) {
      this.#tickBeganMs = nowMs;
      ticks = 1;
    } else {
      this.#tickBeganMs += ticks * tickMs;
    }
    for (; ticks > 0; ticks -= 1) {
      this.#tick += 1;
      this.#visit(this.#slots[this.#tick % slotsCount]!);
    }
  }

  #visit(slot: Link): void {
    // Entries are relinked into other slots only, so the list ends.
    while (slot.next !== slot) {
      const entry = slot.next as Deadline;
      unlink(entry);
      if (entry.dueTick <= this.#tick) {
        entry.dueTick = Number.POSITIVE_INFINITY;
        entry.onDeadline();
      } else if (entry.dueTick !== Number.POSITIVE_INFINITY) {
        this.#link(entry);
      }
    }
  }

  #link(entry: Deadline): void {
    const tick = Math.min(entry.dueTick, this.#tick + slotsCount - 1);
    const slot = this.#slots[tick % slotsCount]!;
    entry.slotTick = tick;
    entry.next = slot;
    entry.previous = slot.previous;
    slot.previous.next = entry;
    slot.previous = entry;
  }
}

function unlink(entry: Deadline): void {
  entry.previous.next = entry.next;
  entry.next.previous = entry.previous;
  entry.next = entry;
  entry.previous = entry;
  entry.slotTick = 0;
}
