/**
 * How a log that lives in Redis alone is read by a log subscription: its gaps are told as they are,
 * because there is nowhere else to look.
 */
import type { LogTopicKind, Topic } from "../../domain/events/events.js";
import type { EventLog } from "../../redis/event-log/event-log.js";
import type { LogSource } from "./log-subscription.js";

/** Entries read at once: what a stalled reader holds at most. */
const PAGE_SIZE = 25;

/** Reads a log; entries are texts. Rejects with RedisUnavailable. */
export function createVolatileSource(
  topic: Topic<LogTopicKind>,
  log: Pick<EventLog, "read" | "end">,
): LogSource<string> {
  return { end: () => log.end(topic), read: (after) => log.read(topic, after, PAGE_SIZE) };
}
