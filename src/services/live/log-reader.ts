/**
 * One subscriber of a log, as a state machine without a queue: it knows the position it has read
 * to, and whether something may be behind it. A page is read when somebody asks for the next item
 * and the last page has been handed over, so a slow consumer costs one page at most, and what it
 * has not asked for is read when it does. Reading after one's own position is all there is:
 * history, live events, and making good an outage are the same thing, so nothing can overlap or be
 * out of order.
 */
import type { Logger } from "pino";
import type { LogNews } from "../../domain/events/events.js";
import type {
  LogEntry,
  LogGap,
  LogItem,
  LogPage,
  LogPosition,
  LogStart,
} from "../../domain/events/log.js";
import { type Backoff, backoffMs } from "../../domain/time/backoff.js";
import { SECOND } from "../../domain/time/time.js";

/** What a log is read by. Both may reject while a server is away; they are asked again. */
export interface LogSource<Event> {
  /** Where the log ends now. */
  end(): Promise<LogPosition>;
  /** What follows a position, a page at most. */
  read(after: LogPosition): Promise<LogPage<Event>>;
}

/** What a reader needs. */
export interface LogReaderParts<Event> {
  readonly source: LogSource<Event>;
  readonly start: LogStart;
  /** Called once, when it ends. */
  readonly leave: () => void;
  readonly log: Logger;
}

/** The wait before a source that failed is asked again. */
const RETRY: Backoff = { firstMs: 100, longestMs: SECOND };

interface Waiting<Event> {
  resolve(result: IteratorResult<LogItem<Event>>): void;
  reject(error: unknown): void;
}

/**
 * Hands the items of a log over, one for each `next()`. `return()` ends it at once, whatever is
 * pending.
 */
export class LogReader<Event> implements AsyncIterableIterator<LogItem<Event>> {
  private readonly page: LogItem<Event>[] = [];
  private readonly waiting: Waiting<Event>[] = [];
  private position: LogPosition | null = null;
  /** Something may follow the position. */
  private behind = true;
  /** News came while nobody asked for the next item. */
  private late = false;
  /** Nobody knows what was missed, so being behind is not the consumer's doing. */
  private doubted = true;
  private state: "opening" | "open" | "ended" = "opening";
  private working = false;
  private failures = 0;
  private failure: { readonly error: unknown } | null = null;
  private stopPause = (): void => {};

  constructor(private readonly parts: LogReaderParts<Event>) {}

  /** The log is listened to: from now on nothing is missed. */
  begin(): void {
    if (this.state !== "opening") return;
    this.state = "open";
    void this.work();
  }

  /** The log has grown. O(1). */
  hear({ epoch, sequence }: LogNews): void {
    if (this.position?.epoch === epoch && sequence <= this.position.sequence) return;
    this.late ||= this.waiting.length === 0;
    this.behind = true;
    void this.work();
  }

  /** Something may have been missed. */
  resync(): void {
    this.doubted = true;
    this.behind = true;
    this.stopPause();
    void this.work();
  }

  /** Ends with an error, told once. */
  fail(error: unknown): void {
    if (this.state === "ended") return;
    const first = this.waiting.shift();
    if (first) first.reject(error);
    else this.failure = { error };
    this.end();
  }

  /** Lets go of everything at once. */
  end(): this {
    if (this.state === "ended") return this;
    this.state = "ended";
    this.page.length = 0;
    this.stopPause();
    this.parts.leave();
    for (const { resolve } of this.waiting.splice(0)) resolve({ done: true, value: undefined });
    return this;
  }

  async next(): Promise<IteratorResult<LogItem<Event>>> {
    if (this.failure) {
      const { error } = this.failure;
      this.failure = null;
      throw error;
    }
    if (this.state === "ended") return { done: true, value: undefined };
    const item = new Promise<IteratorResult<LogItem<Event>>>((resolve, reject) =>
      this.waiting.push({ resolve, reject }),
    );
    void this.work();
    return item;
  }

  async return(): Promise<IteratorResult<LogItem<Event>>> {
    this.end();
    return { done: true, value: undefined };
  }

  async throw(error: unknown): Promise<IteratorResult<LogItem<Event>>> {
    this.end();
    throw error;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Works until there is nothing to do before somebody asks or something is new. */
  private async work(): Promise<void> {
    if (this.working) return;
    this.working = true;
    for (let step = this.due(); step; step = this.due()) await step();
    this.working = false;
  }

  /**
   * What to do now. Decided in one turn with what ends {@link work}, so no news falls in between.
   */
  private due(): (() => Promise<void>) | null {
    if (this.state !== "open") return null;
    this.handOver();
    if (this.position === null) return () => this.attempt(() => this.place());
    return this.waiting.length > 0 && this.behind ? () => this.attempt(() => this.readOn()) : null;
  }

  private handOver(): void {
    while (this.waiting.length > 0 && this.page.length > 0) {
      this.waiting.shift()?.resolve({ done: false, value: this.page.shift() as LogItem<Event> });
    }
  }

  /** A source that fails is asked again, by the same position: nothing is lost by waiting. */
  private async attempt(step: () => Promise<void>): Promise<void> {
    try {
      await step();
      this.failures = 0;
    } catch (error) {
      this.parts.log.debug(
        { err: (error as Error).message },
        "a log could not be read and is asked again",
      );
      // What is trimmed meanwhile is our failure, not a slow consumer.
      this.behind = this.doubted = true;
      this.failures += 1;
      await this.pause(backoffMs(this.failures, RETRY));
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

  /** Finds where to begin. A cursor that names no place begins now, and says so. */
  private async place(): Promise<void> {
    const { start, source } = this.parts;
    if (typeof start === "object") {
      this.position = start;
      return;
    }
    // What comes from now on is announced, or made good by a resync.
    this.behind = this.doubted = false;
    const end = await source.end();
    if (start === "invalid") this.page.push({ reason: "CURSOR_INVALID", resumeFrom: end });
    this.position = end;
  }

  private async readOn(): Promise<void> {
    if (this.position === null) return;
    this.behind = false;
    const page = await this.parts.source.read(this.position);
    if (this.state === "ended") return;
    if ("reason" in page) this.meetGap(page);
    else this.take(page.entries, page.next, page.more);
  }

  private take(entries: readonly LogEntry<Event>[], next: LogPosition, more: boolean): void {
    this.page.push(...entries);
    this.position = next;
    this.behind ||= more;
    if (!this.behind) this.late = this.doubted = false;
  }

  /** Whoever has been told everything in time, and then did not ask, has only itself to blame. */
  private meetGap({ reason, resumeFrom }: LogGap): void {
    const itsOwn = reason === "TRIMMED" && this.late && !this.doubted;
    this.page.push({ reason: itsOwn ? "SLOW_CONSUMER" : reason, resumeFrom });
    this.position = resumeFrom;
    this.behind = true;
    this.late = this.doubted = false;
  }
}
