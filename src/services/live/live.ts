/**
 * The hub of live values: who watches what, and when a value is due.
 *
 * One Redis subscription per topic and process however many watch it, given back when the last one
 * leaves. A watcher learns *that* an id is due, with the highest version published, and reads the
 * value itself: first for every id once all its topics are confirmed, then after publications and
 * resyncs. Conflated: after an id was taken it is due again at the earliest `conflationMs` later,
 * once, for the latest publication. Nothing is queued: a watcher keeps one state per id, however
 * slow it is. Cost: O(1) per publication and watcher of the topic. Redis down: watching begins with
 * a value all the same; what is missed is made good by the resync afterwards.
 */
import type { Logger } from "pino";
import type { TopicId, TopicKind, ValueTopicKind } from "../../domain/events/events.js";
import type { PubSub } from "../../redis/pubsub/pubsub.js";
import { Conflation, type Due, Slot, type WatchedTopic } from "./slot.js";

export type { Due } from "./slot.js";

/** Watches topics. */
export interface Live {
  /**
   * Watches ids of one kind, beginning now. Each is due once the subscriptions are confirmed, then
   * after every publication or resync, at most once per conflation window. `return()` lets go at
   * once, whatever is pending; `close` ends it.
   */
  watch<I extends TopicId>(kind: ValueTopicKind, ids: readonly I[]): AsyncIterableIterator<Due<I>>;
  /** Everything watched is due again: more of it may have changed than could be named. */
  refresh(): void;
  /** Topics with a watcher. */
  topics(): number;
  /** Watchers. */
  watchers(): number;
  /** Ends every watcher and resolves when their topics are given back. */
  close(): Promise<void>;
}

/** What the hub needs. */
export interface LiveOptions {
  readonly pubsub: PubSub;
  /**
   * Shortest time between two values of one id for one watcher; 0 sends every one that is taken in
   * time.
   */
  readonly conflationMs: number;
  readonly log: Logger;
}

/** Makes the hub of a process. */
export function createLive(options: LiveOptions): Live {
  return new Hub(options);
}

class Hub implements Live {
  private readonly options: LiveOptions;
  private readonly open = new Map<string, WatchedTopic>();
  private readonly all = new Set<Watcher>();
  private readonly releasing = new Set<Promise<void>>();
  private readonly conflation: Conflation;
  private readonly stopResync: () => void;
  private closed = false;

  constructor(options: LiveOptions) {
    this.options = options;
    this.conflation = new Conflation(options.conflationMs);
    this.stopResync = options.pubsub.onResync((topic) =>
      this.resync(topic && keyOf(topic.kind, topic.id)),
    );
  }

  watch<I extends TopicId>(kind: ValueTopicKind, ids: readonly I[]): AsyncIterableIterator<Due<I>> {
    const watcher = new Watcher(this.conflation, (ended) => this.leave(ended));
    // A watcher hands out ids of its own topics alone.
    const events = watcher as AsyncIterableIterator<Due> as AsyncIterableIterator<Due<I>>;
    if (this.closed) {
      watcher.end();
      return events;
    }
    this.all.add(watcher);
    const topics = [...new Set(ids)].map((id) => this.topic(kind, id));
    watcher.attach(topics);
    Promise.all(topics.map(({ opened }) => opened)).then(
      () => watcher.begin(),
      (error: unknown) => watcher.fail(error),
    );
    return events;
  }

  topics(): number {
    return this.open.size;
  }

  watchers(): number {
    return this.all.size;
  }

  refresh(): void {
    this.resync(undefined);
  }

  async close(): Promise<void> {
    this.closed = true;
    this.stopResync();
    for (const watcher of [...this.all]) watcher.end();
    this.conflation.close();
    await Promise.all(this.releasing);
  }

