/**
 * One value of a group: executes its newest event for all
 * subscribers, and again for newcomers.
 *
 * One execution runs at a time. So answers leave in reading
 * order, and versions never go back. A newcomer gets a reading
 * that began after it joined: a publication may still be on its
 * way. Newcomers during an execution share the next one. Nothing
 * is queued: only the newest event and the set of newcomers are
 * kept.
 *
 * A failed or provisional reading leaves its value due. It is
 * repeated with backoff: until it succeeds, the source ends, or
 * no subscriber is left. Until then only the newest value will
 * do. An error goes to each subscriber once. A fallback may be
 * older than an earlier answer. So only subscribers without data
 * get it.
 */
import { setTimeout as delay, setImmediate as nextTurn } from "node:timers/promises";
import { type Backoff, backoffMs } from "../../domain/time/backoff.js";
import { SECOND } from "../../domain/time/time.js";
import type { Subscriber } from "./subscriber.js";

/** The group, as its values see it. */
export interface ConflatedValueHost {
  readonly subscribers: ReadonlySet<Subscriber>;
  /** No subscriber is left. */
  readonly isUnused: boolean;
  /**
   * Reads the value of an event. `newest`: only the newest will
   * do. Null when no subscriber may receive it. Rejects where
   * nothing can follow.
   */
  read(
    event: unknown,
    subscribers: ReadonlySet<Subscriber>,
    newest: boolean,
  ): Promise<Answer | null>;
  /** Counts messages handed to sockets. */
  sent(count: number): void;
  /** Delivery broke: nothing can follow. */
  fail(error: unknown): void;
}

export interface ReadOutcome {
  /** It holds a transient error. */
  readonly failed: boolean;
  /** It holds data, with or without errors. */
  readonly hasData: boolean;
  /** A fallback answered for some of its data. */
  readonly provisional: boolean;
}

export interface Answer extends ReadOutcome {
  /**
   * The message without the operation id; null when there is
   * none.
   */
  readonly frame: Buffer | null;
  /** The subscribers that may receive it. */
  readonly subscribers: ReadonlySet<Subscriber>;
}

/** Sockets written before the event loop gets its turn. */
const SENDS_PER_TURN = 256;

/**
 * Gap between readings for newcomers: any crowd costs a hundred a
 * second.
 */
const NEWCOMER_BATCH_MS = 10;

/**
 * Far below the two seconds within which a value follows a
 * failure.
 */
const VALUE_RETRY: Backoff = { firstMs: 50, longestMs: SECOND };

/** The subscribers that a reading is due to. */
type Due = "none" | "newcomers" | "all";

export class ConflatedValue {
  private event: unknown;
  private due: Due = "none";
  private newcomers = new Set<Subscriber>();
  /** Consecutive readings that failed or were provisional. */
  private failures = 0;
  /** Subscribers that got the error of this run of failures. */
  private readonly errorSentTo = new Set<Subscriber>();
  private readonly dataSentTo = new Set<Subscriber>();
  /**
   * An event was skipped, or its reading failed or was
   * provisional.
   */
  private needsNewest = false;
  private mayRetry = true;
  /** A reading was rejected: none follows. */
  private hasFailed = false;
  private batchedAtMs = Number.NEGATIVE_INFINITY;
  private isRunning = false;
  private lastRun: Promise<void> = Promise.resolve();
  /** Resolves when another event may be taken. */
  private ready: Promise<void> = Promise.resolve();
  private markReady = (): void => {};
  private endBackOff = (): void => {};

  constructor(private readonly host: ConflatedValueHost) {}

  /**
   * Makes a newer event due to all. Resolves when another may
   * follow; a failing value delays no other.
   */
  async update(event: unknown): Promise<void> {
    const { ready } = this;
    if (this.due === "all") this.needsNewest = true;
    this.event = event;
    this.due = "all";
    this.ensureRunning();
    await ready;
  }

  /** Makes a fresh reading due to one subscriber. */
  refresh(subscriber: Subscriber): void {
    this.newcomers.add(subscriber);
    if (this.due === "none") this.due = "newcomers";
    this.ensureRunning();
  }

  leave(subscriber: Subscriber): void {
    this.newcomers.delete(subscriber);
    this.errorSentTo.delete(subscriber);
    this.dataSentTo.delete(subscriber);
  }

  /** Resolves when everything due was sent. */
  async idle(): Promise<void> {
    await this.lastRun;
  }

  /** What is due is read at most once more. */
  stopRetrying(): void {
    this.mayRetry = false;
    this.endBackOff();
  }

  private ensureRunning(): void {
    if (this.isRunning || this.hasFailed) return;
    this.isRunning = true;
    this.ready = new Promise((resolve) => {
      this.markReady = resolve;
    });
    this.lastRun = this.run();
  }

  private async run(): Promise<void> {
    try {
      while (this.due !== "none" && !this.host.isUnused) await this.step();
    } catch (error) {
      this.hasFailed = true;
      this.host.fail(error);
    } finally {
      this.isRunning = false;
      this.markReady();
    }
  }

  private async step(): Promise<void> {
    const { host } = this;
    if (this.failures > 0) await this.backOff();
    else if (this.due === "newcomers") await this.batchNewcomers();
    if (host.isUnused) return;
    const { newcomers, due } = this;
    const subscribers = due === "all" ? host.subscribers : newcomers;
    const newest = this.needsNewest || newcomers.size > 0;
    this.due = "none";
    this.needsNewest = false;
    if (newcomers.size > 0) this.newcomers = new Set();
    const answer = await host.read(this.event, subscribers, newest);
    if (answer) await this.deliver(answer);
    if (answer?.failed || answer?.provisional) this.scheduleRetry(due, answer.subscribers);
    else this.failures = 0;
  }

  /** Keeps the value due to those for whom it was read. */
  private scheduleRetry(due: Due, subscribers: ReadonlySet<Subscriber>): void {
    this.failures += 1;
    this.needsNewest = true;
    this.markReady();
    if (!this.mayRetry) return;
    if (due === "all") this.due = due;
    else
      for (const subscriber of subscribers)
        if (this.host.subscribers.has(subscriber)) this.refresh(subscriber);
  }

  private backOff(): Promise<void> {
    if (!this.mayRetry) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, backoffMs(this.failures, VALUE_RETRY));
      this.endBackOff = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Waits for more newcomers; not at all after a quiet time. */
  private async batchNewcomers(): Promise<void> {
    const leftMs = this.batchedAtMs + NEWCOMER_BATCH_MS - performance.now();
    await (leftMs > 0 ? delay(leftMs) : nextTurn());
    this.batchedAtMs = performance.now();
  }

  private async deliver(answer: Answer): Promise<void> {
    const { frame, subscribers } = answer;
    let sent = 0;
    for (const subscriber of frame ? subscribers : []) {
      if (!frame || !this.shouldReceive(subscriber, answer)) continue;
      if (answer.failed) this.errorSentTo.add(subscriber);
      else this.errorSentTo.delete(subscriber);
      if (answer.hasData) this.dataSentTo.add(subscriber);
      subscriber.send(this, frame);
      sent += 1;
      if (sent % SENDS_PER_TURN === 0) await nextTurn();
    }
    this.host.sent(sent);
  }

  private shouldReceive(subscriber: Subscriber, { failed, provisional }: Answer): boolean {
    // Newcomers since the reading began wait for the next one.
    if (!this.host.subscribers.has(subscriber) || this.newcomers.has(subscriber)) return false;
    if (failed && this.errorSentTo.has(subscriber)) return false;
    return !(provisional && this.dataSentTo.has(subscriber));
  }
}
