/**
 * Subscriptions by graphql-js, with a new context per event:
 * loaders remember their reads and would show old values.
 */
import { createSourceEventStream, type ExecutionArgs, type ExecutionResult } from "graphql";
import { pullStream, type Stream } from "../../domain/concurrency/stream.js";
import { DeadlineExceeded } from "../../domain/errors.js";
import { type Backoff, backoffMs } from "../../domain/time/backoff.js";
import { withDeadline } from "../../domain/time/deadline.js";
import { SECOND } from "../../domain/time/time.js";
import { isUnavailable } from "./format-error.js";

/**
 * Opens the source of a subscription: its events, or its errors.
 * @throws DeadlineExceeded after `deadlineMs`
 */
export async function openSource(
  source: ExecutionArgs,
  deadlineMs: number,
): Promise<AsyncIterator<unknown> | ExecutionResult> {
  let late = false;
  const opening = createSourceEventStream(source);
  // A stream that opens too late is closed, or it would leak.
  void opening.then((stream) => (late ? closeEvents(stream) : undefined)).catch(() => {});
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

async function closeEvents(stream: AsyncIterable<unknown> | ExecutionResult): Promise<void> {
  if (isStream(stream)) await stream[Symbol.asyncIterator]().return?.();
}

export const isSource = (
  opened: AsyncIterator<unknown> | ExecutionResult,
): opened is AsyncIterator<unknown> => "next" in opened;

/** Backoff between executions of an event that failed. */
const SUBSCRIPTION_RETRY: Backoff = { firstMs: 50, longestMs: SECOND };

/**
 * The stream of results. An event whose execution found something
 * unavailable is executed again, with backoff, until it succeeds:
 * no later event replaces it. Its error is sent once. Internal
 * errors would last, so they are not repeated. An execution that
 * rejects ends the stream and closes its source.
 */
export function mapEvents(
  events: AsyncIterator<unknown>,
  execute: (event: unknown) => Promise<ExecutionResult>,
): Stream<ExecutionResult> {
  const results = new Results(events, execute);
  return pullStream(
    () => results.next(),
    () => results.close(),
  );
}

const DONE: IteratorResult<ExecutionResult> = { done: true, value: undefined };

class Results {
  /** The event to execute, the first time or again. */
  private due: { readonly event: unknown } | null = null;
  private failures = 0;
  private isClosed = false;
  private isExhausted = false;
  private endPause = (): void => {};

  constructor(
    private readonly events: AsyncIterator<unknown>,
    private readonly execute: (event: unknown) => Promise<ExecutionResult>,
  ) {}

  async next(): Promise<IteratorResult<ExecutionResult>> {
    while (!this.isClosed) {
      if (this.failures > 0) await this.pause();
      this.due ??= await this.nextEvent();
      if (!this.due || this.isClosed) break;
      const result = await this.execute(this.due.event);
      const isFirst = this.failures === 0;
      this.failures = isUnavailable(result) ? this.failures + 1 : 0;
      if (this.failures === 0) this.due = null;
      if (this.failures === 0 || isFirst) return { done: false, value: result };
    }
    return DONE;
  }

  async close(): Promise<void> {
    this.isClosed = true;
    this.endPause();
    if (!this.isExhausted) await this.events.return?.();
  }

  private async nextEvent(): Promise<{ readonly event: unknown } | null> {
    const { done, value } = await this.events.next();
    this.isExhausted = done === true;
    return done ? null : { event: value };
  }

  private pause(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, backoffMs(this.failures, SUBSCRIPTION_RETRY));
      this.endPause = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
