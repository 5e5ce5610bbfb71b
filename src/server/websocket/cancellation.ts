/**
 * Cancellation of operations that have no stream yet.
 *
 * graphql-ws tracks operations by id alone. A client may reuse the
 * id of a forgotten one. The new operation would get its messages,
 * and nothing would end it. So a placeholder reserves the id until
 * there is a stream, and notices the end.
 */
import type { Context } from "graphql-ws";
import { Stream } from "../../domain/concurrency/stream.js";

export interface Cancellation {
  /** The client has completed it, or the socket has closed. */
  readonly isCancelled: boolean;
}

/** Reserves the id that graphql-ws has just announced. */
export function reserveOperationId(
  { subscriptions }: Pick<Context, "subscriptions">,
  id: string,
): Cancellation {
  // graphql-ws calls its return() where an operation ends early.
  const placeholder = new Placeholder();
  subscriptions[id] = placeholder;
  return placeholder;
}

class Placeholder extends Stream<never> implements Cancellation {
  get isCancelled(): boolean {
    return this.isEnded;
  }
}

/**
 * For an operation with an answer: cancelled when its id is free
 * or reused.
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
 * Runs, unless it is cancelled before or meanwhile. Then the
 * promise never settles: graphql-ws cannot use the answer for a
 * reused id. A stream is closed.
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
