/**
 * Everybody who asked the same and may be given the same: one source, one execution and one
 * serialisation per event.
 *
 * The first opens the source and waits for it; who comes later shares it, and gets each of its
 * values again, read from then on. An event tells by `id` which of the watched values it is
 * about; one without is about the only one. A reading that failed, or that a fallback answered,
 * is repeated by its value. The last one to leave closes the source. When the source ends, so do
 * its subscribers, after what was read for them has been written.
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

/** What a group is made of. */
export interface GroupDeps {
  readonly audience: Audience;
  /** Opens the source: its events, or why there are none. Rejects when it takes too long. */
  open(): Promise<AsyncIterator<unknown> | ExecutionResult>;
  /**
   * Executes the operation for one event; `newest` where only the newest value will do. Null
   * when no subscriber asks any more.
   */
  execute(
    event: unknown,
    newest: boolean,
    subscribers: ReadonlySet<Subscriber>,
  ): Promise<ExecutedValue | null>;
  /**
   * How long the next message has to wait, in ms: what its subscribers may have executed is
   * bounded.
   */
  waitMs(subscribers: ReadonlySet<Subscriber>): number;
  /** `count` messages were handed to sockets. */
  sent(count: number): void;
  /** Nobody can join any more; may be said twice. */
  closed(): void;
  readonly log: Logger;
}

/** Members come and go, so a long wait is looked at again. */
const MAX_WAIT_MS = 1_000;

/** What an execution has brought. */
export interface ExecutedValue extends ReadOutcome {
  /** The answer, for the wire. */
  readonly json: string;
}

/** One group. */
export class Group implements ConflatedValueHost {
  readonly subscribers = new Set<Subscriber>();
  /** Resolves when the source is open, to null or to why it is refused. */
  readonly opened: Promise<ExecutionResult | null>;
  /** Members, and those who are about to be. */
  private refCount = 0;
  private source: AsyncIterator<unknown> | null = null;
  private readonly values = new Map<unknown, ConflatedValue>();
  private isPulling = false;
  private ended: { readonly failure: { readonly error: unknown } | null } | null = null;
  private recheckTimer: NodeJS.Timeout | null = null;

  constructor(private readonly deps: GroupDeps) {
    this.opened = this.open();
    // Whoever waits for it hears of it.
    this.opened.catch(() => {});
  }

  get isUnused(): boolean {
    return this.refCount === 0;
  }

  /** Announces a subscriber, so that the group stays until it leaves. */
  retain(): void {
    this.refCount += 1;
  }

  /** The subscriber takes messages from now on. */
  activate(subscriber: Subscriber): void {
    this.subscribers.add(subscriber);
    for (const value of this.values.values()) value.refresh(subscriber);
    if (this.ended) void this.finish(subscriber);
    else if (!this.isPulling) void this.pull();
  }

  /** A subscriber goes, whether it had started or not; once for each {@link retain}. */
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
      // It would be as large when read again: the group ends with it.
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
   * Waits while its subscribers have used up what they may have executed; what is due meanwhile
   * is conflated.
   */
  private async waitForAllowance(): Promise<void> {
    while (!this.isUnused) {
      const waitMs = this.deps.waitMs(this.subscribers);
      if (waitMs <= 0) return;
      await delay(Math.min(waitMs, MAX_WAIT_MS), undefined, { ref: false });
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

  /** Some could not be looked up: they are not forgotten, and get the value when they can be. */
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

  /** Ends a subscriber after everything that was read for it has been written. */
  private async finish(subscriber: Subscriber): Promise<void> {
    const idle = () => Promise.all([...this.values.values()].map((value) => value.idle()));
    await idle();
    // What did not fit into the memory of a slow socket is read again on the way.
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
