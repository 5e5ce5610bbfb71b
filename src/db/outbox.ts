/**
 * The outbox: what a committed write still owes the outside, in the write's own transaction, so
 * that it is neither lost with a process that dies after the commit nor sent for a write that was
 * rolled back.
 *
 * A row is deleted only after it was sent; a crash in between sends it again, and everything that
 * is sent can be repeated. A row that fails waits with a growing pause and is set aside in the end,
 * with its error, for an operator (outbox-operating.ts). Rows are read as text within a bound of
 * bytes, whatever they hold: services/outbox/row.ts parses them.
 */
import { type SQL, sql } from "drizzle-orm";
import type { OutboxMessage } from "../domain/events.js";
import { MINUTE } from "../domain/time/time.js";
import type { Database, Tx } from "./client/database.js";
import { LOCKS } from "./client/locks.js";
import { bigints, storable, texts } from "./client/statements.js";

/** Channel that is notified, with an empty payload, when rows are committed. */
export const OUTBOX_CHANNEL = "souk_outbox";

/** What a row consists of: a JSON array each. */
export const OUTBOX_PARTS = ["revocations", "tags", "events", "notifications", "scores"] as const;

/** A part of {@link OUTBOX_PARTS}. */
export type OutboxPart = (typeof OUTBOX_PARTS)[number];

/**
 * Longest part that is written or read, in bytes: a notification to a thousand users takes a tenth.
 */
export const MAX_PART_BYTES = 1024 * 1024;
/** Rows beyond are read the next time. */
const MAX_READ_BYTES = 8 * 1024 * 1024;
/**
 * Rows that are stored in more bytes than this are unpacked by another statement, so that none runs
 * into its time-out.
 */
const MAX_UNPACKED_BYTES = MAX_PART_BYTES;
/** An empty list is stored in as many bytes. */
const EMPTY_BYTES = 8;
/** An error is kept for people. */
export const MAX_ERROR_LENGTH = 500;
/** Longest pause between two attempts. */
export const MAX_RETRY_MS = 5 * MINUTE;

/**
 * A row that waits: `keys` is what it is ordered by, null until the relay has read it and could not
 * send it.
 */
export interface WaitingRow {
  readonly id: number;
  readonly keys: readonly string[] | null;
  /** Whether its pause is over. */
  readonly due: boolean;
}

/** A row as it is stored. Nothing in it is known to be well-formed. */
export interface StoredRow {
  readonly id: number;
  /** Whether the users of an unreadable revocation in it had their sessions ended. */
  readonly closed: boolean;
  /** JSON; null for a part longer than {@link MAX_PART_BYTES}. */
  readonly parts: Readonly<Record<OutboxPart, string | null>>;
}

/** A row that could not be sent. */
export interface FailedRow {
  readonly id: number;
  readonly keys: readonly string[];
  readonly error: string;
  /** Whether it was the row's own fault, so that the attempt counts. */
  readonly counts: boolean;
}

/**
 * How failed rows are tried again: after `retryMs`, doubled each time, `attemptsMax` times in all.
 */
export interface RetryOptions {
  readonly retryMs: number;
  readonly attemptsMax: number;
}

/** What became of a failed row. */
export interface RowFate {
  readonly id: number;
  readonly attempts: number;
  readonly setAside: boolean;
  readonly error: string;
}

/** The outbox. */
export type OutboxTable = ReturnType<typeof createOutboxTable>;

