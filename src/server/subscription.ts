/**
 * Subscriptions over graphql-js, with a new context for every event: loaders remember what they have read, so an event executed
 * with the loaders of the one before would show the old value.
 */
import { createSourceEventStream, type ExecutionArgs, type ExecutionResult } from "graphql";
import { withDeadline } from "../domain/deadline.js";
import { DeadlineExceeded } from "../domain/errors.js";

/**
 * Opens the source of a subscription: its events, or the errors why there are none.
 * @param source document, variables and the context that the source is opened with
 * @throws DeadlineExceeded when it takes longer than `deadlineMs`
 */
export async function openSource(source: ExecutionArgs, deadlineMs: number): Promise<AsyncIterator<unknown> | ExecutionResult> {
  let late = false;
  const opening = createSourceEventStream(source);
  // A stream that opens after its client was refused is nobody's: it is closed, or it would leak.
  void opening.then((stream) => (late ? close(stream) : undefined)).catch(() => {});
  const stream = await withDeadline<AsyncIterable<unknown> | ExecutionResult>(opening, deadlineMs, () => {
    late = true;
    throw new DeadlineExceeded("The subscription took longer to start than it may.");
  });
  return isStream(stream) ? stream[Symbol.asyncIterator]() : stream;
}

const isStream = (value: object): value is AsyncIterable<unknown> => Symbol.asyncIterator in value;

async function close(stream: AsyncIterable<unknown> | ExecutionResult): Promise<void> {
  if (isStream(stream)) await stream[Symbol.asyncIterator]().return?.();
}

/** Whether a source was opened. */
export const isSource = (opened: AsyncIterator<unknown> | ExecutionResult): opened is AsyncIterator<unknown> => "next" in opened;

/**
 * The stream of results. Unlike an async generator, `return()` ends it at once, even while `next()`
 * waits for an event. An execution that rejects ends the stream and closes its source.
 */
export function mapEvents(
  events: AsyncIterator<unknown>,
  execute: (event: unknown) => Promise<ExecutionResult>,
): AsyncIterableIterator<ExecutionResult> {
  const ended = { done: true, value: undefined } as const;
  return {
    async next() {
      const event = await events.next();
      if (event.done) return ended;
      try {
        return { done: false, value: await execute(event.value) };
      } catch (error) {
        await events.return?.();
        throw error;
      }
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
