/**
 * Outbox rows as they are read: JSON of which nothing is known until it is parsed. What can be read
 * of a row is sent; what cannot be is named as a problem, and the row counts as failed. Parts are
 * independent: a broken event keeps no tag from being invalidated.
 */
import { z } from "zod";
import { MAX_PART_BYTES, type OutboxPart, type StoredRow } from "../../db/outbox.js";
import type { Revocation } from "../../domain/account/session.js";
import { CATALOGUE_TAG } from "../../domain/catalogue/tags.js";
import type {
  OutboxMessage,
  OutboxRow,
  PendingEvent,
  ValueTopicKind,
} from "../../domain/events.js";
import { BOARD_LIMITS, MAX_SCORE, type ShopScore } from "../../domain/leaderboard/leaderboard.js";
import type { NotificationAppend } from "../../domain/notification.js";

/** The user of a revocation that cannot be read, as far as it names one. */
export type NamedUser = { readonly userId: number } | { readonly userTag: string };

/** A row, as far as it can be read. */
export interface ReadRow extends OutboxRow {
  /** What cannot be read, in words for an operator; empty for a row that is whole. */
  readonly problems: readonly string[];
  /** Users of revocations that cannot be read, whose sessions are still to be ended. */
  readonly distrusted: readonly NamedUser[];
}

const ID = z.int().positive();
const COUNT = z.int().nonnegative();
const WORD = z.string().min(1);
const KINDS = [
  "productChanged",
  "catalogueChanged",
  "cartChanged",
  "leaderboardChanged",
  "productStatsChanged",
] as const;
const TOPIC = z.object({
  kind: z.enum(KINDS satisfies readonly ValueTopicKind[]),
  id: z.union([COUNT, WORD]),
});
const EVENT: z.ZodType<PendingEvent> = z.object({ topic: TOPIC, version: COUNT });

const REVOCATION: z.ZodType<Revocation> = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("session"), userId: ID, userTag: WORD, sessionId: WORD }),
  z.object({
    kind: z.literal("user"),
    userId: ID,
    userTag: WORD,
    epoch: COUNT,
    keptId: WORD.nullable(),
  }),
  z.object({ kind: z.literal("everyone"), beforeMs: COUNT }),
]);

const SCORE: z.ZodType<ShopScore> = z.object({
  slug: WORD,
  owner: WORD.max(BOARD_LIMITS.owner),
  score: z.number().min(-MAX_SCORE).max(MAX_SCORE),
  operationId: WORD.max(BOARD_LIMITS.operationId),
});

const CONTENT = z.object({
  kind: z.string(),
  title: z.string(),
  body: z.string(),
  url: z.string().nullable(),
  expiresAt: z.string().nullable(),
});
const DELIVERY = z.object({ userId: ID, sequence: COUNT, id: ID, unread: COUNT });
const NOTIFICATION: z.ZodType<NotificationAppend> = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("delivered"),
    content: CONTENT,
    createdAt: z.string(),
    to: z.array(DELIVERY),
  }),
  z.object({
    type: z.literal("read"),
    userId: ID,
    sequence: COUNT,
    ids: z.array(ID),
    upTo: COUNT.nullable(),
    unread: COUNT,
  }),
]);

/** Parses a row. Never throws. */
export function readRow({ id, closed, parts }: StoredRow): ReadRow {
  const problems: string[] = [];
  const part = <Item>(name: OutboxPart, schema: z.ZodType<Item>) =>
    readPart({ name, schema, text: parts[name] }, problems);
  const revocations = part("revocations", REVOCATION);
  const tags = part("tags", WORD);
  return {
    id,
    revocations: revocations.read,
    // Tags that cannot be named are all those of the catalogue: too much is invalidated rather than
    // too little.
    tags: tags.unread.length > 0 ? [...tags.read, CATALOGUE_TAG] : tags.read,
    events: part("events", EVENT).read,
    notifications: part("notifications", NOTIFICATION).read,
    scores: part("scores", SCORE).read,
    problems,
    distrusted: closed ? [] : revocations.unread.flatMap(userOf),
  };
}

/**
 * What a row is ordered by: it waits behind an earlier one only where they share a key. Revocations
 * and tags go in any order.
 */
export function keysOf({ events, notifications = [], scores = [] }: OutboxMessage): string[] {
  return [
    ...new Set([
      ...events.map(({ topic }) => `${topic.kind}:${topic.id}`),
      ...notifications.flatMap(usersOf).map((userId) => `user:${userId}`),
      ...scores.map(({ slug }) => `board:${slug}`),
    ]),
  ];
}

const usersOf = (append: NotificationAppend): number[] =>
  append.type === "read" ? [append.userId] : append.to.map(({ userId }) => userId);

interface StoredPart<Item> {
  readonly name: OutboxPart;
  readonly schema: z.ZodType<Item>;
  readonly text: string | null;
}

interface PartRead<Item> {
  readonly read: Item[];
  readonly unread: unknown[];
}

/** More problems of one row say no more. */
const PROBLEMS_NAMED = 3;

function readPart<Item>(
  { name, schema, text }: StoredPart<Item>,
  problems: string[],
): PartRead<Item> {
  const problem = (what: string): void =>
    void (problems.length < PROBLEMS_NAMED && problems.push(`${name}${what}`));
  const items = text === null ? `: longer than ${MAX_PART_BYTES} bytes` : itemsOf(text);
  if (typeof items === "string") {
    problem(items);
    return { read: [], unread: [null] };
  }
  if (!items.isList) problem(": no list");
  const read: Item[] = [];
  const unread: unknown[] = [];
  for (const [index, item] of items.items.entries()) {
    const parsed = schema.safeParse(item);
    if (parsed.success) read.push(parsed.data);
    else {
      unread.push(item);
      const [issue] = parsed.error.issues;
      problem(
        `[${[index, ...(issue?.path ?? [])].map(String).join(".")}]: ` +
          `${issue?.message ?? "cannot be read"}`,
      );
    }
  }
  return { read, unread };
}

/** The items of a part, or why there are none. What is no list counts as its only item. */
function itemsOf(
  text: string,
): { readonly items: readonly unknown[]; readonly isList: boolean } | string {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value)
      ? { items: value, isList: true }
      : { items: [value], isList: false };
  } catch {
    return ": no JSON";
  }
}

const NAMED_BY_ID = z.object({ userId: ID });
const NAMED_BY_TAG = z.object({ userTag: WORD });

function userOf(item: unknown): NamedUser[] {
  const [byId, byTag] = [NAMED_BY_ID.safeParse(item), NAMED_BY_TAG.safeParse(item)];
  if (byId.success) return [byId.data];
  return byTag.success ? [byTag.data] : [];
}
