/**
 * Publishes that a product's counters changed, at most once
 * per product, process and window. Subscribers read the
 * value anyway: more publications would say no more.
 */
import type { PubSub } from "../../redis/pubsub/pubsub.js";
import {
  createThrottledPublisher,
  type ThrottledPublisher,
  type ThrottleOptions,
} from "../throttled-publisher.js";

/** Publishes changes by product id; versions are times in ms. */
export type StatsPublisher = ThrottledPublisher<number>;

export function createStatsPublisher({
  pubsub,
  ...options
}: ThrottleOptions & { readonly pubsub: Pick<PubSub, "publish"> }): StatsPublisher {
  return createThrottledPublisher({
    ...options,
    keyOf: (id) => id,
    send: (id, version) =>
      pubsub.publish({ kind: "productStatsChanged", id }, { id, version, seen: 0 }),
  });
}
