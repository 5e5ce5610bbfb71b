/** Messages of topics. They come from outside: others are dropped. */
import { z } from "zod";
import type { TopicKind, TopicPayloads } from "../../domain/events/events.js";

const CHANGE = z.object({
  id: z.union([z.int().nonnegative(), z.string().min(1)]),
  version: z.int().nonnegative(),
  seen: z.int().nonnegative(),
});
/** The payload of each kind of topic. */
export const PAYLOADS: { readonly [K in TopicKind]: z.ZodType<TopicPayloads[K]> } = {
  productChanged: CHANGE,
  catalogueChanged: CHANGE,
  cartChanged: CHANGE,
  leaderboardChanged: CHANGE,
  productStatsChanged: CHANGE,
  sessionsEnded: z.object({ userId: z.int().nonnegative() }),
  notification: z.object({ epoch: z.string(), sequence: z.int().nonnegative() }),
};

/** Undefined for no JSON: the library would pass the text on. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
