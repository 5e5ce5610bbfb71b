/**
 * A log in memory whose history can be trimmed and lost, which never happens to one in Postgres. It
 * is announced like any other.
 */
import type {
  EventLogEntry,
  EventLogPage,
  EventLogPosition,
} from "../../../src/domain/events/event-log.js";
import type { EventLogSource } from "../../../src/services/live/event-log-reader.js";

const PAGE_SIZE = 25;

/** Entries are texts; at most `most` are kept. */
export class MemoryLog implements EventLogSource<string> {
  private entries: EventLogEntry<string>[] = [];
  private epoch = 1;
  private last = 0;

  constructor(private readonly most: number) {}

  append(event: string): EventLogPosition {
    this.last += 1;
    const position = { epoch: `${this.epoch}`, sequence: this.last };
    this.entries.push({ position, event });
    this.trim(this.most);
    return position;
  }

  /** Keeps the newest entries. */
  trim(count: number): void {
    this.entries = this.entries.slice(-count);
  }

  /** Forgets everything, so that sequences begin anew in another epoch. */
  lose(): void {
    this.epoch += 1;
    this.last = 0;
    this.entries = [];
  }

  async end(): Promise<EventLogPosition> {
    return { epoch: `${this.epoch}`, sequence: this.last };
  }

  async read({ epoch, sequence }: EventLogPosition): Promise<EventLogPage<string>> {
    const end = await this.end();
    const first = this.entries[0]?.position.sequence ?? this.last + 1;
    const resumeFrom = { ...end, sequence: first - 1 };
    if (epoch !== end.epoch) return { reason: "EPOCH_CHANGED", resumeFrom };
    if (sequence > this.last) return { reason: "CURSOR_INVALID", resumeFrom: end };
    if (sequence < resumeFrom.sequence) return { reason: "TRIMMED", resumeFrom };
    const at = sequence - resumeFrom.sequence;
    const entries = this.entries.slice(at, at + PAGE_SIZE);
    const next = entries.at(-1)?.position ?? end;
    return { entries, next, more: next.sequence < end.sequence };
  }
}
