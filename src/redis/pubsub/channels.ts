/**
 * The channels that one subscriber connection listens on,
 * kept through reconnects.
 *
 * SUBSCRIBE and UNSUBSCRIBE are sent only while the link is
 * up. In an outage only the set of wanted channels is kept,
 * so nothing queues. On every new link this file subscribes
 * all of them again. *Restored* is announced once Redis has
 * confirmed each: ioredis forgets its own resubscription
 * when the link breaks again before. Who listens is not
 * counted here: a channel is joined once and left once
 * (ioredis-stand-in.ts). Redis down: a join goes on
 * unconfirmed and is made good on the next link; then
 * `onRestored` follows.
 */
import { type Redis, ReplyError } from "ioredis";
import type { Logger } from "pino";
import { RedisUnavailable } from "../../domain/errors.js";
import { type Backoff, backoffMs } from "../../domain/time/backoff.js";
import {
  type CallTelemetry,
  createDirectCaller,
  type DirectCaller,
} from "../client/direct-call.js";
import { ChannelJoin } from "./channel-join.js";

export interface ChannelsOptions {
  /** A connection that does nothing else but subscribe. */
  readonly subscriber: Redis;
  /** Longest wait for a confirmation; a join goes on without. */
  readonly confirmMs: number;
  readonly telemetry: CallTelemetry;
  readonly log: Logger;
  /**
   * Every wanted channel is confirmed on a new link.
   * Messages of some may have been missed before.
   */
  readonly onRestored: () => void;
  /**
   * A channel whose join went on unconfirmed is confirmed
   * now: what was published before may have been missed.
   */
  readonly onLate: (channel: string) => void;
}

/** The wait before a SUBSCRIBE that got an error is sent again. */
const SUBSCRIBE_RETRY: Backoff = { firstMs: 500, longestMs: 500 };

/** Bounds the size of one command. */
const CHANNELS_PER_COMMAND = 500;

/**
 * The channels of a connection, which stays open when they are
 * closed.
 */
export class Channels {
  private readonly options: ChannelsOptions;
  private readonly direct: DirectCaller;
  private readonly wanted = new Map<string, ChannelJoin>();
  /** Rises with each link and loss; other links' answers are ignored. */
  private links = 0;
  private downSinceMs: number | null = performance.now();
  private readonly onReady = (): void => void this.restore();
  private readonly onClose = (): void => this.lose();

  constructor(options: ChannelsOptions) {
    this.options = options;
    this.direct = createDirectCaller(options.telemetry, "pubsub");
    // What ioredis sends again by itself fails unhandled
    // when the link breaks once more. It also joins
    // channels that were left meanwhile.
    Object.assign(options.subscriber.options, {
      autoResubscribe: false,
      autoResendUnfulfilledCommands: false,
    });
    options.subscriber.on("ready", this.onReady).on("close", this.onClose);
    if (options.subscriber.status === "ready") this.onReady();
  }

  /** The link; messages may have been lost since another number. */
  get link(): number {
    return this.links;
  }

  /**
   * Listens on a channel. One SUBSCRIBE. Resolves when
   * Redis has confirmed it, or unconfirmed after
   * `confirmMs` (at once when Redis has been down for so
   * long).
   * @throws RedisUnavailable when Redis refuses the channel
   * (ACL)
   */
  async join(channel: string): Promise<void> {
    const joined = new ChannelJoin();
    this.wanted.set(channel, joined);
    if (this.downSinceMs === null) void this.subscribeNew(channel, joined);
    const refusal = await joined.settledWithin(this.patienceMs());
    if (refusal) throw new RedisUnavailable(refusal);
  }

  /**
   * Stops listening. One UNSUBSCRIBE; resolves when Redis
   * has confirmed it, or at once without a link.
   */
  async leave(channel: string): Promise<void> {
    if (this.wanted.delete(channel)) await this.unsubscribe([channel]);
  }

  async close(): Promise<void> {
    this.options.subscriber.off("ready", this.onReady).off("close", this.onClose);
    const channels = [...this.wanted.keys()];
    this.wanted.clear();
    await this.unsubscribe(channels);
  }

