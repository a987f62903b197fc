/**
 * Many things that come and go, in no order. A `Set` would do, but for one thing: each time that it is full it begins
 * a new table, and the old ones form a chain that keeps everything alive which was in any of them until the garbage
 * collector's next great round. Where things live for a millisecond, that is most of what there is to collect.
 */
import { assert } from './assert.ts';

/** What can lie in one bag at a time. */
export interface Bagged {
  /** Where it lies; only the bag changes it. */
  bagIndex: number;
}

export class Bag<Item extends Bagged> {
  readonly #items: Item[] = [];

  get size(): number {
    return this.#items.length;
  }

  add(item: Item): void {
    item.bagIndex = this.#items.push(item) - 1;
  }

  remove(item: Item): void {
    const { bagIndex } = item;
    assert(this.#items[bagIndex] === item, 'what is removed lies in the bag');
    const last = this.#items.pop()!;
    if (last === item) return;
    this.#items[bagIndex] = last;
    last.bagIndex = bagIndex;
  }

  /** As they are now: items may come and go meanwhile. */
  all(): Item[] {
    return [...this.#items];
  }
}
