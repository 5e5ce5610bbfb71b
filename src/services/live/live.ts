/**
 * The hub of live values: who watches what, and when a
 * value is due.
 *
 * A watcher learns *that* an id is due, with the highest
 * version published. It reads the value itself. Every id is
 * due once all topics of the watcher are confirmed. Later,
 * publications and resyncs make it due again. Conflated: an
 * id that was taken is due again after `conflationMs` at the
 * earliest. It is due once then, for the latest publication.
 * Nothing is queued: a watcher keeps one state per id. Cost:
 * O(1) per publication and watcher of the topic. Redis down:
 * each id is due once, and again with the resync afterwards.
 */
import type { Logger } from "pino";
import { Stream } from "../../domain/concurrency/stream.js";
import type { TopicId, ValueTopicKind } from "../../domain/events/events.js";
import type { PubSub } from "../../redis/pubsub/pubsub.js";
import { TopicRegistry } from "./topic-registry.js";
import { Conflation, type DueValue, type WatchedTopic, WatchedValue } from "./watched-value.js";

export type { DueValue as Due } from "./watched-value.js";

/** Watches topics. */
export interface Live {
  /**
   * Watches ids of one kind, beginning now. Each is due
   * once the subscriptions are confirmed, then after
   * publications or resyncs. At most once per conflation
   * window. `return()` releases the topics at once, and
   * so does `close`.
   */
  watch<I extends TopicId>(
    kind: ValueTopicKind,
    ids: readonly I[],
  ): AsyncIterableIterator<DueValue<I>>;
  /** Everything watched is due: it may have changed unannounced. */
  refresh(): void;
  /** Topics with a watcher. */
  topics(): number;
  /** Watchers. */
  watchers(): number;
  /** Ends all watchers; resolves when topics are released. */
  close(): Promise<void>;
}

export interface LiveOptions {
  readonly pubsub: PubSub;
  /** Between two values of one id for one watcher; 0 conflates nothing. */
  readonly conflationMs: number;
  readonly log: Logger;
}

type LiveTopics = TopicRegistry<ValueTopicKind, WatchedValue, WatchedTopic["state"]>;

/** Makes the hub of a process. */
export function createLive({ pubsub, conflationMs, log }: LiveOptions): Live {
  const conflation = new Conflation(conflationMs);
  const watchers = new Set<Watcher>();
  let isClosed = false;
  const topics: LiveTopics = new TopicRegistry({
    pubsub,
    log,
    createState: () => ({ version: 0, seen: 0 }),
    onMessage({ state, followers }, { version, seen }) {
      state.version = Math.max(state.version, version);
      state.seen = Math.max(state.seen, seen);
      for (const slot of followers) slot.publish();
    },
  });

  const watch = (kind: ValueTopicKind, ids: readonly TopicId[]): Stream<DueValue> => {
    const watcher = new Watcher(topics, conflation, () => watchers.delete(watcher));
    if (isClosed) watcher.events.end();
    else {
      watchers.add(watcher);
      watcher.follow([...new Set(ids)].map((id) => topics.open({ kind, id })));
    }
    return watcher.events;
  };

  return {
    // A watcher hands out ids of its own topics alone.
    watch: <I extends TopicId>(kind: ValueTopicKind, ids: readonly I[]) =>
      watch(kind, ids) as AsyncIterableIterator<DueValue> as AsyncIterableIterator<DueValue<I>>,
    refresh: () => topics.resync(),
    topics: () => topics.size,
    watchers: () => watchers.size,
    async close() {
      isClosed = true;
      for (const watcher of [...watchers]) watcher.events.end();
      conflation.close();
      await topics.close();
    },
  };
}

/** One watcher: the ids that are due, in order. */
class Watcher {
  readonly events: Stream<DueValue>;
  private slots: readonly WatchedValue[] = [];
  private readonly due = new Set<WatchedValue>();

  constructor(
    private readonly topics: LiveTopics,
    private readonly conflation: Conflation,
    private readonly onEnd: () => void,
  ) {
    this.events = new Stream({ onNext: () => this.handOver(), onEnd: () => this.leave() });
  }

  /** Follows topics; every id is due once all are confirmed. */
  follow(open: readonly WatchedTopic[]): void {
    this.slots = open.map(
      (topic) => new WatchedValue(topic, this.conflation, (slot) => this.add(slot)),
    );
    for (const slot of this.slots) slot.topic.followers.add(slot);
    Promise.all(open.map(({ subscribed }) => subscribed)).then(
      () => {
        for (const slot of this.slots) slot.begin();
      },
      (error: unknown) => this.events.fail(error),
    );
  }

  private add(slot: WatchedValue): void {
    this.due.add(slot);
    this.handOver();
  }

  private handOver(): void {
    for (const slot of this.due) {
      if (!this.events.isWanting) return;
      this.due.delete(slot);
      this.events.offer(slot.take());
    }
  }

  private leave(): void {
    this.due.clear();
    for (const slot of this.slots) {
      slot.end();
      this.topics.release(slot.topic, slot);
    }
    this.onEnd();
  }
}