  private async subscribeNew(channel: string, joined: ChannelJoin): Promise<void> {
    if (await this.subscribeOne(channel, joined)) this.options.onLate(channel);
  }

  private patienceMs(): number {
    const { confirmMs } = this.options;
    return this.downSinceMs === null
      ? confirmMs
      : Math.max(0, this.downSinceMs + confirmMs - performance.now());
  }

  /** True when confirmed, and messages may have been missed before. */
  private async subscribeOne(channel: string, joined: ChannelJoin): Promise<boolean> {
    const sentOn = this.links;
    try {
      await this.subscribe([channel]);
      return sentOn === this.links && joined.confirm() === "late";
    } catch (error) {
      // Anything but a reply means that the link is gone.
      // The next one takes the channel up.
      if (error instanceof ReplyError && sentOn === this.links)
        this.onReplyError(error as Error, channel, joined);
      return false;
    }
  }

  /** NOPERM is final; other errors, as of a lost slot, may pass. */
  private onReplyError(error: Error, channel: string, joined: ChannelJoin): void {
    if (/^NOPERM/.test(error.message)) {
      this.refuse(channel, joined, error);
      return;
    }
    this.options.log.warn(
      { err: error.message, channel },
      "a channel could not be subscribed and is tried again",
    );
    const again = () => {
      if (this.wanted.get(channel) === joined && this.downSinceMs === null)
        void this.subscribeNew(channel, joined);
    };
    setTimeout(again, backoffMs(1, SUBSCRIBE_RETRY)).unref();
  }

  private refuse(channel: string, joined: ChannelJoin, refusal: Error): void {
    this.options.log.error({ err: refusal, channel }, "Redis refuses a channel");
    // A join that has succeeded before can report nothing:
    // tried again on the next link.
    if (!joined.doubted && this.wanted.get(channel) === joined) this.wanted.delete(channel);
    joined.refuse(refusal);
  }

  /** A link that is lost takes its subscriptions with it. */
  private async unsubscribe(channels: readonly string[]): Promise<void> {
    if (this.downSinceMs !== null) return;
    const { subscriber } = this.options;
    await Promise.all(
      chunks(channels).map((some) =>
        this.direct.send("unsubscribe", () => subscriber.unsubscribe(...some)),
      ),
    ).catch(() => {});
  }

  /** A confirmation counts, however late it comes. */
  private async subscribe(channels: readonly string[]): Promise<void> {
    const { subscriber } = this.options;
    await this.direct.send("subscribe", () => subscriber.subscribe(...channels));
  }

  private async restore(): Promise<void> {
    this.downSinceMs = null;
    const sentOn = ++this.links;
    const late = await this.subscribeAll([...this.wanted]);
    // The first link has missed nothing, unless a join went
    // on without it.
    if (sentOn === this.links && late) this.options.onRestored();
  }

  /** True when all are confirmed, and some may have missed messages. */
  private async subscribeAll(
    joined: readonly (readonly [string, ChannelJoin])[],
  ): Promise<boolean> {
    const sentOn = this.links;
    try {
      await Promise.all(
        chunks(joined.map(([channel]) => channel)).map((some) => this.subscribe(some)),
      );
      return (
        sentOn === this.links &&
        joined.filter(([, channel]) => channel.confirm() === "late").length > 0
      );
    } catch (error) {
      if (!(error instanceof ReplyError)) return false;
      // One channel without the right fails the whole
      // command: find out which.
      const late = await Promise.all(
        joined.map(([channel, one]) => this.subscribeOne(channel, one)),
      );
      return late.includes(true);
    }
  }

  private lose(): void {
    this.links += 1;
    this.downSinceMs ??= performance.now();
    for (const [channel, joined] of this.wanted)
      if (joined.confirmed) this.wanted.set(channel, new ChannelJoin({ doubted: true }));
  }
}

function chunks(channels: readonly string[]): string[][] {
  const count = Math.ceil(channels.length / CHANNELS_PER_COMMAND);
  return Array.from({ length: count }, (_, index) =>
    channels.slice(index * CHANNELS_PER_COMMAND, (index + 1) * CHANNELS_PER_COMMAND),
  );
}