/** The outbox of one database. */
export function createOutboxTable(database: Database) {
  return {
    /**
     * Adds a row and wakes the relays when `tx` commits. Resolves to its id. Throws for a part that
     * is too long to be read.
     */
    append: (tx: Tx, message: OutboxMessage): Promise<number> => append(tx, message),
    /** Deletes rows that were sent. */
    async done(ids: readonly number[]): Promise<void> {
      if (ids.length > 0)
        await database.query(sql`DELETE FROM outbox WHERE id = ANY(${bigints(ids)})`);
    },
    /** Runs `work` unless another relay is at work: then null. A connection is held meanwhile. */
    alone: <T>(work: () => Promise<T>): Promise<T | null> =>
      database.exclusively(LOCKS.relay, work),
    /** Rows that are not set aside, in order, above `after`. */
    waiting: (after: number, limit: number): Promise<WaitingRow[]> =>
      database.query<WaitingRow>(sql`
        SELECT id, keys, coalesce(next_attempt_at <= clock_timestamp(), true) AS due FROM outbox
        WHERE set_aside_at IS NULL AND id > ${after}::bigint ORDER BY id LIMIT ${limit}::bigint`),
    /**
     * The first of these rows, in order, as many as a bound of bytes allows; none only where none
     * is there.
     */
    read: (ids: readonly number[]): Promise<StoredRow[]> =>
      read(database, sql`set_aside_at IS NULL AND id = ANY(${bigints(ids)})`),
    /**
     * Rows above `after` with revocations that may not have been applied, those set aside included,
     * in order, some at a time.
     */
    unsentRevocations: (after: number): Promise<StoredRow[]> =>
      read(
        database,
        sql`id IN (
          SELECT id FROM outbox
          WHERE pg_column_size(revocations) > ${EMPTY_BYTES} AND id > ${after}::bigint
          ORDER BY id LIMIT 100)`,
      ),
    /**
     * Notes failures, and sets aside what has failed too often. Resolves to what became of the rows
     * that are still there.
     */
    failed: (rows: readonly FailedRow[], retry: RetryOptions): Promise<RowFate[]> =>
      fail(database, rows, retry),
    /** Notes what rows are ordered by, so that they need not be read again while they wait. */
    async keyed(
      rows: readonly { readonly id: number; readonly keys: readonly string[] }[],
    ): Promise<void> {
      if (rows.length === 0) return;
      await database.query(sql`
        UPDATE outbox o SET keys = ARRAY(SELECT jsonb_array_elements_text(q.keys::jsonb))
        FROM unnest(
          ${bigints(rows.map(({ id }) => id))},
          ${texts(rows.map(({ keys }) => textOf(keys)))}
        ) AS q(id, keys)
        WHERE o.id = q.id`);
    },
    /**
     * True the first time: the users of an unreadable revocation in this row are to lose their
     * sessions, once.
     */
    async close(tx: Tx, id: number): Promise<boolean> {
      const rows = await tx.query(sql`
        UPDATE outbox SET closed_at = clock_timestamp()
        WHERE id = ${id}::bigint AND closed_at IS NULL
        RETURNING id`);
      return rows.length > 0;
    },
    /**
     * True while anything waits that was committed at least `minAgeMs` ago; what is younger its
     * writer may still be sending.
     */
    async hasUnsent(minAgeMs = 0): Promise<boolean> {
      const [row] = await database.query<{ unsent: boolean }>(sql`
        SELECT EXISTS (SELECT FROM outbox WHERE set_aside_at IS NULL
          AND created_at <= clock_timestamp() - ${minAgeMs} * interval '1 millisecond') AS unsent`);
      return row?.unsent ?? false;
    },
  };
}

const textOf = (keys: readonly string[]): string => JSON.stringify(keys.map(storable));

async function append(
  tx: Tx,
  { tags, events, revocations = [], scores = [], notifications = [] }: OutboxMessage,
): Promise<number> {
  const parts = { tags, events, revocations, scores, notifications };
  const [json, allTags] = [bounded(parts), texts(tags)];
  const [row] = await tx.query<{ id: number }>(sql`
    INSERT INTO outbox (tags, events, revocations, scores, notifications)
    VALUES (${allTags}, ${json("events")}::jsonb, ${json("revocations")}::jsonb,
      ${json("scores")}::jsonb, ${json("notifications")}::jsonb)
    RETURNING id, pg_notify(${OUTBOX_CHANNEL}, '')::text`);
  if (!row) throw new Error("INSERT … RETURNING answered no row.");
  return row.id;
}

/**
 * Spells parts as JSON. Postgres puts a space behind each colon and comma, so at most twice as much
 * is read.
 */
function bounded(
  parts: Readonly<Record<OutboxPart, readonly unknown[]>>,
): (part: OutboxPart) => string {
  const json = new Map(OUTBOX_PARTS.map((part) => [part, JSON.stringify(parts[part])]));
  for (const [part, text] of json)
    if (Buffer.byteLength(text) > MAX_PART_BYTES / 2)
      throw new Error(`The ${part} of a write are more than the outbox takes.`);
  return (part) => json.get(part) ?? "[]";
}

