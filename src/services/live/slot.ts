/**
 * One id of one watcher, as a state machine without a queue, and the clock that all of them share.
 *
 * `opening` → (begin) → `due` → (take) → `cooling` → (window over) → `idle`, or `due` again when
 * something was published meanwhile. `idle` → (publication) → `due`. Publications while due change
 * nothing but the topic's version, so the latest wins, and the one at the end of a window is always
 * delivered.
 */
import type { TopicId } from "../../domain/events/events.js";
import { NEWEST } from "../../domain/seen.js";

/** An id whose value is to be read and sent now. */
export interface Due<I extends TopicId = TopicId> {
  readonly id: I;
  /** Invalidations the reader must have seen; {@link NEWEST} where only the newest will do. */
  readonly seen: number;
  /** The highest version published while somebody here watched it; 0 before the first. */
  readonly version: number;
}

/** What is known of a topic, shared by all who watch it. */
export interface WatchedTopic {
  readonly id: TopicId;
  readonly key: string;
  /** The highest version published. */
  version: number;
  /** The count of invalidations that goes with it. */
  seen: number;
  readonly slots: Set<Slot>;
  /** Resolves when the subscription is confirmed, to what ends it. */
  readonly opened: Promise<() => Promise<void>>;
}

type State = "opening" | "idle" | "due" | "cooling" | "cooling, published" | "ended";

/** One id of one watcher. */
export class Slot {
  private state: State = "opening";
  /** True when nobody knows what was missed, so only the newest value will do. */
  private doubted = true;

  constructor(
    readonly topic: WatchedTopic,
    private readonly conflation: Conflation,
    private readonly onDue: (slot: Slot) => void,
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
  take(): Due {
    const { id, version, seen } = this.topic;
    const due = { id, version, seen: this.doubted ? NEWEST : seen };
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

  /** Nobody watches any more. */
  end(): void {
    this.state = "ended";
  }

  private becomeDue(): void {
    this.state = "due";
    this.onDue(this);
  }
}

/**
 * The windows of all slots: equally long, so they end in the order they began, and one timer serves
 * them all.
 */
export class Conflation {
  private readonly cooling = new Map<Slot, number>();
  private timer: NodeJS.Timeout | null = null;

  /** @param windowMs shortest time between two values of one slot */
  constructor(readonly windowMs: number) {}

  /** Begins the window of a slot. */
  start(slot: Slot): void {
    this.cooling.set(slot, performance.now() + this.windowMs);
    this.timer ??= setTimeout(() => this.wake(), this.windowMs);
  }

  /** Stops the clock. */
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
