/**
 * A kind of outbox rows: how its payload is read, how it is sent, and what is lost where it is not.
 * Each subject registers its own.
 */
import type { z } from "zod";
import { MAX_PAYLOAD_BYTES, type StoredRow } from "../../db/outbox.js";
import type { OutboxPayload } from "../../domain/events/outbox.js";
import { own } from "../../domain/own.js";

/** A row to send, as far as it can be read. */
export interface ReadRow<Payload extends OutboxPayload = OutboxPayload> {
  readonly id: number;
  readonly payload: Payload;
  /**
   * Items that cannot be read, by list. A list that is missing or too long counts as one such item.
   */
  readonly unread: Readonly<Record<keyof Payload, readonly unknown[]>>;
  /** What cannot be read, in words for an operator; empty for a row that is whole. */
  readonly problems: readonly string[];
}

/** What is known of a kind without its collaborators: how its rows are read, and what they mean. */
export interface OutboxKindSpec<Payload extends OutboxPayload = OutboxPayload> {
  readonly kind: string;
  /** The lists of the payload, and how an item of each is read. */
  readonly lists: { readonly [List in keyof Payload]: z.ZodType<Payload[List][number]> };
  /** By list: what is lost where it is never sent. For `npm run outbox`. */
  readonly losses: Readonly<Record<keyof Payload, string>>;
  /** Whether a reader of the cache sees an old value until it is sent. */
  readonly invalidates: boolean;
}

/** How rows of one kind are read and sent. */
export interface OutboxKind<Payload extends OutboxPayload = OutboxPayload>
  extends OutboxKindSpec<Payload> {
  /**
   * Sends what can be read. Each item for itself, and safe to repeat. Resolves to the count of
   * invalidations so far; 0 for a kind without.
   */
  send(row: ReadRow<Payload>): Promise<number>;
}

/** More problems of one row are not named. */
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

/** A row that this process has just appended: nothing of it is in doubt. */
export function wholeRow(id: number, payload: OutboxPayload): ReadRow {
  const unread = Object.fromEntries(Object.keys(payload).map((list) => [list, []]));
  return { id, payload, unread, problems: [] };
}

/** The value of a payload, or why there is none. */
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

/** What is no list counts as its only item. */
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
