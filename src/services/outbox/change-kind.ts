/**
 * Changes of values: invalidates the cache, then
 * publishes events. An event carries the count of
 * invalidations that its readers must have seen.
 */
import { z } from "zod";
import { CATALOGUE_TAG } from "../../domain/catalogue/tags.js";
import type { ValueTopicKind } from "../../domain/events/events.js";
import { CHANGE_KIND, type PendingEvent } from "../../domain/events/outbox.js";
import type { Cache } from "../../redis/cache/cache.js";
import type { PubSub } from "../../redis/pubsub/pubsub.js";
import { failuresOf, mostTelling } from "../failures.js";
import type { OutboxKind, OutboxKindSpec } from "./kind.js";

export interface ChangeKindDeps {
  readonly cache: Pick<Cache, "invalidate">;
  readonly pubsub: Pick<PubSub, "publish">;
  /** Known topics; an event of another one is unreadable. */
  readonly topics: readonly string[];
}

type ChangePayload = { readonly tags: readonly string[]; readonly events: readonly PendingEvent[] };

/** Bounds one round trip. */
const TAGS_AT_ONCE = 1_000;

const WORD = z.string().min(1);
const COUNT = z.int().nonnegative();
const isTopicKind = (value: unknown): boolean => WORD.safeParse(value).success;

const EVENT = z.object({
  topic: z.object({ kind: z.custom<ValueTopicKind>(isTopicKind), id: z.union([COUNT, WORD]) }),
  version: COUNT,
});

export const CHANGE_SPEC: OutboxKindSpec<ChangePayload> = {
  kind: CHANGE_KIND,
  lists: { tags: WORD, events: EVENT },
  losses: {
    tags: "cached values stay old until CACHE_TTL_MS and CACHE_GRACE_MS have passed",
    events: "subscribers miss a change until the next one",
  },
  invalidates: true,
};

export function createChangeKind({
  cache,
  pubsub,
  topics,
}: ChangeKindDeps): OutboxKind<ChangePayload> {
  const known = new Set(topics);
  const event = EVENT.refine(({ topic }) => known.has(topic.kind), {
    path: ["topic"],
    message: "no such topic",
  });
  const invalidate = async (tags: readonly string[]): Promise<number> => {
    const all = [...new Set(tags)];
    let count = 0;
    for (let done = 0; done < all.length; done += TAGS_AT_ONCE)
      count = await cache.invalidate(all.slice(done, done + TAGS_AT_ONCE));
    return count;
  };
  return {
    ...CHANGE_SPEC,
    lists: { tags: WORD, events: event },
    async send({ payload: { tags, events }, unread }) {
      // An unreadable tag may be any of the catalogue, so
      // all are invalidated. First, because a reader of an
      // event would otherwise read the old value.
      const seen = await invalidate(unread.tags.length > 0 ? [...tags, CATALOGUE_TAG] : tags);
      const failures = await failuresOf(
        events.map(({ topic: of, version }) => pubsub.publish(of, { id: of.id, version, seen })),
      );
      if (failures.length > 0) throw mostTelling(failures);
      return seen;
    },
  };
}
