/**
 * Keeps the local cache level coherent: Redis reports every
 * change of a tag. `CLIENT TRACKING … BCAST` on the prefix of
 * the tags redirects the reports to a second connection
 * (RESP2). Only tags are tracked; tracking entries would
 * broadcast every fill.
 *
 * The level is on only while both connections are those of
 * the last set-up. The listener must also hear its own beat,
 * sent through the other: a silent link gives no error. When
 * either is lost the level is emptied at once. One set-up
 * runs at a time, and starts again when anything changed
 * meanwhile: two would switch each other's tracking off. In a
 * Cluster the level stays off (docs/decisions/0001-cache.md).
 * There, and without room, the listener only hears of filled
 * values.
 */
import { randomUUID } from "node:crypto";
import { Cluster, type Redis, ReplyError } from "ioredis";
import type { Logger } from "pino";
import type { ReportState } from "../../domain/telemetry/degradations.js";
import type { CallTelemetry } from "../client/direct-call.js";
import { Heartbeat } from "../client/heartbeat.js";
import type { Keys } from "../client/keys.js";
import type { Leases } from "../client/lease.js";
import type { CacheLink } from "./link.js";
import type { LocalCache } from "./local.js";
import type { Tags } from "./tags.js";

/**
 * The channel on which Redis reports invalidated keys to
 * RESP2 clients.
 */
const INVALIDATE_CHANNEL = "__redis__:invalidate";
export interface TrackingDeps {
  readonly link: CacheLink;
  /** A connection of role `tracker`, used for nothing else. */
  readonly listener: Redis;
  readonly keys: Keys;
  readonly tags: Tags;
  readonly leases: Leases;
  readonly local: LocalCache;
  /** How often the listener's link is proven. */
  readonly beatMs: number;
  readonly telemetry: CallTelemetry;
  readonly report: ReportState;
  readonly log: Logger;
}

/** Tracks; it sets itself up again after every loss. */
export class Tracking {
  private readonly beatChannel: string;
  private readonly heartbeat: Heartbeat;
  /** False where there is no local level to keep coherent. */
  private readonly tracks: boolean;
  /**
   * Rises with every loss and every return of either
   * connection.
   */
  private generation = 0;
  private settingUp = false;
  private paired = false;
  private listenerId: number | null = null;

  constructor(private readonly deps: TrackingDeps) {
    const { listener, link, keys, beatMs: heartbeatMs, telemetry, log } = deps;
    this.tracks = !(link.connection instanceof Cluster) && deps.local.hasRoom();
    this.beatChannel = keys.heartbeat(`tracking-${randomUUID()}`);
    listener.on("message", this.onMessage).on("messageBuffer", this.onMessageBuffer);
    listener.on("close", this.onListenerLost).on("ready", this.onReady);
    this.heartbeat = new Heartbeat({
      publisher: link.connection,
      subscriber: listener,
      channel: this.beatChannel,
      heartbeatMs,
      telemetry,
      log,
      loop: {
        canBeat: () => link.usable(),
        onDeaf: () => this.unpair("the invalidation link is silent"),
        onBeat: () => {
          if (!this.paired && this.canPair()) void this.setUp();
        },
      },
    });
    link.onLost(() => this.unpair("the connection to Redis was lost"));
    link.onVerified(this.onReady);
    this.onReady();
  }

  /** Stops; the connections stay open. */
  close(): void {
    const { listener } = this.deps;
    this.heartbeat.close();
    listener.off("message", this.onMessage).off("messageBuffer", this.onMessageBuffer);
    listener.off("close", this.onListenerLost).off("ready", this.onReady);
    this.unpair();
  }

  private readonly onReady = (): void => {
    this.heartbeat.excuse();
    this.unpair();
    void this.setUp();
  };

  private readonly onListenerLost = (): void => {
    this.listenerId = null;
    this.unpair("the invalidation link was lost");
  };

  private unpair(why?: string): void {
    this.generation += 1;
    if (this.paired && why && this.tracks) this.deps.report(`${why}; the local level is off`);
    this.paired = false;
    this.deps.local.disable();
  }

  /**
   * Sets the pair up as it is now; what fails is tried again
   * at the next beat.
   */
  private async setUp(): Promise<void> {
    if (this.settingUp) return;
    this.settingUp = true;
    let begun: number;
    do {
      begun = this.generation;
      if (this.canPair()) await this.pair().catch(this.onFailure);
    } while (begun !== this.generation);
    this.settingUp = false;
  }

  private readonly onFailure = (error: Error): void => {
    const { log, report } = this.deps;
    log.debug({ err: error.message }, "cache: the local level cannot be kept coherent yet");
    if (this.tracks && error instanceof ReplyError)
      report("Redis refuses to report changes; the local level is off");
  };

  private canPair(): boolean {
    const { listener, link } = this.deps;
    return listener.status === "ready" && (link.isVerified() || !this.tracks);
  }

  private async pair(): Promise<void> {
    const { generation } = this;
    const { direct } = this.deps.link;
    await direct.send("listen", () => this.listen());
    const count = this.tracks ? await direct.send("track", () => this.track()) : null;
    if (generation !== this.generation) return;
    this.paired = true;
    this.heartbeat.excuse();
    if (count === null) return;
    this.deps.local.enable(count);
    this.deps.report(null);
  }

  /**
   * Subscribes the listener. Its id is asked first: a RESP2
   * connection in subscriber mode may not.
   */
  private async listen(): Promise<void> {
    const { listener, keys, leases } = this.deps;
    const { generation } = this;
    const id = this.listenerId ?? (await listener.client("ID"));
    if (generation !== this.generation) return;
    this.listenerId = id;
    await listener.subscribe(
      this.beatChannel,
      ...(this.tracks ? [INVALIDATE_CHANNEL, keys.cacheSeenChannel()] : []),
    );
    await leases.listen();
  }

  /**
   * Resolves to the count of invalidations, read first: all of
   * them are older than anything the level will hold.
   */
  private async track(): Promise<number> {
    const { link, keys, tags } = this.deps;
    const requests = link.connection as Redis;
    const count = await tags.count();
    await requests.client("TRACKING", "OFF");
    await requests.client(
      "TRACKING",
      "ON",
      "REDIRECT",
      this.listenerId ?? 0,
      "BCAST",
      "PREFIX",
      keys.cacheTagPrefix(),
    );
    return count;
  }

  private readonly onMessage = (channel: string, message: string): void => {
    if (channel === this.deps.keys.cacheSeenChannel()) this.deps.local.noteSeen(Number(message));
  };

  private readonly onMessageBuffer = (channel: Buffer, message: Buffer[] | Buffer | null): void => {
    if (channel.toString() === INVALIDATE_CHANNEL) this.deps.local.forget(changedKeys(message));
  };
}

/**
 * Redis reports a list of keys, or nothing at all when
 * everything was flushed.
 */
function changedKeys(message: Buffer[] | Buffer | null): string[] | null {
  if (message === null) return null;
  return (Array.isArray(message) ? message : [message]).map((key) => key.toString());
}
