/**
 * Sends what one outbox row owes: first revocations are applied and the cache is invalidated, then
 * events are published and logs are appended to; scores are written into their ledger meanwhile.
 * Each thing is sent for itself, so one that fails holds up no other. Everything here can be
 * repeated: a revocation, an invalidation, a snapshot or an entry of a log sent twice change
 * nothing, and a score counts once.
 */
import type { OutboxMessage } from "../../domain/events.js";
import type { ShopScore } from "../../domain/leaderboard/leaderboard.js";
import type { Cache } from "../../redis/cache/cache.js";
import type { PubSub } from "../../redis/pubsub/pubsub.js";
import type { ApplyRevocation } from "../account/revocations.js";
import { failuresOf, mostTelling } from "../failures.js";
import type { ApplyNotifications } from "../notification/log.js";

/** Where rows are sent to. */
export interface SendParts {
  readonly cache: Pick<Cache, "invalidate">;
  readonly pubsub: Pick<PubSub, "publish">;
  /** Ends in Redis what was revoked, and announces it to the processes that serve it. */
  readonly revoke: ApplyRevocation;
  /** Writes scores into the ledger of the shop's boards. */
  readonly score: (scores: readonly ShopScore[]) => Promise<void>;
  /** Adds to the logs of users what Postgres has, and announces it. */
  readonly notify: ApplyNotifications;
}

/**
 * Sends a row but for its scores. Resolves to the number of invalidations so far, its own included;
 * 0 where it has none.
 */
export type Announce = (message: OutboxMessage) => Promise<number>;

/** Tags invalidated at once: bounds one round trip. */
const TAGS_AT_ONCE = 1_000;

export function createAnnounce({ cache, pubsub, revoke, notify }: SendParts): Announce {
  const invalidate = async (tags: readonly string[]): Promise<number> => {
    const all = [...new Set(tags)];
    let seen = 0;
    for (let done = 0; done < all.length; done += TAGS_AT_ONCE)
      seen = await cache.invalidate(all.slice(done, done + TAGS_AT_ONCE));
    return seen;
  };
  return async ({ revocations = [], tags, events, notifications = [] }) => {
    const failures = await failuresOf(revocations.map(revoke));
    // Without its invalidation an event has readers read the old value.
    const seen = await invalidate(tags).catch((error: unknown) => {
      throw mostTelling([...failures, error]);
    });
    failures.push(
      ...(await failuresOf(
        events.map(({ topic, version }) => pubsub.publish(topic, { id: topic.id, version, seen })),
      )),
      ...(await failuresOf([notifyInOrder(notify, notifications)])),
    );
    if (failures.length > 0) throw mostTelling(failures);
    return seen;
  };
}

/** Entries of one log come in the order of the row. */
async function notifyInOrder(
  notify: ApplyNotifications,
  appends: NonNullable<OutboxMessage["notifications"]>,
): Promise<void> {
  const failures: unknown[] = [];
  for (const append of appends)
    await notify(append).catch((error: unknown) => failures.push(error));
  if (failures.length > 0) throw mostTelling(failures);
}
