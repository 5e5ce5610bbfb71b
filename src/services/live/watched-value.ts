/**
 * One id of one watcher, as a state machine without a
 * queue. All slots share one clock.
 *
 * `opening` → (begin) → `due` → (take) → `cooling`.
 * `cooling` → (window over) → `idle`, or `due` again
 * when something was published meanwhile. `idle` →
 * (publication) → `due`. While due, a publication only
 * raises the topic's version. So the latest wins, and
 * one at the end of a window is never lost.
 */

import type { TopicId, ValueTopicKind } from "../../domain/events/events.js";
import { NEWEST } from "../../domain/reading/consistency-token.js";
import type { OpenTopic } from "./topic-registry.js";

/** An id whose value is to be read and sent now. */
export interface DueValue<I extends TopicId = TopicId> {
  readonly id: I;
  /** Invalidations the reader must have seen, or {@link NEWEST}. */
  readonly seen: number;
  /** The highest version published while watched; 0 before the first. */
  readonly version: number;
}

/** A topic, with the highest version and invalidations published. */
export type WatchedTopic = OpenTopic<
  ValueTopicKind,
  WatchedValue,
  { version: number; seen: number }
>;

type State = "opening" | "idle" | "due" | "cooling" | "cooling, published" | "ended";

export class WatchedValue {
  private state: State = "opening";
  /** After missed messages only the newest value will do. */
  private doubted = true;

  constructor(
    readonly topic: WatchedTopic,
    private readonly conflation: Conflation,
    private readonly onDue: (slot: WatchedValue) => void,
  ) {}

  /** The topic is subscribed: the first value is due. */
  begin(): void {
    if (this.state === "opening") this.becomeDue();
  }

  /** Something was published. O(1). */
  publish(): void {
    if (this.state === "idle") this.becomeDue();
    else if (this.state === "cooling") this.state = "cooling, published";
  }

  /** Something may have been missed. */
  resync(): void {
    this.doubted = true;
    this.publish();
  }

  /** The value is read now; the window begins. */
  take(): DueValue {
    const { topic, state } = this.topic;
    const due = { id: topic.id, version: state.version, seen: this.doubted ? NEWEST : state.seen };
    this.doubted = false;
    this.state = this.conflation.windowMs > 0 ? "cooling" : "idle";
    if (this.state === "cooling") this.conflation.start(this);
    return due;
  }

  /** The window is over. */
  cooled(): void {
    if (this.state === "cooling, published") this.becomeDue();
    else if (this.state === "cooling") this.state = "idle";
  }

  end(): void {
    this.state = "ended";
  }

  private becomeDue(): void {
    this.state = "due";
    this.onDue(this);
  }
}

/**
 * The windows of all slots. Equally long, they end in
 * order, so one timer suffices.
 */
export class Conflation {
  private readonly cooling = new Map<WatchedValue, number>();
  private timer: NodeJS.Timeout | null = null;

  /** @param windowMs shortest time between two values of one slot */
  constructor(readonly windowMs: number) {}

  start(slot: WatchedValue): void {
    this.cooling.set(slot, performance.now() + this.windowMs);
    this.timer ??= setTimeout(() => this.wake(), this.windowMs);
  }

  close(): void {
    if (this.timer) clearTimeout(this.timer);
    this.cooling.clear();
  }

  private wake(): void {
    const now = performance.now();
    // Slots taken meanwhile go to the end and are not over yet.
    for (const [slot, endsAtMs] of this.cooling) {
      if (endsAtMs > now) break;
      this.cooling.delete(slot);
      slot.cooled();
    }
    const [next] = this.cooling.values();
    this.timer =
      next === undefined
        ? null
        : setTimeout(() => this.wake(), Math.max(1, next - performance.now()));
  }
}
