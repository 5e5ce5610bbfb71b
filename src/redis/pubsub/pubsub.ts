/**
 * Live messages between processes: typed topics over Redis
 * pub/sub, one channel per topic.
 *
 * graphql-redis-subscriptions handles every message and
 * counts the subscriptions of a topic
 * (ioredis-stand-in.ts). Its iterator is not used: it
 * subscribes at the first `next()` and queues without
 * bound. `subscribe` resolves when Redis has confirmed.
 * Delivery is at most once, so subscribers read again after
 * {@link PubSub.onResync}. It follows a restored link, and
 * a topic that was confirmed too late. Redis down:
 * publishing rejects with RedisUnavailable within a
 * deadline; a subscription is kept and confirmed
 * afterwards.
 */
import { randomUUID } from "node:crypto";
import { RedisPubSub } from "graphql-redis-subscriptions";
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import { RedisUnavailable } from "../../domain/errors.js";
import type { Topic, TopicKind, TopicPayloads } from "../../domain/events/events.js";
import { withDeadline } from "../../domain/time/deadline.js";
import { SECOND } from "../../domain/time/time.js";
import { subscriberLink } from "../client/cluster-link.js";
import type { RedisConnection } from "../client/connect.js";
import type { CallTelemetry } from "../client/direct-call.js";
import { Heartbeat } from "../client/heartbeat.js";
import type { Keys } from "../client/keys.js";
import { Channels } from "./channels.js";
import { IoredisStandIn } from "./ioredis-stand-in.js";
import { messageListener, type ResyncListener, ResyncListeners } from "./listeners.js";
import { parseJson } from "./payloads.js";

/** Publishes and subscribes typed topics. */
export interface PubSub {
  /**
   * Publishes, after the write. One PUBLISH. Rejects with
   * RedisUnavailable; the message may have been sent all
   * the same.
   */
  publish<K extends TopicKind>(topic: Topic<K>, payload: TopicPayloads[K]): Promise<void>;
  /**
   * Resolves when Redis has confirmed, to a function that
   * unsubscribes; that one resolves when Redis has
   * confirmed the end. With Redis down it resolves
   * unconfirmed within a deadline, and a resync follows the
   * confirmation.
   * @throws RedisUnavailable when Redis refuses the
   * channel, or after `close`
   */
  subscribe<K extends TopicKind>(
    topic: Topic<K>,
    onMessage: (payload: TopicPayloads[K]) => void,
  ): Promise<() => Promise<void>>;
  /**
   * Calls the listener when messages may have been missed,
   * on one topic or (undefined) on any: read again. Returns
   * what ends it.
   */
  onResync(listener: ResyncListener): () => void;
  /** Ends every subscription; the connections stay open. */
  close(): Promise<void>;
}

export interface PubSubOptions {
  readonly publisher: RedisConnection;
  /** Does nothing else but subscribe. */
  readonly subscriber: RedisConnection;
  readonly keys: Keys;
  /** Time between beats; a link that misses three is given up. */
  readonly heartbeatMs: number;
  readonly telemetry: CallTelemetry;
  readonly log: Logger;
  /** Longest wait for a confirmation or a reply. Default 1 s. */
  readonly deadlineMs?: number;
}

/** Starts listening for its own heartbeat at once. */
export function createPubSub(options: PubSubOptions): PubSub {
  const { keys, log, deadlineMs = SECOND } = options;
  const resyncs = new ResyncListeners(log);
  const topics = new Map<string, Topic>();
  const links = openLinks({
    ...options,
    deadlineMs,
    onResync: () => resyncs.announce(undefined),
    onLate(channel) {
      // The heartbeat's channel has no topic, nor has one
      // that was left meanwhile.
      const topic = topics.get(channel);
      if (topic) resyncs.announce(topic);
    },
    onLeave: (channel) => topics.delete(channel),
  });
  const { standIn } = links;
  const library = new RedisPubSub({
    publisher: standIn as Pick<Redis, "publish"> as Redis,
    subscriber: standIn as Pick<Redis, "subscribe"> as Redis,
    deserializer: (text) => parseJson(`${text}`),
  });
  let isClosed = false;

  return {
    publish: ({ kind, id }, payload) => library.publish(keys.topic(kind, id), payload),
    async subscribe(topic, onMessage) {
      if (isClosed) throw new RedisUnavailable(new Error("pub/sub is closed"));
      const channel = keys.topic(topic.kind, topic.id);
      topics.set(channel, topic);
      const id = await library.subscribe(channel, messageListener(topic, onMessage, log));
      let released: Promise<void> | null = null;
      const release = () => (released ??= standIn.whenLeft(() => library.unsubscribe(id)));
      const refusal = standIn.refusalOf(channel);
      if (!refusal) return release;
      await release();
      throw refusal;
    },
    onResync: (listener) => resyncs.add(listener),
    async close() {
      if (isClosed) return;
      isClosed = true;
      resyncs.clear();
      await links.close();
    },
  };
}

interface LinkOptions extends PubSubOptions {
  readonly deadlineMs: number;
  /** Messages of any channel may have been missed. */
  readonly onResync: () => void;
  /** Messages of one channel may have been missed. */
  readonly onLate: (channel: string) => void;
  /** The last subscription of a channel has ended. */
  readonly onLeave: (channel: string) => void;
}

/** The subscriber's link, with its heartbeat and channels. */
function openLinks(options: LinkOptions) {
  const { publisher, heartbeatMs, telemetry, log, deadlineMs } = options;
  const link = subscriberLink(options.subscriber);
  const { subscriber } = link;
  const channel = options.keys.heartbeat(randomUUID());
  const heartbeat = new Heartbeat({
    publisher,
    subscriber,
    channel,
    heartbeatMs,
    telemetry,
    log,
  });
  const channels = new Channels({
    subscriber,
    confirmMs: deadlineMs,
    telemetry,
    log,
    onRestored: () => void resync(),
    onLate: options.onLate,
  });
  const standIn = new IoredisStandIn({
    publisher,
    subscriber,
    channels,
    deadlineMs,
    telemetry,
    onLeave: options.onLeave,
  });
  channels
    .join(channel)
    .catch((err: unknown) => log.error({ err }, "Redis refuses the heartbeat channel"));

  /** All read again, once the new link is proven. */
  async function resync(): Promise<void> {
    const { link: current } = channels;
    const announce = () => {
      if (channels.link === current) options.onResync();
    };
    if (!(await heartbeat.prove())) {
      // The publisher is in trouble, not this link:
      // SUBSCRIBE is confirmed, so messages arrive.
      // Announced again when proven.
      announce();
      await heartbeat.heard();
    }
    announce();
  }

  return {
    standIn,
    async close() {
      heartbeat.close();
      standIn.close();
      // The link may be silent: what is not confirmed ends with it.
      await withDeadline(channels.close(), deadlineMs, () => {}).catch(() => {});
      link.close();
    },
  };
}
