/**
 * Live messages between processes: typed topics over Redis pub/sub.
 *
 * One channel per topic. graphql-redis-subscriptions passes messages on in its callback form; its
 * iterator is not used, because it subscribes at the first `next()` and queues without bound. One
 * SUBSCRIBE per topic and process however many listen, confirmed before `subscribe` resolves.
 * Delivery is at most once, so whoever subscribes must read again when {@link PubSub.onResync} says
 * so: after a link was lost and is proven back, and for a topic whose SUBSCRIBE could not be
 * confirmed in time. Redis down: publishing rejects with RedisUnavailable within a deadline; a
 * subscription is remembered and made good afterwards.
 */
import { randomUUID } from "node:crypto";
import { RedisPubSub } from "graphql-redis-subscriptions";
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import { RedisUnavailable } from "../../domain/errors.js";
import type { Topic, TopicKind, TopicPayloads } from "../../domain/events/events.js";
import { SECOND } from "../../domain/time/time.js";
import { subscriberLink } from "../client/cluster-link.js";
import type { RedisConnection } from "../client/connect.js";
import { withinDeadline } from "../client/deadline.js";
import { Heartbeat } from "../client/heartbeat.js";
import type { Keys } from "../client/keys.js";
import { Channels } from "./channels.js";
import { parseJson, payloadOf } from "./payloads.js";

/** Publishes and hears typed topics. */
export interface PubSub {
  /**
   * Publishes after the write. One PUBLISH. Rejects with RedisUnavailable; the message may have
   * been sent all the same.
   */
  publish<K extends TopicKind>(topic: Topic<K>, payload: TopicPayloads[K]): Promise<void>;
  /**
   * Hears a topic. Resolves when Redis has confirmed it, to a function that stops; that one
   * resolves when Redis has confirmed the end. With Redis down it resolves unconfirmed within a
   * deadline, and a resync follows as soon as it is confirmed.
   * @throws RedisUnavailable when Redis refuses the channel, or after `close`
   */
  subscribe<K extends TopicKind>(
    topic: Topic<K>,
    onMessage: (payload: TopicPayloads[K]) => void,
  ): Promise<() => Promise<void>>;
  /**
   * Tells that messages may have been missed, on one topic or (undefined) on any: read again.
   * Returns what ends it.
   */
  onResync(listener: (topic: Topic | undefined) => void): () => void;
  /** Ends every subscription. The connections stay open for whoever opened them. */
  close(): Promise<void>;
}

/** What pub/sub needs. */
export interface PubSubOptions {
  readonly publisher: RedisConnection;
  /** Does nothing else but subscribe. */
  readonly subscriber: RedisConnection;
  readonly keys: Keys;
  /** Time between two beats; a link deaf for three of them is given up. */
  readonly heartbeatMs: number;
  readonly log: Logger;
  /** Longest wait for a confirmation or a reply. Default 1 s. */
  readonly deadlineMs?: number;
}

/** Publishes without a reply; more would pile up behind a link that has died. */
const MAX_UNANSWERED = 1_000;

/** Starts listening for its own heartbeat at once. */
export function createPubSub(options: PubSubOptions): PubSub {
  return new TopicPubSub(options);
}

class TopicPubSub implements PubSub {
  private readonly options: PubSubOptions;
  private readonly deadlineMs: number;
  private readonly link: ReturnType<typeof subscriberLink>;
  private readonly channels: Channels;
  private readonly heartbeat: Heartbeat;
  private readonly library: RedisPubSub;
  private readonly topics = new Map<string, Topic>();
  private readonly refusals = new Map<string, Error>();
  private readonly listeners = new Set<(topic: Topic | undefined) => void>();
  private onMessage: (channel: string, message: string) => void = () => {};
  /** The UNSUBSCRIBE that the library's last call caused. */
  private leaving: Promise<void> = Promise.resolve();
  private unanswered = 0;
  private closed = false;

  constructor(options: PubSubOptions) {
    const { publisher, keys, heartbeatMs, log, deadlineMs = SECOND } = options;
    const channel = keys.heartbeat(randomUUID());
    this.options = options;
    this.deadlineMs = deadlineMs;
    this.link = subscriberLink(options.subscriber);
    const { subscriber } = this.link;
    this.heartbeat = new Heartbeat({ publisher, subscriber, channel, heartbeatMs, log });
    this.channels = new Channels({
      subscriber,
      confirmMs: deadlineMs,
      log,
      onRestored: () => void this.announceProven(),
      onLate: (late) => this.announceLate(late),
    });
    this.library = new RedisPubSub({
      ...this.connections(),
      deserializer: (text) => parseJson(`${text}`),
    });
    this.channels
      .join(channel)
      .catch((err: unknown) => log.error({ err }, "Redis refuses the heartbeat channel"));
  }

