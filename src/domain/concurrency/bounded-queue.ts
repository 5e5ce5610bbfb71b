/**
 * A queue bounded by length and by age. Under overload, a
 * bound of length alone makes every item late. This one
 * refuses what has waited too long, so what it serves is
 * still wanted.
 */

export interface QueueBounds<T> {
  readonly maxLength: number;
  /** Longest wait, in ms. */
  readonly maxWaitMs: number;
  /**
   * Called for each item that has waited too long; it will
   * not be taken.
   */
  readonly refuse: (item: T) => void;
  /** A monotonic clock, in ms. */
  readonly nowMs?: () => number;
}

/** A first-in-first-out queue within {@link QueueBounds}. */
export class BoundedQueue<T> {
  private readonly items: { readonly item: T; readonly atMs: number }[] = [];
  private readonly nowMs: () => number;

  constructor(private readonly bounds: QueueBounds<T>) {
    this.nowMs = bounds.nowMs ?? (() => performance.now());
  }

  get length(): number {
    return this.items.length;
  }

  /**
   * Adds an item; false when the queue is full, or its first
   * item has waited too long.
   */
  push(item: T): boolean {
    const [first] = this.items;
    const atMs = this.nowMs();
    if (this.items.length >= this.bounds.maxLength || (first && this.isStale(first.atMs, atMs)))
      return false;
    this.items.push({ item, atMs });
    return true;
  }

  /**
   * Takes up to `count` items, the oldest first; refuses what
   * has waited too long.
   */
  take(count: number): T[] {
    const nowMs = this.nowMs();
    const taken: T[] = [];
    let looked = 0;
    for (const { item, atMs } of this.items) {
      if (taken.length === count) break;
      looked += 1;
      if (this.isStale(atMs, nowMs)) this.bounds.refuse(item);
      else taken.push(item);
    }
    this.items.splice(0, looked);
    return taken;
  }

  private isStale(atMs: number, nowMs: number): boolean {
    return nowMs - atMs > this.bounds.maxWaitMs;
  }
}
