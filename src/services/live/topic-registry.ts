/**
 * The topics that a process follows: one subscription
 * per topic, however many followers it has.
 *
 * The first follower opens a topic. The last one to
 * leave gives it back, at once. Followers are resynced
 * when messages may have been missed. What they share
 * is the topic's `state`. Redis down: a topic opens
 * unconfirmed, and a resync follows.
 */
import type { Logger } from "pino";
import type { Topic, TopicKind, TopicPayloads } from "../../domain/events/events.js";
import type { PubSub } from "../../redis/pubsub/pubsub.js";

/** A topic with followers. */
export interface OpenTopic<K extends TopicKind, Follower, State> {
  readonly topic: Topic<K>;
  readonly followers: Set<Follower>;
  readonly state: State;
  /** Resolves to what ends the subscription, once it is confirmed. */
  readonly subscribed: Promise<() => Promise<void>>;
}

export interface TopicRegistryDeps<K extends TopicKind, Follower, State> {
  readonly pubsub: Pick<PubSub, "subscribe" | "onResync">;
  readonly log: Logger;
  /** Makes the state of a topic that opens. */
  readonly createState: () => State;
  readonly onMessage: (open: OpenTopic<K, Follower, State>, payload: TopicPayloads[K]) => void;
}

/** Follows topics of some kinds. */
export class TopicRegistry<K extends TopicKind, Follower extends { resync(): void }, State> {
  private readonly topics = new Map<string, OpenTopic<K, Follower, State>>();
  private readonly releasing = new Set<Promise<void>>();
  private readonly stopResync: () => void;

  constructor(private readonly deps: TopicRegistryDeps<K, Follower, State>) {
    this.stopResync = deps.pubsub.onResync((topic) => this.resync(topic));
  }

  /** Topics with a follower. */
  get size(): number {
    return this.topics.size;
  }

  /** Subscribes unless open. The caller adds a follower in this turn. */
  open(topic: Topic<K>): OpenTopic<K, Follower, State> {
    const known = this.topics.get(topicKey(topic));
    if (known) return known;
    const { pubsub, createState, onMessage } = this.deps;
    const open: OpenTopic<K, Follower, State> = {
      topic,
      followers: new Set(),
      state: createState(),
      subscribed: pubsub.subscribe(topic, (payload) => onMessage(open, payload)),
    };
    this.topics.set(topicKey(topic), open);
    return open;
  }

  /** A follower leaves; the last one ends the subscription. Idempotent. */
  release(open: OpenTopic<K, Follower, State>, follower: Follower): void {
    if (!open.followers.delete(follower) || open.followers.size > 0) return;
    const key = topicKey(open.topic);
    this.topics.delete(key);
    const released = open.subscribed
      .then((unsubscribe) => unsubscribe())
      .catch((err: unknown) => this.deps.log.debug({ err, topic: key }, "nothing to release"));
    this.releasing.add(released);
    void released.finally(() => this.releasing.delete(released));
  }

  /** A topic, or all, may have missed messages. */
  resync(topic?: Topic): void {
    const open = topic ? [this.topics.get(topicKey(topic))] : this.topics.values();
    for (const one of open) for (const follower of one?.followers ?? []) follower.resync();
  }

  /** Resolves when the topics that were released are given back. */
  async close(): Promise<void> {
    this.stopResync();
    await Promise.all(this.releasing);
  }
}

const topicKey = ({ kind, id }: Topic): string => `${kind}:${id}`;
