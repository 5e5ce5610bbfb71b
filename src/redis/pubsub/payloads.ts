/**
 * What the messages of topics hold. They come from outside: what does not match is logged and
 * dropped.
 */
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

/** JSON, or undefined: the library would hand unparsable text on as if it were a payload. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
