/**
 * A client of a log as tests play it: it stores the cursor of what it has handled, leaves, stalls,
 * and comes back on another process.
 */
import {
  type EventLogItem,
  type EventLogStart,
  encodeEventLogCursor,
  readEventLogCursor,
} from "../../../src/domain/events/event-log.js";

/** One client. */
export class Subscriber<Process, Event> {
  /** What it has handled, in order. */
  readonly told: EventLogItem<Event>[] = [];
  private reader: AsyncIterableIterator<EventLogItem<Event>> | null = null;
  /** Set while it takes nothing. */
  private asleep: { readonly until: Promise<void>; readonly wake: () => void } | null = null;

  /**
   * @param log names the log in its cursors
   * @param cursor where it begins
   */
  constructor(
    readonly log: string,
    private readonly follow: (
      process: Process,
      start: EventLogStart,
    ) => AsyncIterableIterator<EventLogItem<Event>>,
    public cursor = "",
  ) {}

  /** The sequence that it has handled last. */
  get at(): number {
    const start = readEventLogCursor(this.log, this.cursor);
    return typeof start === "object" ? start.sequence : -1;
  }

  join(process: Process): void {
    if (this.reader) return;
    const reader = this.follow(process, readEventLogCursor(this.log, this.cursor));
    this.reader = reader;
    void this.consume(reader);
  }

  leave(): void {
    const { reader } = this;
    this.reader = null;
    void reader?.return?.();
  }

  stall(): void {
    let wake = (): void => {};
    const until = new Promise<void>((resolve) => {
      wake = resolve;
    });
    this.asleep ??= { until, wake };
  }

  wake(): void {
    this.asleep?.wake();
    this.asleep = null;
  }

  /** What arrives after it has left was not handled, and comes again. */
  private async consume(reader: AsyncIterableIterator<EventLogItem<Event>>): Promise<void> {
    for await (const item of reader) {
      await this.asleep?.until;
      if (this.reader !== reader) return;
      this.told.push(item);
      this.cursor = encodeEventLogCursor(
        this.log,
        "reason" in item ? item.resumeFrom : item.position,
      );
    }
    if (this.reader === reader) this.reader = null;
  }
}
