/**
 * The heartbeat: a subscriber that hears its own beat is
 * alive. TCP alone notices only after minutes.
 *
 * Every `heartbeatMs` the publisher publishes a beat on a
 * channel of this connection alone. The subscriber is pinged
 * on its own link, which distinguishes the two. Three beats
 * of silence reconnect the silent link. A subscriber that
 * missed three beats which Redis took is reconnected, too.
 * Redis down: ioredis reconnects, and the heartbeat waits. At
 * most one beat and one ping are under way.
 */
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import type { RedisConnection } from "./connect.js";
import { type CallTelemetry, createDirectCaller, type DirectCaller } from "./direct-call.js";

export interface HeartbeatOptions {
  readonly publisher: RedisConnection;
  readonly subscriber: Redis;
  /**
   * The channel of this connection alone. The owner of the
   * heartbeat subscribes it.
   */
  readonly channel: string;
  readonly heartbeatMs: number;
  readonly telemetry: CallTelemetry;
  readonly log: Logger;
  /**
   * Only a beat proves the subscriber alive: it went through
   * the publisher too. Nothing is pinged, and the publisher is
   * left to its owner. Default: each link is proved by itself.
   */
  readonly loop?: HeartbeatLoop;
}

export interface HeartbeatLoop {
  /**
   * Whether Redis takes beats. Without them a deaf subscriber
   * is not reconnected.
   */
  readonly canBeat: () => boolean;
  readonly onDeaf: () => void;
  /** Called after each beat. */
  readonly onBeat: () => void;
}

/**
 * One missed beat may be late, two may be a slow server.
 * Three are a dead link.
 */
const DEAF_BEATS = 3;
/**
 * Silence is judged at a beat: the reply to the third may
 * just not have come.
 */
const PATIENCE_BEATS = DEAF_BEATS - 0.5;

export class Heartbeat {
  private readonly options: HeartbeatOptions;
  private readonly direct: DirectCaller;
  private readonly publisher: LinkWatch;
  private readonly subscriber: LinkWatch;
  private readonly timer: NodeJS.Timeout;
  private beating: Promise<boolean> | null = null;
  private pinging = false;
  private tickedMs = performance.now();
  /** Beats that Redis took since one was heard. */
  private unheard = 0;
  private listeners = new Set<() => void>();
  private readonly onMessage = (channel: string): void => {
    if (channel === this.options.channel) this.confirm();
  };

  constructor(options: HeartbeatOptions) {
    this.options = options;
    this.direct = createDirectCaller(options.telemetry, "heartbeat");
    this.publisher = new LinkWatch(options.publisher);
    this.subscriber = new LinkWatch(options.subscriber);
    options.subscriber.on("message", this.onMessage);
    this.timer = setInterval(() => this.tick(), options.heartbeatMs);
    // A process that has nothing else to do may end.
    this.timer.unref();
  }

  /**
   * Publishes a beat now. True when it was heard, false when
   * it could not be published. Pending while neither is known.
   */
  async prove(): Promise<boolean> {
    const heard = this.heard();
    // A beat under way may have been published before this link
    // listened.
    await this.beating;
    return (await this.beat()) ? heard.then(() => true) : false;
  }

  /** Resolves with the next beat that is heard. */
  heard(): Promise<void> {
    return new Promise((resolve) => this.listeners.add(resolve));
  }

  /** Stops beating. The connections stay open. */
  close(): void {
    clearInterval(this.timer);
    this.options.subscriber.off("message", this.onMessage);
    this.publisher.close();
    this.subscriber.close();
    this.listeners.clear();
  }

  private confirm(): void {
    this.unheard = 0;
    this.subscriber.alive();
    const listeners = this.listeners;
    this.listeners = new Set();
    for (const listener of listeners) listener();
  }

  /** Starts the patience with the subscriber anew. */
  excuse(): void {
    this.unheard = 0;
    this.subscriber.alive();
  }

  private tick(): void {
    const { loop, heartbeatMs } = this.options;
    if (this.wasAsleep()) {
      this.subscriber.alive(loop ? heartbeatMs : 0);
      this.publisher.alive();
    }
    this.judge();
    if (!loop || loop.canBeat()) void this.beat();
    if (!loop) void this.ping();
    loop?.onBeat();
  }

  /**
   * A process that was stopped or busy has unread messages:
   * silence proves nothing.
   */
  private wasAsleep(): boolean {
    const sinceMs = performance.now() - this.tickedMs;
    this.tickedMs += sinceMs;
    return sinceMs > 2 * this.options.heartbeatMs;
  }

  private judge(): void {
    const { loop, heartbeatMs } = this.options;
    const patienceMs = PATIENCE_BEATS * heartbeatMs;
    if (this.subscriber.silentMs() > patienceMs || this.unheard >= DEAF_BEATS) this.deafen();
    if (!loop && this.publisher.silentMs() > patienceMs) this.revive(this.publisher, "publisher");
  }

  private deafen(): void {
    const { loop } = this.options;
    this.excuse();
    loop?.onDeaf();
    if (!loop || loop.canBeat()) this.revive(this.subscriber, "subscriber");
  }

  private revive(link: LinkWatch, role: string): void {
    this.options.log.warn({ role }, "a connection to Redis is deaf: reconnecting it");
    link.reconnect();
  }

  /** One PUBLISH. True when Redis took it. */
  private beat(): Promise<boolean> {
    this.beating ??= this.publish().finally(() => {
      this.beating = null;
    });
    return this.beating;
  }

  private async publish(): Promise<boolean> {
    const { publisher, channel, heartbeatMs } = this.options;
    try {
      await this.direct.sendWithin(DEAF_BEATS * heartbeatMs, "beat", () =>
        publisher.publish(channel, ""),
      );
    } catch {
      return false;
    }
    this.publisher.alive();
    this.unheard += 1;
    return true;
  }

  private async ping(): Promise<void> {
    const { subscriber, heartbeatMs } = this.options;
    if (this.pinging || subscriber.status !== "ready") return;
    this.pinging = true;
    try {
      await this.direct.sendWithin(DEAF_BEATS * heartbeatMs, "ping", () => subscriber.ping());
      this.subscriber.alive();
    } catch {
      // Silence is judged at the next beats.
    }
    this.pinging = false;
  }
}

/** When something last came over a connection. */
class LinkWatch {
  private lastMs = performance.now();
  private readonly onChange = (): void => this.alive();

  constructor(private readonly connection: RedisConnection) {
    connection.on("connect", this.onChange).on("ready", this.onChange);
  }

  /**
   * Something came, so long ago; never takes back what came
   * later.
   */
  alive(agoMs = 0): void {
    this.lastMs = Math.max(this.lastMs, performance.now() - agoMs);
  }

  /** 0 while ioredis is making a connection. */
  silentMs(): number {
    const { status } = this.connection;
    return status === "ready" || status === "connect" ? performance.now() - this.lastMs : 0;
  }

  /** Gives the connection up; ioredis makes a new one. */
  reconnect(): void {
    this.alive();
    this.connection.disconnect(true);
    // A polite end waits for a FIN that a black hole swallows.
    if ("stream" in this.connection) this.connection.stream.destroy();
  }

  close(): void {
    this.connection.off("connect", this.onChange).off("ready", this.onChange);
  }
}