  private topic(kind: ValueTopicKind, id: TopicId): WatchedTopic {
    const key = keyOf(kind, id);
    const known = this.open.get(key);
    if (known) return known;
    const opened = this.options.pubsub.subscribe({ kind, id }, ({ version, seen }) =>
      publish(topic, version, seen),
    );
    const topic: WatchedTopic = { id, key, version: 0, seen: 0, slots: new Set(), opened };
    this.open.set(key, topic);
    return topic;
  }

  private leave(watcher: Watcher): void {
    this.all.delete(watcher);
    for (const slot of watcher.slots) {
      const { topic } = slot;
      topic.slots.delete(slot);
      if (topic.slots.size === 0 && this.open.delete(topic.key)) this.release(topic);
    }
  }

  private release({ opened, key }: WatchedTopic): void {
    const released = opened
      .then((release) => release())
      .catch((err: unknown) => this.options.log.debug({ err, topic: key }, "nothing to release"));
    this.releasing.add(released);
    void released.finally(() => this.releasing.delete(released));
  }

  private resync(key: string | undefined): void {
    const topics = key === undefined ? this.open.values() : [this.open.get(key)];
    for (const topic of topics) for (const slot of topic?.slots ?? []) slot.resync();
  }
}

const keyOf = (kind: TopicKind, id: TopicId): string => `${kind}:${id}`;

function publish(topic: WatchedTopic, version: number, seen: number): void {
  topic.version = Math.max(topic.version, version);
  topic.seen = Math.max(topic.seen, seen);
  for (const slot of topic.slots) slot.publish();
}

/** One watcher: the ids that are due, in order, and who waits for them. */
class Watcher implements AsyncIterableIterator<Due> {
  slots: readonly Slot[] = [];
  private readonly due = new Set<Slot>();
  private readonly waiting: {
    resolve(result: IteratorResult<Due>): void;
    reject(error: unknown): void;
  }[] = [];
  private ended = false;
  private failure: { readonly error: unknown } | null = null;

  constructor(
    private readonly conflation: Conflation,
    private readonly leave: (watcher: Watcher) => void,
  ) {}

  /** Hears of the topics from now on; nothing is due before {@link begin}. */
  attach(topics: readonly WatchedTopic[]): void {
    this.slots = topics.map(
      (topic) => new Slot(topic, this.conflation, (slot) => this.becomeDue(slot)),
    );
    for (const slot of this.slots) slot.topic.slots.add(slot);
  }

  /** Every id is due. */
  begin(): void {
    if (!this.ended) for (const slot of this.slots) slot.begin();
  }

  /** Ends with an error, told once. */
  fail(error: unknown): void {
    if (this.ended) return;
    const first = this.waiting.shift();
    if (first) first.reject(error);
    else this.failure = { error };
    this.end();
  }

  /** Lets go of everything at once. */
  end(): this {
    if (this.ended) return this;
    this.ended = true;
    for (const slot of this.slots) slot.end();
    this.due.clear();
    this.leave(this);
    for (const { resolve } of this.waiting.splice(0)) resolve({ done: true, value: undefined });
    return this;
  }

  async next(): Promise<IteratorResult<Due>> {
    if (this.failure) {
      const { error } = this.failure;
      this.failure = null;
      throw error;
    }
    if (this.ended) return { done: true, value: undefined };
    const [slot] = this.due;
    if (slot) return { done: false, value: this.take(slot) };
    return new Promise((resolve, reject) => this.waiting.push({ resolve, reject }));
  }

  async return(): Promise<IteratorResult<Due>> {
    this.end();
    return { done: true, value: undefined };
  }

  async throw(error: unknown): Promise<IteratorResult<Due>> {
    this.end();
    throw error;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  private becomeDue(slot: Slot): void {
    const next = this.waiting.shift();
    if (next) next.resolve({ done: false, value: this.take(slot) });
    else this.due.add(slot);
  }

  private take(slot: Slot): Due {
    this.due.delete(slot);
    return slot.take();
  }
}
