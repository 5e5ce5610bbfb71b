/**
 * Subscriptions over graphql-js, with a new context for every event: loaders remember what they have read, so an event executed
 * with the loaders of the one before would show the old value.
 */
import { createSourceEventStream, type ExecutionArgs, type ExecutionResult } from "graphql";
import { withDeadline } from "../domain/deadline.js";
import { DeadlineExceeded } from "../domain/errors.js";

/** What a subscription is made of. */
export interface SubscriptionParts {
  /** Document, variables and the context that the stream is opened with. */
  readonly source: ExecutionArgs;
  /** Longest wait for the stream to open. */
  readonly deadlineMs: number;
  /** Executes the operation for one event. */
  execute(event: unknown): Promise<ExecutionResult>;
}

/** Opens a subscription: a stream of results, or the errors why there is none. Rejects with DeadlineExceeded. */
export async function subscribeEach({
  source,
  deadlineMs,
  execute,
}: SubscriptionParts): Promise<AsyncIterableIterator<ExecutionResult> | ExecutionResult> {
  let late = false;
  const opening = createSourceEventStream(source);
  // A stream that opens after its client was refused is nobody's: it is closed, or it would leak.
  void opening.then((stream) => (late ? close(stream) : undefined)).catch(() => {});
  const stream = await withDeadline<AsyncIterable<unknown> | ExecutionResult>(opening, deadlineMs, () => {
    late = true;
    throw new DeadlineExceeded("The subscription took longer to start than it may.");
  });
  return isStream(stream) ? mapEvents(stream, execute) : stream;
}

const isStream = (value: object): value is AsyncIterable<unknown> => Symbol.asyncIterator in value;

async function close(stream: AsyncIterable<unknown> | ExecutionResult): Promise<void> {
  if (isStream(stream)) await stream[Symbol.asyncIterator]().return?.();
}

/** The stream of results. Unlike an async generator, `return()` ends it at once, even while `next()` waits for an event. */
function mapEvents(
  stream: AsyncIterable<unknown>,
  execute: (event: unknown) => Promise<ExecutionResult>,
): AsyncIterableIterator<ExecutionResult> {
  const events = stream[Symbol.asyncIterator]();
  const ended = { done: true, value: undefined } as const;
  return {
    async next() {
      const event = await events.next();
      return event.done ? ended : { done: false, value: await execute(event.value) };
    },
    async return() {
      await events.return?.();
      return ended;
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
