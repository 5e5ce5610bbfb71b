/**
 * Logs: events of a thing in an order that never changes, each
 * delivered exactly once. A *position* stands after an entry. A
 * *cursor* is a position as clients hold it: opaque, and bound
 * to its log.
 */
import { encodeCursor, readCursor } from "../page.js";

/** Why a log cannot simply go on. */
export const GAP_REASONS = ["TRIMMED", "EPOCH_CHANGED", "SLOW_CONSUMER", "CURSOR_INVALID"] as const;

/** A reason of {@link GAP_REASONS}. */
export type GapReason = (typeof GAP_REASONS)[number];

/**
 * A place in a log: after the entry with this sequence; 0 is the
 * beginning.
 */
export interface EventLogPosition {
  /**
   * The history of the sequence; {@link DURABLE} where there is
   * only one.
   */
  readonly epoch: string;
  readonly sequence: number;
}

/** The epoch of a log in Postgres, whose history is never lost. */
export const DURABLE = "";

/** The position before the first entry of a durable log. */
export const BEGINNING: EventLogPosition = { epoch: DURABLE, sequence: 0 };

/** One entry, and the position after it. */
export interface EventLogEntry<Event> {
  readonly position: EventLogPosition;
  readonly event: Event;
}

/** A gap: what comes next comes after `resumeFrom`. */
export interface EventLogGap {
  readonly reason: GapReason;
  readonly resumeFrom: EventLogPosition;
}

/** Items of a subscription, in order. */
export type EventLogItem<Event> = EventLogEntry<Event> | EventLogGap;

/**
 * What follows a position: entries without any missing between
 * them, or a gap.
 */
export type EventLogPage<Event> = EventLogGap | EventLogStretch<Event>;

export interface EventLogStretch<Event> {
  readonly entries: readonly EventLogEntry<Event>[];
  /**
   * Where to read on: after the last entry, and after later ones
   * that have expired.
   */
  readonly next: EventLogPosition;
  /** Whether there is more after `next` already. */
  readonly more: boolean;
}

/**
 * Start of a subscription: after an entry, from now on, or an
 * invalid cursor.
 */
export type EventLogStart = EventLogPosition | "now" | "invalid";

/** Writes a position as a cursor of the log with this name. */
export function encodeEventLogCursor(log: string, { epoch, sequence }: EventLogPosition): string {
  return encodeCursor(log, { value: epoch === DURABLE ? sequence : epoch, id: sequence });
}

/**
 * Start for a client with `cursor`: null is now, the empty text
 * the beginning of a durable log.
 */
export function readEventLogCursor(log: string, cursor: string | null | undefined): EventLogStart {
  if (cursor === null || cursor === undefined) return "now";
  if (cursor === "") return BEGINNING;
  const position = readCursor(log, cursor);
  if (!position || position.id < 0) return "invalid";
  const { value, id: sequence } = position;
  if (typeof value === "string") return value === DURABLE ? "invalid" : { epoch: value, sequence };
  return value === sequence ? { epoch: DURABLE, sequence } : "invalid";
}
