/**
 * One value of a group: executes its newest event for everybody, and again for those who came
 * later.
 *
 * One execution at a time, so answers leave in the order in which they were read and versions
 * never go back. Whoever joins gets an answer whose reading began after that, never an older
 * one: a publication may still be on its way to this process. All who join while an execution
 * runs share the next one. Nothing is queued: what happens meanwhile is the newest event and a
 * set of newcomers.
 *
 * A reading that failed, or that a fallback answered, leaves its value due: it is repeated with
 * backoff until it succeeds, the source ends, or no subscriber is left. Until then only the
 * newest value will do, whatever the event asks for. An error goes to each subscriber once until
 * the next success. A fallback may be older than an earlier answer: it is sent to subscribers
 * that have no data yet, and held back from all others.
 */
import { setTimeout as delay, setImmediate as nextTurn } from "node:timers/promises";
import { type Backoff, backoffMs } from "../../domain/time/backoff.js";
import { SECOND } from "../../domain/time/time.js";
import type { Subscriber } from "./subscriber.js";

/** What a value asks of its group. */
export interface ConflatedValueHost {
  /** Who is served now. */
  readonly subscribers: ReadonlySet<Subscriber>;
  /** Whether nobody is left. */
  readonly isUnused: boolean;
  /**
   * Reads the value of an event for some subscribers; `newest` where only the newest will do.
   * Null when nobody may have it. Rejects where nothing can follow.
   */
  read(
    event: unknown,
    subscribers: ReadonlySet<Subscriber>,
    newest: boolean,
  ): Promise<Answer | null>;
  /** `count` messages were handed over. */
  sent(count: number): void;
  /** Delivering broke: nothing can follow. */
  fail(error: unknown): void;
}

/** What became of a reading. */
export interface ReadOutcome {
  /** It holds an error that may pass. */
  readonly failed: boolean;
  /** It holds data, with or without errors. */
  readonly hasData: boolean;
  /** A fallback answered for some of its data. */
  readonly provisional: boolean;
}

/** A value as it goes out. */
export interface Answer extends ReadOutcome {
  /** The message without the operation id; null when there is none. */
  readonly frame: Buffer | null;
  /** Who may have it. */
  readonly subscribers: ReadonlySet<Subscriber>;
}

/** Sockets that are written to before others get a turn of the event loop. */
const SENDS_PER_TURN = 256;

/**
 * Time between two readings for newcomers alone: a crowd that comes back costs a hundred a
 * second, however big it is.
 */
const NEWCOMER_BATCH_MS = 10;

/** Well below the two seconds within which a value follows the end of a failure. */
const RETRY: Backoff = { firstMs: 50, longestMs: SECOND };

/** The subscribers that a reading is due to. */
type Due = "none" | "newcomers" | "all";

/** One value of a group. */
export class ConflatedValue {
  private event: unknown;
  private due: Due = "none";
  private newcomers = new Set<Subscriber>();
  /** Readings in a row that failed or were provisional. */
  private failures = 0;
  /** Who was sent the error of this run of failures. */
  private readonly errorSentTo = new Set<Subscriber>();
  /** Who was sent data. */
  private readonly dataSentTo = new Set<Subscriber>();
  /**
   * An event was not read, or its reading failed or was provisional: only the newest value will
   * do.
   */
  private needsNewest = false;
  private mayRetry = true;
  /** A reading was rejected: none follows. */
  private hasFailed = false;
  private batchedAtMs = Number.NEGATIVE_INFINITY;
  private isRunning = false;
  private lastRun: Promise<void> = Promise.resolve();
  /** Resolves when another event may be taken: the last one was read, or failed to be. */
  private ready: Promise<void> = Promise.resolve();
  private markReady = (): void => {};
  private endBackOff = (): void => {};

  constructor(private readonly host: ConflatedValueHost) {}

  /**
   * A newer event: everybody gets it. Resolves when there is room for another; a value that
   * fails holds up no other.
   */
  async update(event: unknown): Promise<void> {
    const { ready } = this;
    if (this.due === "all") this.needsNewest = true;
    this.event = event;
    this.due = "all";
    this.ensureRunning();
    await ready;
  }

  /** Gives a subscriber the value as it is read from now on. */
  refresh(subscriber: Subscriber): void {
    this.newcomers.add(subscriber);
    if (this.due === "none") this.due = "newcomers";
    this.ensureRunning();
  }

  /** The subscriber gets nothing any more. */
  leave(subscriber: Subscriber): void {
    this.newcomers.delete(subscriber);
    this.errorSentTo.delete(subscriber);
    this.dataSentTo.delete(subscriber);
  }

  /** Resolves when everything due was sent. */
  async idle(): Promise<void> {
    await this.lastRun;
  }

  /** What is due is read once more at most. */
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

  /** The value stays due to those for whom it was read. */
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

  /** Waits before the next reading. */
  private backOff(): Promise<void> {
    if (!this.mayRetry) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, backoffMs(this.failures, RETRY));
      this.endBackOff = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Waits for others who join now; not at all where nobody has joined just before. */
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

  /** Whether a subscriber is to be sent an answer. */
  private shouldReceive(subscriber: Subscriber, { failed, provisional }: Answer): boolean {
    // Who has come since the reading began waits for the next one.
    if (!this.host.subscribers.has(subscriber) || this.newcomers.has(subscriber)) return false;
    if (failed && this.errorSentTo.has(subscriber)) return false;
    return !(provisional && this.dataSentTo.has(subscriber));
  }
}
