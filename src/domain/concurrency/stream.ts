/**
 * Async iterators whose return() ends a pending next() at
 * once.
 *
 * An async generator cannot do that: its return() waits
 * for the pending next(), so a quiet subscription would
 * never close. A stream queues no items. It asks its
 * producer when an item is wanted. Each pending next()
 * gets one item. The producer keeps, conflates or drops
 * what is not asked for.
 */

/** The producer's side of a {@link Stream}. */
export interface StreamHooks {
  /** A next() is pending: offer an item now or later. */
  readonly onNext?: () => void;
  /** Called once at the end; return() waits for it and rejects with it. */
  readonly onEnd?: () => unknown;
}

interface PendingNext<T> {
  resolve(result: IteratorResult<T>): void;
  reject(error: unknown): void;
}

const NONE: readonly never[] = [];
const NO_HOOKS: StreamHooks = {};
const CLOSED = Promise.resolve();

/** Hands items to those who ask, one for each next(). */
export class Stream<T> implements AsyncIterableIterator<T> {
  /** Mostly one: replaced, because a growing list reserves room. */
  private pending: readonly PendingNext<T>[] = NONE;
  private failure: { readonly error: unknown } | null = null;
  private closing: Promise<unknown> = CLOSED;
  private ended = false;
  private endListener: (() => void) | null = null;

  constructor(private readonly hooks: StreamHooks = NO_HOOKS) {}

  /** Whether it takes an item now: a next() is pending. */
  get isWanting(): boolean {
    return this.pending.length > 0;
  }

  get isEnded(): boolean {
    return this.ended;
  }

  /** Has one listener called first at the end; now if it has ended. */
  whenEnded(listener: () => void): this {
    if (this.ended) listener();
    else this.endListener = listener;
    return this;
  }

  /** Hands an item to the oldest pending next(); false without one. */
  offer(value: T): boolean {
    const next = this.takePending();
    next?.resolve({ done: false, value });
    return next !== undefined;
  }

  /** Ends it; every pending next() is done. Idempotent. */
  end(): void {
    if (this.ended) return;
    this.ended = true;
    this.endListener?.();
    this.endListener = null;
    this.closing = (async () => this.hooks.onEnd?.())();
    // Only return() reports a producer that cannot close.
    this.closing.catch(() => {});
    const { pending } = this;
    this.pending = NONE;
    for (const { resolve } of pending) resolve({ done: true, value: undefined });
  }

  /** Ends it with an error: one next() rejects, pending or to come. */
  fail(error: unknown): void {
    if (this.ended) return;
    const next = this.takePending();
    if (next) next.reject(error);
    else this.failure = { error };
    this.end();
  }

  /** Not async: that would keep a second promise while it waits. */
  next(): Promise<IteratorResult<T>> {
    if (this.failure) {
      const { error } = this.failure;
      this.failure = null;
      return Promise.reject(error);
    }
    if (this.ended) return Promise.resolve({ done: true, value: undefined });
    const item = new Promise<IteratorResult<T>>((resolve, reject) => {
      this.pending = [...this.pending, { resolve, reject }];
    });
    this.hooks.onNext?.();
    return item;
  }

  async return(): Promise<IteratorResult<T>> {
    this.failure = null;
    this.end();
    await this.closing;
    return { done: true, value: undefined };
  }

  async throw(error: unknown): Promise<IteratorResult<T>> {
    this.failure = null;
    this.end();
    throw error;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  private takePending(): PendingNext<T> | undefined {
    const [oldest] = this.pending;
    this.pending = this.pending.length > 1 ? this.pending.slice(1) : NONE;
    return oldest;
  }
}

/**
 * A stream that pulls: `pull` brings the next item, or the
 * end. It runs once at a time, and only while an item is
 * wanted. Where it rejects, the stream fails.
 */
export function pullStream<T>(
  pull: () => Promise<IteratorResult<T>>,
  onEnd?: StreamHooks["onEnd"],
): Stream<T> {
  let isPulling = false;
  const run = async (): Promise<void> => {
    if (isPulling) return;
    isPulling = true;
    try {
      while (stream.isWanting) {
        const result = await pull();
        if (result.done) stream.end();
        else stream.offer(result.value);
      }
    } catch (error) {
      stream.fail(error);
    } finally {
      isPulling = false;
    }
  };
  const stream = new Stream<T>({ onNext: () => void run(), ...(onEnd && { onEnd }) });
  return stream;
}

/**
 * Maps each item of a source, in order. The source is
 * closed with the stream, unless it ended by itself.
 * `onEnd` is called first, however the stream ends.
 */
export function mapStream<From, To>(
  source: AsyncIterator<From>,
  map: (item: From) => To | Promise<To>,
  onEnd?: () => void,
): Stream<To> {
  let isDone = false;
  return pullStream<To>(
    async () => {
      const result = await source.next();
      if (!result.done) return { done: false, value: await map(result.value) };
      isDone = true;
      return { done: true, value: undefined };
    },
    () => {
      onEnd?.();
      return isDone ? undefined : source.return?.();
    },
  );
}