const textOfPart = (part: OutboxPart): SQL =>
  sql.raw(part === "tags" ? "to_json(tags)::text" : `${part}::text`);
const columnOf = (part: OutboxPart): SQL => sql.raw(part);

/** The bytes in which parts are stored, known without unpacking them. */
const packed = (parts: readonly OutboxPart[]): SQL =>
  sql.join(
    parts.map((part) => sql`pg_column_size(${columnOf(part)})`),
    sql` + `,
  );

/**
 * What is stored in few bytes may be long all the same: it is unpacked, on the server, only where
 * the packed size allows, together with the parts before it.
 */
const boundedText = (part: OutboxPart, index: number): SQL => sql`
  CASE WHEN ${packed(OUTBOX_PARTS.slice(0, index + 1))} <= ${MAX_PART_BYTES}
      AND octet_length(${textOfPart(part)}) <= ${MAX_PART_BYTES}
    THEN ${textOfPart(part)} END AS ${columnOf(part)}`;

async function read(database: Database, which: SQL): Promise<StoredRow[]> {
  const sizes = OUTBOX_PARTS.map((part) => sql`coalesce(octet_length(${columnOf(part)}), 0)`);
  const rows = await database.query<{ id: number; closed: boolean } & StoredRow["parts"]>(sql`
    WITH wanted AS (
      SELECT id, ${packed(OUTBOX_PARTS)} AS packed FROM outbox WHERE ${which}
    ), few AS MATERIALIZED (
      SELECT id FROM (SELECT id, packed, sum(packed) OVER (ORDER BY id) AS upto FROM wanted) w
      WHERE upto - packed < ${MAX_UNPACKED_BYTES}
    ), bounded AS MATERIALIZED (
      SELECT id, closed_at IS NOT NULL AS closed,
        ${sql.join(OUTBOX_PARTS.map(boundedText), sql`, `)}
      FROM outbox WHERE id IN (SELECT id FROM few)
    ), sized AS (SELECT *, ${sql.join(sizes, sql` + `)} AS size FROM bounded)
    SELECT * FROM (SELECT *, sum(size) OVER (ORDER BY id) - size AS before FROM sized) s
    WHERE before < ${MAX_READ_BYTES} ORDER BY id`);
  return rows.map(({ id, closed, tags, events, revocations, scores, notifications }) => {
    return { id, closed, parts: { tags, events, revocations, scores, notifications } };
  });
}

async function fail(
  database: Database,
  rows: readonly FailedRow[],
  { retryMs, attemptsMax }: RetryOptions,
): Promise<RowFate[]> {
  if (rows.length === 0) return [];
  const column = <T>(of: (row: FailedRow) => T): T[] => rows.map(of);
  const fates = await database.query<{
    id: number;
    attempts: number;
    set_aside: boolean;
    last_error: string;
  }>(sql`
    UPDATE outbox o SET attempts = o.attempts + q.counts, last_error = q.error,
      keys = ARRAY(SELECT jsonb_array_elements_text(q.keys::jsonb)),
      next_attempt_at = clock_timestamp()
        + least(${retryMs}::float8 * power(2, least(o.attempts, 30)), ${MAX_RETRY_MS}::float8)
          * interval '1 millisecond',
      set_aside_at = CASE
        WHEN q.counts = 1 AND o.attempts + 1 >= ${attemptsMax}::bigint THEN clock_timestamp() END
    FROM unnest(
      ${bigints(column(({ id }) => id))},
      ${texts(column(({ keys }) => textOf(keys)))},
      ${texts(column(({ error }) => storable(error.slice(0, MAX_ERROR_LENGTH))))},
      ${bigints(column(({ counts }) => Number(counts)))}
    ) AS q(id, keys, error, counts)
    WHERE o.id = q.id AND o.set_aside_at IS NULL
    RETURNING o.id, o.attempts, o.set_aside_at IS NOT NULL AS set_aside, o.last_error`);
  return fates.map(({ id, attempts, set_aside, last_error }) => ({
    id,
    attempts,
    setAside: set_aside,
    error: last_error,
  }));
}
