/**
 * The connections that graphql-redis-subscriptions takes
 * for ioredis.
 *
 * The library serialises and parses, and counts the
 * subscriptions of a channel. Its first one calls
 * `subscribe`, its last one `unsubscribe`. A message goes
 * to all of them. It has no deadline and neither expects
 * failures nor lost links. Those are ours: channels.ts
 * keeps channels joined through reconnects. This file gives
 * PUBLISH a deadline and a bound. No failed SUBSCRIBE
 * reaches the library, which would keep a subscription half
 * made; `refusalOf` says it instead.
 */
import type { Redis } from "ioredis";
import { RedisUnavailable } from "../../domain/errors.js";
import type { RedisConnection } from "../client/connect.js";
import {
  type CallTelemetry,
  createDirectCaller,
  type DirectCaller,
} from "../client/direct-call.js";
import type { Channels } from "./channels.js";

export interface IoredisStandInDeps {
  readonly publisher: RedisConnection;
  readonly subscriber: Redis;
  readonly channels: Pick<Channels, "join" | "leave">;
  /** Longest wait for the reply to a PUBLISH. */
  readonly deadlineMs: number;
  readonly telemetry: CallTelemetry;
  /** The last subscription of a channel has ended. */
  readonly onLeave: (channel: string) => void;
}

type Listener = Parameters<Redis["on"]>[1];

/**
 * Publications without a reply; more would pile up behind a dead
 * link.
 */
const MAX_UNANSWERED = 1_000;

/** Stands in for both connections of the library. */
export class IoredisStandIn
  implements Pick<Redis, "on" | "publish" | "subscribe" | "unsubscribe" | "punsubscribe">
{
  private readonly refusals = new Map<string, Error>();
  private onMessage: Listener = () => {};
  /** The UNSUBSCRIBE of the last call of the library. */
  private leaving: Promise<void> = Promise.resolve();
  private unanswered = 0;
  private readonly direct: DirectCaller;

  constructor(private readonly deps: IoredisStandInDeps) {
    this.direct = createDirectCaller(deps.telemetry, "pubsub");
  }

  /** Why Redis refuses a channel that the library has subscribed. */
  refusalOf(channel: string): Error | undefined {
    return this.refusals.get(channel);
  }

  /** Resolves when the UNSUBSCRIBE that `call` causes is confirmed. */
  async whenLeft(call: () => void): Promise<void> {
    this.leaving = Promise.resolve();
    call();
    await this.leaving;
  }

  /** Hands no more messages over. */
  close(): void {
    this.deps.subscriber.off("message", this.onMessage);
  }

  on(event: string | symbol, listener: Listener): Redis {
    const { subscriber } = this.deps;
    if (event !== "message") return subscriber;
    this.onMessage = listener;
    return subscriber.on("message", listener);
  }

  async publish(channel: string | Buffer, text: string | Buffer): Promise<number> {
    if (this.unanswered >= MAX_UNANSWERED)
      throw new RedisUnavailable(new Error(`${MAX_UNANSWERED} publications wait for a reply`));
    this.unanswered += 1;
    return this.direct.sendWithin(this.deps.deadlineMs, "publish", () =>
      this.deps.publisher.publish(channel, text).finally(() => {
        this.unanswered -= 1;
      }),
    );
  }

  async subscribe(...args: unknown[]): Promise<void> {
    const [channel, done] = args as [string, (error: null) => void];
    this.refusals.delete(channel);
    await this.deps.channels
      .join(channel)
      .catch((error: Error) => this.refusals.set(channel, error));
    done(null);
  }

  async unsubscribe(...args: unknown[]): Promise<void> {
    const [channel] = args as [string];
    this.refusals.delete(channel);
    this.deps.onLeave(channel);
    this.leaving = this.deps.channels.leave(channel);
    await this.leaving;
  }

  async punsubscribe(): Promise<void> {}
}
