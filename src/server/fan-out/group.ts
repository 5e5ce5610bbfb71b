/**
 * Equal subscriptions with one source, one execution and one
 * serialisation per event.
 *
 * The first subscriber opens the source. Later ones share it, and
 * get each value from a fresh reading. The `id` of an event names
 * its value; an event without one is about the only value. The
 * last to leave closes the source. When the source ends,
 * subscribers end after everything read for them is written.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { ExecutionResult } from "graphql";
import type { Logger } from "pino";
import { AnswerTooLarge } from "../../domain/errors.js";
import { isSource } from "../operation/subscription.js";
import { type Audience, RECHECK_MS } from "./audience.js";
import {
  type Answer,
  ConflatedValue,
  type ConflatedValueHost,
  type ReadOutcome,
} from "./conflated-value.js";
import { framePayload } from "./frame.js";
import type { Subscriber } from "./subscriber.js";

export interface GroupDeps {
  readonly audience: Audience;
  /**
   * Opens the source: events, or errors. Rejects after the
   * deadline.
   */
  open(): Promise<AsyncIterator<unknown> | ExecutionResult>;
  /**
   * Executes an event. `newest`: only the newest value will do.
   * Null when no subscriber is left.
   */
  execute(
    event: unknown,
    newest: boolean,
    subscribers: ReadonlySet<Subscriber>,
  ): Promise<ExecutedValue | null>;
  /** Delay of the next message, in ms, by the message allowance. */
  waitMs(subscribers: ReadonlySet<Subscriber>): number;
  /** Counts messages handed to sockets. */
  sent(count: number): void;
  /** No subscriber can join any more. Idempotent. */
  closed(): void;
  readonly log: Logger;
}

/** Subscribers come and go, so a long wait is checked again. */
const MAX_GROUP_WAIT_MS = 1_000;

export interface ExecutedValue extends ReadOutcome {
  /** The answer, for the wire. */
  readonly json: string;
}

export class Group implements ConflatedValueHost {
  readonly subscribers = new Set<Subscriber>();
  /**
   * Resolves to null when the source is open, or to why it is
   * refused.
   */
  readonly opened: Promise<ExecutionResult | null>;
  /** Subscribers, and those about to be. */
  private refCount = 0;
  private source: AsyncIterator<unknown> | null = null;
  private readonly values = new Map<unknown, ConflatedValue>();
  private isPulling = false;
  private ended: { readonly failure: { readonly error: unknown } | null } | null = null;
  private recheckTimer: NodeJS.Timeout | null = null;

  constructor(private readonly deps: GroupDeps) {
    this.opened = this.open();
    // Awaited by subscribers, which handle the rejection.
    this.opened.catch(() => {});
  }

  get isUnused(): boolean {
    return this.refCount === 0;
  }

  /** Keeps the group until the matching {@link release}. */
  retain(): void {
    this.refCount += 1;
  }

  /** The subscriber receives messages from now on. */
  activate(subscriber: Subscriber): void {
    this.subscribers.add(subscriber);
    for (const value of this.values.values()) value.refresh(subscriber);
    if (this.ended) void this.finish(subscriber);
    else if (!this.isPulling) void this.pull();
  }

  /**
   * Removes a subscriber, active or not: once for each {@link
   * retain}.
   */
  release(subscriber: Subscriber): void {
    this.subscribers.delete(subscriber);
    for (const value of this.values.values()) value.leave(subscriber);
    subscriber.close();
    this.refCount -= 1;
    if (this.isUnused) this.close();
  }

