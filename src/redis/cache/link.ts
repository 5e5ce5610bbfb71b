/**
 * The cache's link to Redis: whether it may be asked right
 * now.
 *
 * Two reasons say no. *Not verified*: the connection is new,
 * and the server may hold older data than before (a restart,
 * an older snapshot, a failover). Before the first read the
 * masters are compared with those of the epoch. Other
 * servers, or unsent invalidations, mean a new epoch, and
 * older entries die unread. *Tripped*: a reply was late. One
 * request pays the deadline. Then Redis is skipped until a
 * probe in the background is answered.
 */
import { setTimeout as delay } from "node:timers/promises";
import { ReplyError } from "ioredis";
import type { Logger } from "pino";
import { RedisUnavailable } from "../../domain/errors.js";
import type { ReportState } from "../../domain/telemetry/degradations.js";
import type { Telemetry } from "../../domain/telemetry/telemetry.js";
import { withDeadline } from "../../domain/time/deadline.js";
import { createDrivenClock, type DrivenClock, readTimeMs } from "../client/clock.js";
import { type RedisConnection, reopen } from "../client/connect.js";
import { createDirectCaller, type DirectCaller } from "../client/direct-call.js";
import { PendingReplies } from "../client/replies.js";
import { serverFingerprint, watchServers } from "./server-identity.js";
import type { Tags } from "./tags.js";

export interface CacheLinkOptions {
  readonly connection: RedisConnection;
  readonly tags: Tags;
  /** Longest wait for a reply. */
  readonly deadlineMs: number;
  /**
   * Whether unsent invalidations need a new epoch. Asked
   * before the first read.
   */
  readonly mustRenewEpoch: () => Promise<boolean>;
  readonly telemetry: Telemetry;
  readonly report: ReportState;
  readonly log: Logger;
}

/**
 * Well within the second in which reads come back to a lost
 * server.
 */
const CACHE_PROBE_MS = 50;
/**
 * Longest wait for a probe. A slower server would trip the
 * link again at once.
 */
const CACHE_PROBE_DEADLINE_MS = 250;
/**
 * A link that is silent this long is opened anew: a black
 * hole gives no error.
 */
const CACHE_SILENCE_MS = 500;
/**
 * The database may be down too, and must not hold the cache
 * up.
 */
const OUTBOX_DEADLINE_MS = 500;

/** The link. Its connection stays open at the end. */
export class CacheLink {
  readonly connection: RedisConnection;
  /** Calls that the link does not judge. */
  readonly direct: DirectCaller;
  private verified = false;
  private tripped = false;
  /**
   * Rises when the connection is lost: older findings no
   * longer count.
   */
  private generation = 0;
  /**
   * Counts invalidations that this process could not send;
   * `coveredInvalidations` those that a new epoch covers.
   */
  private pendingInvalidations = 0;
  private coveredInvalidations = 0;
  private servers = "";
  private epoch = "0";
  private clock = createDrivenClock();
  private silentSinceMs: number | null = null;
  private recovery: Promise<void> | null = null;
  private readonly closing = new AbortController();
  private readonly replies: PendingReplies;
  private readonly verifiedListeners = new Set<() => void>();
  private readonly lossListeners = new Set<() => void>();
  private readonly unwatch: () => void;

  constructor(private readonly options: CacheLinkOptions) {
    this.connection = options.connection;
    this.direct = createDirectCaller(options.telemetry, "cache");
    this.replies = new PendingReplies(options.deadlineMs);
    this.unwatch = watchServers(options.connection, () => this.lose());
    this.recover();
  }

  /** True when a read may be sent now. */
  usable(): boolean {
    return this.verified && !this.tripped;
  }

  /** True while the connection is one whose epoch was checked. */
  isVerified(): boolean {
    return this.verified;
  }

  /** The servers behind the link, as one word for the epoch. */
  serverFingerprint(): string {
    return this.servers;
  }

  /** Ms since epoch by the Redis clock. */
  nowMs(): number {
    return this.clock.nowMs();
  }

  /**
   * Runs one round trip; `action` names it in metrics.
   * Refusals by Redis pass through.
   * @throws RedisUnavailable at once when the link is down,
   * else after the deadline
   */
  async run<T>(action: string, send: () => Promise<T>): Promise<T> {
    if (!this.usable()) throw new RedisUnavailable();
    try {
      return await this.direct.send(action, () => this.replies.wait(send()));
    } catch (error) {
      if (error instanceof ReplyError) throw error;
      this.trip(action);
      throw new RedisUnavailable(error);
    }
  }

