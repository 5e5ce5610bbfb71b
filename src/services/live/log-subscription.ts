/**
 * The one driver of every log subscription: it listens first, then reads.
 *
 * One Redis subscription per log and process however many follow it, given back when the last one
 * leaves. A reader begins once Redis has confirmed it, reads after its position, and reads on when
 * the log is announced to have grown or something may have been missed; readers at the same
 * position share one read. Where the log cannot go on (trimmed, another epoch, a slow consumer, a
 * cursor of another log) a gap says why, and with which position it goes on. Never silence. Redis
 * down: reading goes on as far as the source can without; what was published meanwhile follows with
 * the resync.
 */
import type { Logger } from "pino";
import type { LogNews, LogTopicKind, Topic } from "../../domain/events/events.js";
import type { LogItem, LogPage, LogPosition, LogStart } from "../../domain/events/log.js";
import type { PubSub } from "../../redis/pubsub/pubsub.js";
import { LogReader, type LogSource } from "./log-reader.js";

export type { LogSource } from "./log-reader.js";

/** Follows logs. */
export interface LogSubscriptions {
  /** Follows a log from `start`, beginning now. `return()` lets go at once; `close` ends it. */
  follow<Event>(
    topic: Topic<LogTopicKind>,
    source: LogSource<Event>,
    start: LogStart,
  ): AsyncIterableIterator<LogItem<Event>>;
  /** Logs with a reader. */
  logs(): number;
  /** Readers. */
  readers(): number;
  /** Ends every reader and resolves when their subscriptions are given back. */
  close(): Promise<void>;
}

/** What is told of a log. */
type Listener = Pick<LogReader<unknown>, "hear" | "resync" | "end">;

/** A log that is followed here. */
interface Followed {
  readonly key: string;
  readonly readers: Set<Listener>;
  /** Reads under way, by position: whoever stands there shares it. */
  readonly reads: Map<string, Promise<LogPage<unknown>>>;
  /** Resolves when the subscription is confirmed, to what ends it. */
  readonly opened: Promise<() => Promise<void>>;
}

/** Makes the driver of a process. */
export function createLogSubscriptions({
  pubsub,
  log,
}: {
  readonly pubsub: PubSub;
  readonly log: Logger;
}): LogSubscriptions {
  return new Driver(pubsub, log);
}

class Driver implements LogSubscriptions {
  private readonly open = new Map<string, Followed>();
  private readonly releasing = new Set<Promise<void>>();
  private readonly stopResync: () => void;
  private closed = false;

  constructor(
    private readonly pubsub: PubSub,
    private readonly log: Logger,
  ) {
    this.stopResync = pubsub.onResync((topic) => this.resync(topic && keyOf(topic)));
  }

  follow<Event>(
    topic: Topic<LogTopicKind>,
    source: LogSource<Event>,
    start: LogStart,
  ): AsyncIterableIterator<LogItem<Event>> {
    const followed = this.followed(topic);
    const shared = {
      end: () => source.end(),
      read: (after: LogPosition) => share(followed, after, () => source.read(after)),
    };
    const reader = new LogReader<Event>({
      source: shared,
      start,
      leave: () => this.leave(followed, reader),
      log: this.log,
    });
    followed.readers.add(reader);
    if (this.closed) return reader.end();
    followed.opened.then(
      () => reader.begin(),
      (error: unknown) => reader.fail(error),
    );
    return reader;
  }

  logs(): number {
    return this.open.size;
  }

  readers(): number {
    return [...this.open.values()].reduce((sum, { readers }) => sum + readers.size, 0);
  }

  async close(): Promise<void> {
    this.closed = true;
    this.stopResync();
    for (const { readers } of [...this.open.values()])
      for (const reader of [...readers]) reader.end();
    await Promise.all(this.releasing);
  }

  private followed(topic: Topic<LogTopicKind>): Followed {
    const key = keyOf(topic);
    const known = this.open.get(key);
    if (known) return known;
    const readers = new Set<Listener>();
    const hear = (news: LogNews): void => {
      for (const reader of readers) reader.hear(news);
    };
    const followed = { key, readers, reads: new Map(), opened: this.pubsub.subscribe(topic, hear) };
    this.open.set(key, followed);
    return followed;
  }

  private leave(followed: Followed, reader: Listener): void {
    followed.readers.delete(reader);
    if (followed.readers.size > 0) return;
    this.open.delete(followed.key);
    const released = followed.opened
      .then((release) => release())
      .catch((err: unknown) => this.log.debug({ err, topic: followed.key }, "nothing to release"));
    this.releasing.add(released);
    void released.finally(() => this.releasing.delete(released));
  }

  private resync(key: string | undefined): void {
    const logs = key === undefined ? this.open.values() : [this.open.get(key)];
    for (const followed of logs) for (const reader of followed?.readers ?? []) reader.resync();
  }
}

const keyOf = ({ kind, id }: Topic): string => `${kind}:${id}`;

/**
 * A read that began before somebody came to the same position may miss what they were told of: it
 * is shared only within a turn.
 */
function share<Event>(
  { reads }: Followed,
  { epoch, sequence }: LogPosition,
  read: () => Promise<LogPage<Event>>,
): Promise<LogPage<Event>> {
  const at = `${epoch}:${sequence}`;
  const running = reads.get(at);
  if (running) return running as Promise<LogPage<Event>>;
  const page = read();
  reads.set(at, page);
  queueMicrotask(() => reads.delete(at));
  return page;
}
