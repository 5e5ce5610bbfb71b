/**
 * A kind of outbox rows: how its payload is read and
 * sent, and what is lost otherwise. Each subject
 * registers its own.
 */
import type { z } from "zod";
import { MAX_PAYLOAD_BYTES, type StoredRow } from "../../db/outbox.js";
import type { OutboxPayload } from "../../domain/events/outbox.js";
import { own } from "../../domain/own.js";

/** The readable part of a row. */
export interface ReadRow<Payload extends OutboxPayload = OutboxPayload> {
  readonly id: number;
  readonly payload: Payload;
  /**
   * Unreadable items by list. A missing or oversized
   * list counts as one.
   */
  readonly unread: Readonly<Record<keyof Payload, readonly unknown[]>>;
  /** Unreadable parts, for operators; empty for a whole row. */
  readonly problems: readonly string[];
}

/** The static part of a kind: reading and meaning of rows. */
export interface OutboxKindSpec<Payload extends OutboxPayload = OutboxPayload> {
  readonly kind: string;
  /** The schema of an item, by list of the payload. */
  readonly lists: { readonly [List in keyof Payload]: z.ZodType<Payload[List][number]> };
  /** What is lost unsent, by list. For `npm run outbox`. */
  readonly losses: Readonly<Record<keyof Payload, string>>;
  /** Whether cached values are stale until it is sent. */
  readonly invalidates: boolean;
}

export interface OutboxKind<Payload extends OutboxPayload = OutboxPayload>
  extends OutboxKindSpec<Payload> {
  /**
   * Sends the readable items, each by itself.
   * Idempotent. Resolves to the count of invalidations
   * so far; 0 for a kind without.
   */
  send(row: ReadRow<Payload>): Promise<number>;
}

/** Problems named per row. */
const MAX_PROBLEMS = 3;

/** Reads a stored row. Never throws. */
export function readRow<Payload extends OutboxPayload>(
  { lists }: OutboxKindSpec<Payload>,
  { id, payload: text }: Pick<StoredRow, "id" | "payload">,
): ReadRow<Payload> {
  const stored = parsePayload(text);
  const read = Object.entries<z.ZodType>(lists).map(
    ([name, schema]) => [name, readList({ name, schema, stored })] as const,
  );
  const byList = <Part>(of: (list: ListRead) => Part): Record<string, Part> =>
    Object.fromEntries(read.map(([name, list]) => [name, of(list)]));
  return {
    id,
    // The schemas of the kind have checked each item.
    payload: byList(({ items }) => items) as unknown as Payload,
    unread: byList(({ unread }) => unread) as Record<keyof Payload, unknown[]>,
    problems: read.flatMap(([, { problems }]) => problems).slice(0, MAX_PROBLEMS),
  };
}

/** A row just appended by this process needs no parsing. */
export function wholeRow(id: number, payload: OutboxPayload): ReadRow {
  const unread = Object.fromEntries(Object.keys(payload).map((list) => [list, []]));
  return { id, payload, unread, problems: [] };
}

/** A parsed payload, or why there is none. */
type ParsedPayload = { readonly value: unknown } | { readonly problem: string };

function parsePayload(text: string | null): ParsedPayload {
  if (text === null) return { problem: `: longer than ${MAX_PAYLOAD_BYTES} bytes` };
  try {
    return { value: JSON.parse(text) };
  } catch {
    return { problem: ": no JSON" };
  }
}

interface ListToRead {
  readonly name: string;
  readonly schema: z.ZodType;
  readonly stored: ParsedPayload;
}

interface ListRead {
  readonly items: unknown[];
  readonly unread: unknown[];
  readonly problems: string[];
}

/** A value that is no list counts as one item. */
function readList({ name, schema, stored }: ListToRead): ListRead {
  if ("problem" in stored)
    return { items: [], unread: [null], problems: [`${name}${stored.problem}`] };
  const list = listOf(stored.value, name);
  const isList = Array.isArray(list);
  const read: ListRead = { items: [], unread: [], problems: isList ? [] : [`${name}: no list`] };
  for (const [index, item] of (isList ? list : [list]).entries()) {
    const parsed = schema.safeParse(item);
    if (parsed.success) {
      read.items.push(parsed.data);
      continue;
    }
    read.unread.push(item);
    const [issue] = parsed.error.issues;
    const path = [index, ...(issue?.path ?? [])].map(String).join(".");
    if (read.problems.length < MAX_PROBLEMS)
      read.problems.push(`${name}[${path}]: ${issue?.message ?? "cannot be read"}`);
  }
  return read;
}

const listOf = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null
    ? own(value as Readonly<Record<string, unknown>>, name)
    : undefined;