  /**
   * Runs an invalidation. After a failure Redis is not read
   * until a new epoch stands for it.
   * @throws RedisUnavailable when it may not have been done
   */
  async runInvalidation<T>(action: string, send: () => Promise<T>): Promise<T> {
    try {
      return await this.run(action, send);
    } catch (error) {
      this.pendingInvalidations += 1;
      this.trip(action);
      throw error instanceof RedisUnavailable ? error : new RedisUnavailable(error);
    }
  }

  /**
   * Calls back each time the link is verified, at once
   * when it is.
   */
  onVerified(listener: () => void): void {
    this.verifiedListeners.add(listener);
    if (this.verified) listener();
  }

  /** Calls back each time the connection is lost. */
  onLost(listener: () => void): void {
    this.lossListeners.add(listener);
  }

  /** Ends the probing. */
  async close(): Promise<void> {
    this.closing.abort();
    this.unwatch();
    await this.recovery;
  }

  /** The first reply that does not come ends every wait. */
  private trip(action: string): void {
    if (this.usable())
      this.options.report(`Redis does not answer (cache ${action}); reads come from Postgres`);
    this.tripped = true;
    this.replies.giveUp();
    this.recover();
  }

  private lose(): void {
    this.generation += 1;
    if (this.verified)
      this.options.report("the connection to Redis is lost; reads come from Postgres");
    this.verified = false;
    for (const listener of this.lossListeners) listener();
    this.recover();
  }

  /**
   * Tries one time after the other until Redis answers and is
   * verified.
   */
  private recover(): void {
    this.recovery ??= this.probe().finally(() => {
      this.recovery = null;
      // Lost again between the last attempt and now.
      if (!this.usable() && !this.closing.signal.aborted) this.recover();
    });
  }

  private async probe(): Promise<void> {
    const { signal } = this.closing;
    this.silentSinceMs = null;
    while (!signal.aborted && !this.usable()) {
      if (await this.attempt()) return;
      await delay(CACHE_PROBE_MS, undefined, { signal }).catch(() => {});
    }
  }

  private async attempt(): Promise<boolean> {
    if (this.connection.status !== "ready") {
      this.silentSinceMs = null;
      return false;
    }
    try {
      return await this.establish();
    } catch (error) {
      this.options.log.debug({ err: (error as Error).message }, "cache: Redis cannot be used yet");
      if (error instanceof RedisUnavailable) this.reopenIfSilent(error);
      return false;
    }
  }

  /**
   * A refusal (loading, a replica, no permission) is an
   * answer. Silence is not.
   */
  private reopenIfSilent({ cause }: RedisUnavailable): void {
    this.silentSinceMs =
      cause instanceof ReplyError
        ? null
        : (this.silentSinceMs ?? performance.now() - CACHE_PROBE_DEADLINE_MS);
    if (this.silentSinceMs === null || performance.now() - this.silentSinceMs < CACHE_SILENCE_MS)
      return;
    this.silentSinceMs = null;
    reopen(this.connection);
  }

  /**
   * Checks the servers and the epoch before the first read.
   * All is set in one step.
   */
  private async establish(): Promise<boolean> {
    const { generation, pendingInvalidations: owed } = this;
    const { servers, clock } = await this.probeBy("meet", () => this.meet());
    const renew = owed > this.coveredInvalidations || (await this.invalidationsWait());
    const epoch = await this.probeBy("epoch", () =>
      this.options.tags.epoch(servers, renew ? "renew" : "check", this.epoch),
    );
    if (generation !== this.generation) return false;
    this.servers = servers;
    this.clock = clock;
    this.epoch = epoch;
    this.coveredInvalidations = owed;
    if (this.pendingInvalidations > owed) return false;
    this.open();
    return true;
  }

  private probeBy<T>(action: string, send: () => Promise<T>): Promise<T> {
    return this.direct.sendWithin(CACHE_PROBE_DEADLINE_MS, action, send);
  }

  private async meet(): Promise<{ servers: string; clock: DrivenClock }> {
    const servers = await serverFingerprint(this.connection);
    const clock = createDrivenClock();
    clock.observe(await readTimeMs(this.connection));
    return { servers, clock };
  }

  private open(): void {
    this.options.report(null);
    const isNew = !this.verified;
    this.verified = true;
    this.tripped = false;
    if (isNew) for (const listener of this.verifiedListeners) listener();
  }

  /**
   * Where the database does not answer, `owed` of this process
   * has to do.
   */
  private invalidationsWait(): Promise<boolean> {
    return withDeadline(this.options.mustRenewEpoch(), OUTBOX_DEADLINE_MS, () => false).catch(
      () => false,
    );
  }
}
