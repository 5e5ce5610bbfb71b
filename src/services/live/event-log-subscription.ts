/**
 * Follows logs: listens first, then reads.
 *
 * A reader begins once Redis has confirmed the topic.
 * It reads after its position. It reads on when the log
 * has grown or messages may have been missed. Readers
 * at the same position share one read. A gap says why
 * the log cannot go on: trimmed, another epoch, a slow
 * consumer, a foreign cursor. It names where the log
 * resumes. Redis down: reads what the source has
 * without it; the resync brings the rest.
 */
import type { Logger } from "pino";
import { SingleFlight } from "../../domain/concurrency/single-flight.js";
import type {
  EventLogItem,
  EventLogPage,
  EventLogPosition,
  EventLogStart,
} from "../../domain/events/event-log.js";
import type { EventLogTopicKind, Topic } from "../../domain/events/events.js";
import type { PubSub } from "../../redis/pubsub/pubsub.js";
import { EventLogReader, type EventLogSource } from "./event-log-reader.js";
import { TopicRegistry } from "./topic-registry.js";

export type { EventLogSource } from "./event-log-reader.js";

/** Follows logs. */
export interface EventLogSubscriptions {
  /** Follows a log, beginning now; `return()` ends it at once. */
  follow<Event>(
    topic: Topic<EventLogTopicKind>,
    source: EventLogSource<Event>,
    start: EventLogStart,
  ): AsyncIterableIterator<EventLogItem<Event>>;
  /** Logs with a reader. */
  eventLogs(): number;
  /** Readers. */
  readers(): number;
  /** Ends every reader. Resolves when their topics are given back. */
  close(): Promise<void>;
}

type AnyReader = Pick<EventLogReader<unknown>, "onNews" | "resync" | "items">;
/** Reads that began in this turn, by position. */
type Reads = SingleFlight<EventLogPage<unknown>>;

/** Follows the logs of a process. */
export function createEventLogSubscriptions({
  pubsub,
  log,
}: {
  readonly pubsub: PubSub;
  readonly log: Logger;
}): EventLogSubscriptions {
  const readers = new Set<AnyReader>();
  let isClosed = false;
  const topics = new TopicRegistry<EventLogTopicKind, AnyReader, Reads>({
    pubsub,
    log,
    createState: () => new SingleFlight(),
    onMessage({ followers }, news) {
      for (const reader of followers) reader.onNews(news);
    },
  });

  return {
    follow(topic, source, start) {
      const open = topics.open(topic);
      const reader = new EventLogReader({
        source: { end: () => source.end(), read: (after) => shareReads(open.state, source, after) },
        start,
        onEnd() {
          readers.delete(reader);
          topics.release(open, reader);
        },
        log,
      });
      readers.add(reader);
      open.followers.add(reader);
      if (isClosed) reader.items.end();
      open.subscribed.then(
        () => reader.begin(),
        (error: unknown) => reader.items.fail(error),
      );
      return reader.items;
    },
    eventLogs: () => topics.size,
    readers: () => readers.size,
    async close() {
      isClosed = true;
      for (const reader of [...readers]) reader.items.end();
      await topics.close();
    },
  };
}

/** Shared within a turn: an older read may miss newer entries. */
function shareReads<Event>(
  reads: Reads,
  source: EventLogSource<Event>,
  after: EventLogPosition,
): Promise<EventLogPage<Event>> {
  const at = `${after.epoch}:${after.sequence}`;
  const page = reads.run(at, () => {
    queueMicrotask(() => reads.forget(at));
    return source.read(after);
  });
  return page as Promise<EventLogPage<Event>>;
}
