/**
 * Tells subscribers that a product's counters changed. However often they do, one process publishes at most once per product and window,
 * at its beginning and at its end: whoever is told reads the value anyway, and ten thousand publications a second would say no more.
 * Redis down: nobody is told, and every subscriber reads again once it is back.
 */
import type { Logger } from "pino";
import type { PubSub } from "../redis/pubsub.js";

/** Tells of changes. */
export interface StatsNews {
  /** @param version the time of the change, ms */
  changed(productId: number, version: number): void;
  close(): void;
}

/** What it takes. */
export interface StatsNewsOptions {
  readonly pubsub: Pick<PubSub, "publish">;
  /** Shortest time between two publications about one product; 0 publishes each change. */
  readonly windowMs: number;
  readonly log: Logger;
}

export function createStatsNews({ pubsub, windowMs, log }: StatsNewsOptions): StatsNews {
  /** Products told of within the window: the version that is still to be told, 0 for none, and when the window ends. */
  const windows = new Map<number, { version: number; timer: NodeJS.Timeout }>();
  const tell = (productId: number, version: number): void => {
    pubsub
      .publish({ kind: "productStatsChanged", id: productId }, { id: productId, version, seen: 0 })
      .catch((error: Error) => log.debug({ err: error.message, productId }, "a change of counters was not published"));
    if (windowMs > 0) windows.set(productId, { version: 0, timer: setTimeout(() => end(productId), windowMs) });
  };
  const end = (productId: number): void => {
    const version = windows.get(productId)?.version ?? 0;
    windows.delete(productId);
    if (version > 0) tell(productId, version);
  };
  return {
    changed(productId, version) {
      const window = windows.get(productId);
      if (window) window.version = Math.max(window.version, version);
      else tell(productId, version);
    },
    close() {
      for (const { timer } of windows.values()) clearTimeout(timer);
      windows.clear();
    },
  };
}
