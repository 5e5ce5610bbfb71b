/**
 * Whether a client has given up an operation before there was anything to end.
 *
 * graphql-ws knows operations by their id alone: once it has forgotten one, an operation that
 * reuses the id would get the messages of the first, and nothing would ever end that one. A
 * cancellation stands in the place of its iterator until there is one, and hears of the end.
 */
import type { Context } from "graphql-ws";
import { Stream } from "../../domain/concurrency/stream.js";

/** One operation on its way to an answer. */
export interface Cancellation {
  /** Whether the client has completed it, or the socket has closed. */
  readonly isCancelled: boolean;
}

/** Takes the place of the operation that graphql-ws has just announced. */
export function reserveOperationId(
  { subscriptions }: Pick<Context, "subscriptions">,
  id: string,
): Cancellation {
  // graphql-ws calls its return() where an operation ends early.
  const placeholder = new Stream<never>();
  subscriptions[id] = placeholder;
  return {
    get isCancelled() {
      return placeholder.isEnded;
    },
  };
}

/**
 * The cancellation of an operation that has an answer: given up once another, or none, has its
 * place.
 */
export function cancellationOf(context: Pick<Context, "subscriptions">, id: string): Cancellation {
  const place = context.subscriptions[id];
  return {
    get isCancelled() {
      return context.subscriptions[id] !== place;
    },
  };
}

/**
 * Runs and hands the answer on, unless the operation was given up before or meanwhile. Then
 * there is no answer, ever, so that graphql-ws takes it for no other caller's; a stream is
 * closed, and the callers that wait for the answer are forgotten with it.
 */
export async function unlessCancelled<T extends object>(
  cancellation: Cancellation,
  run: () => Promise<T>,
): Promise<T> {
  if (!cancellation.isCancelled) {
    const answer = await run();
    if (!cancellation.isCancelled) return answer;
    if ("return" in answer && typeof answer.return === "function") await answer.return();
  }
  return new Promise<T>(() => {});
}
