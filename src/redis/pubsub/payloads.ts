/**
 * What the messages of topics hold. They come from outside: what does not match is logged and
 * dropped.
 */
import { z } from "zod";
import type { TopicKind, TopicPayloads, ValueTopicKind } from "../../domain/events/events.js";
import { own } from "../../domain/own.js";

const CHANGE = z.object({
  id: z.union([z.int().nonnegative(), z.string().min(1)]),
  version: z.int().nonnegative(),
  seen: z.int().nonnegative(),
});
/** Payloads of topics that are no values. */
const OTHERS: { readonly [K in Exclude<TopicKind, ValueTopicKind>]: z.ZodType<TopicPayloads[K]> } =
  {
    sessionsEnded: z.object({ userId: z.int().nonnegative() }),
    notification: z.object({ epoch: z.string(), sequence: z.int().nonnegative() }),
  };

/** The payload of a kind of topic. */
export const payloadOf = <K extends TopicKind>(kind: K): z.ZodType<TopicPayloads[K]> =>
  (own(OTHERS as Readonly<Record<string, z.ZodType>>, kind) ?? CHANGE) as z.ZodType<
    TopicPayloads[K]
  >;

/** JSON, or undefined: the library would hand unparsable text on as if it were a payload. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
