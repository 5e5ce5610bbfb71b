/**
 * Subscriptions over graphql-js, with a new context for every event: loaders remember what they
 * have read, so an event executed with the loaders of the one before would show the old value.
 */
import { createSourceEventStream, type ExecutionArgs, type ExecutionResult } from "graphql";
import { DeadlineExceeded } from "../../domain/errors.js";
import { type Backoff, backoffMs } from "../../domain/time/backoff.js";
import { withDeadline } from "../../domain/time/deadline.js";
import { SECOND } from "../../domain/time/time.js";
import { isUnavailable } from "./format-error.js";

/**
 * Opens the source of a subscription: its events, or the errors why there are none.
 * @param source document, variables and the context that the source is opened with
 * @throws DeadlineExceeded when it takes longer than `deadlineMs`
 */
export async function openSource(
  source: ExecutionArgs,
  deadlineMs: number,
): Promise<AsyncIterator<unknown> | ExecutionResult> {
  let late = false;
  const opening = createSourceEventStream(source);
  // A stream that opens after its client was refused is nobody's: it is closed, or it would leak.
  void opening.then((stream) => (late ? close(stream) : undefined)).catch(() => {});
  const stream = await withDeadline<AsyncIterable<unknown> | ExecutionResult>(
    opening,
    deadlineMs,
    () => {
      late = true;
      throw new DeadlineExceeded("The subscription took longer to start than it may.");
    },
  );
  return isStream(stream) ? stream[Symbol.asyncIterator]() : stream;
}

const isStream = (value: object): value is AsyncIterable<unknown> => Symbol.asyncIterator in value;

async function close(stream: AsyncIterable<unknown> | ExecutionResult): Promise<void> {
  if (isStream(stream)) await stream[Symbol.asyncIterator]().return?.();
}

/** Whether a source was opened. */
export const isSource = (
  opened: AsyncIterator<unknown> | ExecutionResult,
): opened is AsyncIterator<unknown> => "next" in opened;

/** Longest waits before an event whose execution failed is executed again. */
const RETRY: Backoff = { firstMs: 50, longestMs: SECOND };

/**
 * The stream of results. An event whose execution found something unavailable is executed again,
 * with backoff, until it succeeds: no later event stands for it. Its error is handed on once. An
 * error of ours would last, so it holds nothing up. Unlike an async generator, `return()` ends the
 * stream at once, even while `next()` waits for an event. An execution that rejects ends the stream
 * and closes its source.
 */
export function mapEvents(
  events: AsyncIterator<unknown>,
  execute: (event: unknown) => Promise<ExecutionResult>,
): AsyncIterableIterator<ExecutionResult> {
  return new Results(events, execute);
}

class Results implements AsyncIterableIterator<ExecutionResult> {
  private pending: { readonly event: unknown } | null = null;
  private failures = 0;
  private ended = false;
  private endPause = (): void => {};

  constructor(
    private readonly events: AsyncIterator<unknown>,
    private readonly execute: (event: unknown) => Promise<ExecutionResult>,
  ) {}

  async next(): Promise<IteratorResult<ExecutionResult>> {
    while (!this.ended) {
      if (this.failures > 0) await this.pause();
      const event = await this.due();
      if (!event || this.ended) break;
      const result = await this.run(event.event);
      const isFirst = this.failures === 0;
      this.failures = isUnavailable(result) ? this.failures + 1 : 0;
      if (this.failures === 0) this.pending = null;
      if (this.failures === 0 || isFirst) return { done: false, value: result };
    }
    return { done: true, value: undefined };
  }

  async return(): Promise<IteratorResult<ExecutionResult>> {
    this.ended = true;
    this.endPause();
    await this.events.return?.();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  private async run(event: unknown): Promise<ExecutionResult> {
    try {
      return await this.execute(event);
    } catch (error) {
      await this.return();
      throw error;
    }
  }

  /** The event to execute; null after the last one. */
  private async due(): Promise<{ readonly event: unknown } | null> {
    if (this.pending) return this.pending;
    const next = await this.events.next();
    this.pending = next.done ? null : { event: next.value };
    return this.pending;
  }

  private pause(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, backoffMs(this.failures, RETRY));
      this.endPause = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
