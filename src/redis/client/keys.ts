/**
 * Every key and channel that Souk uses in Redis, one file per
 * subject in `keys/`. A new subject adds its file there and its
 * line here. `npm run codegen` then writes docs/keys.md and
 * docs/redis-acl.md.
 */
import { ACTIVITY_KEYS } from "./keys/activity.js";
import { ATTEMPT_KEYS } from "./keys/attempts.js";
import { CACHE_KEYS } from "./keys/cache.js";
import { CART_KEYS } from "./keys/cart.js";
import { COUNTER_KEYS } from "./keys/counters.js";
import { DOCUMENT_KEYS } from "./keys/documents.js";
import { EVENT_LOG_KEYS } from "./keys/event-log.js";
import { LEADERBOARD_KEYS } from "./keys/leaderboard.js";
import { PUBSUB_KEYS } from "./keys/pubsub.js";
import { RATE_LIMITER_KEYS } from "./keys/rate-limiter.js";
import { SESSION_KEYS } from "./keys/session.js";
import { type KeySubject, keysOf, NAMESPACE } from "./keys/spec.js";

/** In the order of docs/keys.md. */
export const KEY_SUBJECTS = [
  CACHE_KEYS,
  SESSION_KEYS,
  ATTEMPT_KEYS,
  RATE_LIMITER_KEYS,
  DOCUMENT_KEYS,
  CART_KEYS,
  LEADERBOARD_KEYS,
  COUNTER_KEYS,
  ACTIVITY_KEYS,
  EVENT_LOG_KEYS,
  PUBSUB_KEYS,
] as const satisfies readonly KeySubject[];

/**
 * An intersection, so that every family of every subject is a
 * method.
 */
type Intersected<Union> = (Union extends unknown ? (one: Union) => void : never) extends (
  all: infer All,
) => void
  ? All
  : never;
type Families = Intersected<(typeof KEY_SUBJECTS)[number]["families"]>;

/** Every family by its name. */
export const KEY_SPECS: Families = Object.assign(
  {},
  ...KEY_SUBJECTS.map(({ families }) => families),
);

/** Builds keys under one prefix. */
export type Keys = ReturnType<typeof createKeys>;

/**
 * @param prefix put before every key; empty in production,
 * unique per test
 */
export function createKeys(prefix = "") {
  return {
    ...keysOf(prefix, KEY_SPECS),
    /**
     * What CLIENT TRACKING watches: tags and the epoch, never
     * entries, or every fill would be broadcast to every process.
     */
    cacheTagPrefix: () => prefix + NAMESPACE + KEY_SPECS.cacheTag.key.replace(/\{.*/, ""),
  };
}
