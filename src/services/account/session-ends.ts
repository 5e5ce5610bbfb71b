/** Ended sessions, published to the processes that serve them. */
import type { Logger } from "pino";
import { SESSIONS_TOPIC } from "../../domain/events/events.js";
import type { PubSub } from "../../redis/pubsub/pubsub.js";
import { ALL_USERS } from "./revocations.js";

export interface SessionEnds {
  /**
   * Calls back with the user, or with null when it may
   * be any. Returns the unsubscribe function.
   */
  onEnded(listener: (userId: number | null) => void): () => void;
  close(): Promise<void>;
}

/** Starts listening. */
export async function watchSessionEnds(
  pubsub: Pick<PubSub, "subscribe" | "onResync">,
  log: Logger,
): Promise<SessionEnds> {
  const listeners = new Set<(userId: number | null) => void>();
  const notify = (userId: number | null): void => {
    for (const listener of listeners) {
      try {
        listener(userId);
      } catch (err) {
        log.error({ err }, "a listener for ended sessions failed");
      }
    }
  };
  const stopResync = pubsub.onResync((topic) => {
    if (topic === undefined || topic.kind === SESSIONS_TOPIC.kind) notify(null);
  });
  const unsubscribe = await pubsub.subscribe(SESSIONS_TOPIC, ({ userId }) =>
    notify(userId === ALL_USERS ? null : userId),
  );
  return {
    onEnded(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    async close() {
      stopResync();
      await unsubscribe();
    },
  };
}
