/**
 * One reader of a log, as a state machine without a queue.
 *
 * It holds the position it has read to, and whether
 * entries may follow. It reads a page when the consumer
 * wants an item beyond the last page. A slow consumer
 * costs one page at most. It only ever reads after its
 * position. History, live events and resyncs cannot
 * overlap or change order.
 */
import type { Logger } from "pino";
import { Stream } from "../../domain/concurrency/stream.js";
import type {
  EventLogGap,
  EventLogItem,
  EventLogPage,
  EventLogPosition,
  EventLogStart,
} from "../../domain/events/event-log.js";
import type { EventLogAppend } from "../../domain/events/events.js";
import { type Backoff, backoffMs } from "../../domain/time/backoff.js";
import { SECOND } from "../../domain/time/time.js";

/** Reads a log. Both reject without their server, and are retried. */
export interface EventLogSource<Event> {
  /** Where the log ends now. */
  end(): Promise<EventLogPosition>;
  /** What follows a position, a page at most. */
  read(after: EventLogPosition): Promise<EventLogPage<Event>>;
}

export interface EventLogReaderDeps<Event> {
  readonly source: EventLogSource<Event>;
  readonly start: EventLogStart;
  /** Called once. */
  readonly onEnd: () => void;
  readonly log: Logger;
}

/** The wait before a source that failed is called again. */
const EVENT_LOG_RETRY: Backoff = { firstMs: 100, longestMs: SECOND };

/** Reads a log from a start, item by item. */
export class EventLogReader<Event> {
  readonly items: Stream<EventLogItem<Event>>;
  private readonly page: EventLogItem<Event>[] = [];
  private position: EventLogPosition | null = null;
  /** Entries may follow the position. */
  private behind = true;
  /** The log grew while no item was wanted. */
  private late = false;
  /** Messages may be missing; the consumer is not slow. */
  private doubted = true;
  private begun = false;
  private working = false;
  private failures = 0;
  private stopPause = (): void => {};

  constructor(private readonly deps: EventLogReaderDeps<Event>) {
    this.items = new Stream({ onNext: () => void this.work(), onEnd: () => this.close() });
  }

  /** The topic is subscribed: from now on nothing is missed. */
  begin(): void {
    this.begun = true;
    void this.work();
  }

  /** The log has grown. O(1). */
  onNews({ epoch, sequence }: EventLogAppend): void {
    if (this.position?.epoch === epoch && sequence <= this.position.sequence) return;
    this.late ||= !this.items.isWanting;
    this.behind = true;
    void this.work();
  }

  /** Messages may have been missed. */
  resync(): void {
    this.doubted = true;
    this.behind = true;
    this.stopPause();
    void this.work();
  }

  private close(): void {
    this.page.length = 0;
    this.stopPause();
    this.deps.onEnd();
  }

  /** Works until an item is wanted or the log grows. */
  private async work(): Promise<void> {
    if (this.working) return;
    this.working = true;
    for (let step = this.nextStep(); step; step = this.nextStep()) await this.attempt(step);
    this.working = false;
  }

  /** Decided in one turn with the end of {@link work}: no news is lost. */
  private nextStep(): (() => Promise<void>) | null {
    if (!this.begun || this.items.isEnded) return null;
    this.handOver();
    if (this.position === null) return () => this.findStart();
    return this.items.isWanting && this.behind ? () => this.readOn() : null;
  }

  private handOver(): void {
    while (this.items.isWanting && this.page.length > 0)
      this.items.offer(this.page.shift() as EventLogItem<Event>);
  }

  /** Repeats a read that failed by the same position. */
  private async attempt(step: () => Promise<void>): Promise<void> {
    try {
      await step();
      this.failures = 0;
    } catch (error) {
      this.deps.log.debug(
        { err: (error as Error).message },
        "a log could not be read and is asked again",
      );
      // What is trimmed meanwhile is our failure, not a slow
      // consumer.
      this.behind = this.doubted = true;
      this.failures += 1;
      await this.pause(backoffMs(this.failures, EVENT_LOG_RETRY));
    }
  }

  private pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, delayMs);
      this.stopPause = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** An invalid cursor begins now, with a notice. */
  private async findStart(): Promise<void> {
    const { start, source } = this.deps;
    if (typeof start === "object") {
      this.position = start;
      return;
    }
    // Later entries are announced, or caught up with by a
    // resync.
    this.behind = this.doubted = false;
    const end = await source.end();
    if (start === "invalid") this.page.push({ reason: "CURSOR_INVALID", resumeFrom: end });
    this.position = end;
  }

  private async readOn(): Promise<void> {
    if (this.position === null) return;
    this.behind = false;
    const page = await this.deps.source.read(this.position);
    if (this.items.isEnded) return;
    if ("reason" in page) {
      this.addGap(page);
      return;
    }
    this.page.push(...page.entries);
    this.position = page.next;
    this.behind ||= page.more;
    if (!this.behind) this.late = this.doubted = false;
  }

  /** SLOW_CONSUMER: notified, and not reading before the trim. */
  private addGap({ reason, resumeFrom }: EventLogGap): void {
    const isSlow = reason === "TRIMMED" && this.late && !this.doubted;
    this.page.push({ reason: isSlow ? "SLOW_CONSUMER" : reason, resumeFrom });
    this.position = resumeFrom;
    this.behind = true;
    this.late = this.doubted = false;
  }
}