  async publish<K extends TopicKind>(topic: Topic<K>, payload: TopicPayloads[K]): Promise<void> {
    await this.library.publish(this.channelOf(topic), payload);
  }

  async subscribe<K extends TopicKind>(
    topic: Topic<K>,
    onMessage: (payload: TopicPayloads[K]) => void,
  ): Promise<() => Promise<void>> {
    if (this.closed) throw new RedisUnavailable(new Error("pub/sub is closed"));
    const channel = this.channelOf(topic);
    this.topics.set(channel, topic);
    const id = await this.library.subscribe(channel, (raw: unknown) =>
      this.deliver(topic, raw, onMessage),
    );
    const release = this.releaseOnce(id);
    const refusal = this.refusals.get(channel);
    if (!refusal) return release;
    await release();
    throw refusal;
  }

  onResync(listener: (topic: Topic | undefined) => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    this.listeners.clear();
    this.heartbeat.close();
    this.link.subscriber.off("message", this.onMessage);
    await withinDeadline(this.channels.close(), this.deadlineMs).catch(() => {});
    this.link.close();
  }

  private channelOf({ kind, id }: Topic): string {
    return this.options.keys.topic(kind, id);
  }

  private releaseOnce(id: number): () => Promise<void> {
    let released: Promise<void> | null = null;
    const release = async () => {
      this.leaving = Promise.resolve();
      this.library.unsubscribe(id);
      await this.leaving;
    };
    return () => {
      released ??= release();
      return released;
    };
  }

  private deliver<K extends TopicKind>(
    topic: Topic<K>,
    raw: unknown,
    onMessage: (payload: TopicPayloads[K]) => void,
  ): void {
    const { log } = this.options;
    const parsed = payloadOf(topic.kind).safeParse(raw);
    if (!parsed.success) {
      log.warn(
        { topic, issues: parsed.error.issues.length },
        "dropped a message that is not one of ours",
      );
      return;
    }
    this.guarded(topic, () => onMessage(parsed.data));
  }

  /** A listener that throws keeps no other from hearing. */
  private guarded(topic: Topic | undefined, call: () => void): void {
    try {
      call();
    } catch (err) {
      this.options.log.error({ err, topic }, "a listener failed");
    }
  }

  /**
   * The messages of a lost link are gone: everybody reads again once this one is known to carry
   * messages.
   */
  private async announceProven(): Promise<void> {
    const { link } = this.channels;
    if (!(await this.heartbeat.prove())) {
      // The publisher is in trouble, not this link: SUBSCRIBE is confirmed, so others are heard.
      // Said again when proven.
      if (link === this.channels.link) this.announce(undefined);
      await this.heartbeat.heard();
    }
    if (link === this.channels.link) this.announce(undefined);
  }

  /** The heartbeat's own channel, or a topic that everybody has left meanwhile, concerns nobody. */
  private announceLate(channel: string): void {
    const topic = this.topics.get(channel);
    if (topic) this.announce(topic);
  }

  private announce(topic: Topic | undefined): void {
    for (const listener of this.listeners) this.guarded(topic, () => listener(topic));
  }

  /**
   * What the library takes for ioredis. It neither expects failures nor handles them, so none reach
   * it.
   */
  private connections(): { publisher: Redis; subscriber: Redis } {
    const publisher = {
      publish: (channel: string, text: string) => this.publishText(channel, text),
    };
    const subscriber = {
      on: (event: string, listener: (channel: string, message: string) => void) => {
        if (event !== "message") return;
        this.onMessage = listener;
        this.link.subscriber.on("message", listener);
      },
      subscribe: (channel: string, done: (error: null) => void) =>
        void this.join(channel).then(() => done(null)),
      unsubscribe: (channel: string) => this.leave(channel),
      punsubscribe: () => {},
    };
    return { publisher, subscriber } as unknown as { publisher: Redis; subscriber: Redis };
  }

  private async publishText(channel: string, text: string): Promise<void> {
    if (this.unanswered >= MAX_UNANSWERED)
      throw new RedisUnavailable(new Error(`${MAX_UNANSWERED} publications wait for a reply`));
    this.unanswered += 1;
    const reply = this.options.publisher.publish(channel, text).finally(() => {
      this.unanswered -= 1;
    });
    await withinDeadline(reply, this.deadlineMs);
  }

  private async join(channel: string): Promise<void> {
    this.refusals.delete(channel);
    await this.channels.join(channel).catch((error: Error) => this.refusals.set(channel, error));
  }

  private leave(channel: string): void {
    this.topics.delete(channel);
    this.refusals.delete(channel);
    this.leaving = this.channels.leave(channel);
  }
}