  async read(
    event: unknown,
    subscribers: ReadonlySet<Subscriber>,
    newest: boolean,
  ): Promise<Answer | null> {
    try {
      const admitted = this.deps.audience.admits ? await this.admitted(subscribers) : subscribers;
      if (admitted.size === 0) return null;
      const executed = await this.deps.execute(event, newest, admitted);
      if (!executed) return null;
      const { json, ...outcome } = executed;
      return { ...outcome, frame: framePayload(json), subscribers: admitted };
    } catch (err) {
      // A repeated reading would be as large: the group ends.
      if (err instanceof AnswerTooLarge) throw err;
      this.deps.log.error({ err }, "a value of a subscription could not be read and is read again");
      return {
        frame: null,
        failed: true,
        hasData: false,
        provisional: false,
        subscribers,
      };
    }
  }

  sent(count: number): void {
    this.deps.sent(count);
  }

  fail(error: unknown): void {
    this.end({ error });
  }

  private async open(): Promise<ExecutionResult | null> {
    try {
      const source = await this.deps.open();
      if (!isSource(source)) {
        this.deps.closed();
        return source;
      }
      this.source = source;
      return null;
    } catch (error) {
      this.deps.closed();
      throw error;
    }
  }

  private async pull(): Promise<void> {
    this.isPulling = true;
    try {
      while (!this.isUnused) {
        await this.waitForAllowance();
        const event = await this.source?.next();
        if (!event || event.done) break;
        await this.valueFor(event.value).update(event.value);
      }
      this.end(null);
    } catch (error) {
      this.end({ error });
    }
  }

  /**
   * Waits while the allowance is used up; events are conflated
   * meanwhile.
   */
  private async waitForAllowance(): Promise<void> {
    while (!this.isUnused) {
      const waitMs = this.deps.waitMs(this.subscribers);
      if (waitMs <= 0) return;
      await delay(Math.min(waitMs, MAX_GROUP_WAIT_MS), undefined, { ref: false });
    }
  }

  private valueFor(event: unknown): ConflatedValue {
    const id = typeof event === "object" && event !== null && "id" in event ? event.id : undefined;
    const known = this.values.get(id);
    if (known) return known;
    const value = new ConflatedValue(this);
    this.values.set(id, value);
    return value;
  }

  private async admitted(subscribers: ReadonlySet<Subscriber>): Promise<ReadonlySet<Subscriber>> {
    const { audience } = this.deps;
    const asked = await Promise.all(
      [...subscribers].map(async (subscriber) => ({
        subscriber,
        admitted: await audience.admits?.(subscriber.connection),
      })),
    );
    const admitted = new Set(
      asked.flatMap(({ subscriber, admitted }) => (admitted ? [subscriber] : [])),
    );
    if (admitted.size < subscribers.size) this.scheduleRecheck();
    return admitted;
  }

  /**
   * Repeats the values for subscribers that could not be
   * confirmed.
   */
  private scheduleRecheck(): void {
    this.recheckTimer ??= setTimeout(() => {
      this.recheckTimer = null;
      for (const value of this.values.values())
        for (const subscriber of this.subscribers) value.refresh(subscriber);
    }, RECHECK_MS).unref();
  }

  private end(failure: { readonly error: unknown } | null): void {
    if (this.ended) return;
    this.ended = { failure };
    this.deps.closed();
    this.stopRetries();
    for (const subscriber of this.subscribers) void this.finish(subscriber);
    void this.closeSource();
  }

  /** Ends a subscriber after everything read for it is written. */
  private async finish(subscriber: Subscriber): Promise<void> {
    const idle = () => Promise.all([...this.values.values()].map((value) => value.idle()));
    await idle();
    // A slow socket may have values that are read again.
    while (subscriber.hasQueued) {
      await subscriber.flushed();
      await idle();
    }
    subscriber.complete(this.ended?.failure ?? null);
  }

  private close(): void {
    if (this.recheckTimer) clearTimeout(this.recheckTimer);
    this.deps.closed();
    this.stopRetries();
    void this.closeSource();
  }

  private stopRetries(): void {
    for (const value of this.values.values()) value.stopRetrying();
  }

  private async closeSource(): Promise<void> {
    try {
      await this.source?.return?.();
    } catch (err) {
      this.deps.log.error({ err }, "the source of a subscription did not end");
    }
  }
}
