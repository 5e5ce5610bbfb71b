/**
 * Announces that a product's counters changed. However often they do, one process publishes at most
 * once per product and window: subscribers read the value anyway, and ten thousand publications a
 * second would say no more. Redis down: the last change is announced once it is back.
 */
import type { PubSub } from "../../redis/pubsub/pubsub.js";
import { type AnnouncerOptions, createAnnouncer } from "../announcer.js";

/** Tells of changes. */
export interface StatsNews {
  /** @param version the time of the change, ms */
  changed(productId: number, version: number): void;
  close(): void;
}

export function createStatsNews({
  pubsub,
  ...options
}: AnnouncerOptions & { readonly pubsub: Pick<PubSub, "publish"> }): StatsNews {
  const announcer = createAnnouncer(options);
  return {
    changed: (id, version) =>
      announcer.changed(id, version, (latest) =>
        pubsub.publish({ kind: "productStatsChanged", id }, { id, version: latest, seen: 0 }),
      ),
    close: announcer.close,
  };
}
