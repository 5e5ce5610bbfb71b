/**
 * The transactional outbox: what a committed write still has to
 * announce. Its row commits with the write. So it is neither
 * lost, nor sent for a write that was rolled back.
 *
 * A row is deleted after it was sent. A crash in between sends it
 * again; every handler is idempotent. A failed row waits with
 * growing pauses and is set aside in the end
 * (outbox-operating.ts). Payloads are read as bounded text; the
 * handlers of services/outbox parse them.
 */
import { type SQL, sql } from "drizzle-orm";
import type { OutboxEntry, OutboxRow } from "../domain/events/outbox.js";
import { MINUTE } from "../domain/time/time.js";
import type { Database, Tx } from "./client/database.js";
import { LOCKS } from "./client/locks.js";
import { bigints, storable, texts } from "./client/statements.js";

/**
 * Channel that is notified, with an empty payload, at each
 * commit.
 */
export const OUTBOX_CHANNEL = "souk_outbox";

/**
 * Longest payload that is read, in bytes. A notification to a
 * thousand users takes a tenth. Postgres adds a space after each
 * colon and comma, so half as much is written.
 */
export const MAX_PAYLOAD_BYTES = 1024 * 1024;
/** Later rows are read the next time. */
const MAX_READ_BYTES = 8 * 1024 * 1024;
/**
 * Longer stored rows are decompressed by another statement, so
 * that none times out.
 */
const MAX_UNPACKED_BYTES = MAX_PAYLOAD_BYTES;
/** Longest error that is kept, in characters. */
export const MAX_ERROR_LENGTH = 500;
/** Longest pause between two attempts. */
export const MAX_ROW_RETRY_MS = 5 * MINUTE;
/** Keys that are read together: a notification has one for each user. */
const MAX_PAGE_KEYS = 20_000;
/** Rows of one kind that are read together. */
const KIND_PAGE = 100;

/** A row that waits. */
export interface WaitingRow {
  readonly id: number;
  /** Keys that it is ordered by. */
  readonly keys: readonly string[];
  /** Whether its pause is over. */
  readonly due: boolean;
}

/** A row as stored. Its payload may be malformed. */
export interface StoredRow {
  readonly id: number;
  readonly kind: string;
  readonly keys: readonly string[];
  /** JSON; null where it is longer than {@link MAX_PAYLOAD_BYTES}. */
  readonly payload: string | null;
}

/** A row that could not be sent. */
export interface FailedRow {
  readonly id: number;
  readonly error: string;
  /**
   * Whether the row itself is at fault, so that the attempt
   * counts.
   */
  readonly counts: boolean;
}

/**
 * Retries after `retryMs`, doubled each time, at most
 * `attemptsMax` times.
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
     * Adds rows, in order; NOTIFY wakes the relays when `tx`
     * commits. Throws for a payload that is too long.
     */
    append: (tx: Tx, entries: readonly OutboxEntry[]): Promise<OutboxRow[]> =>
      appendRows(tx, entries),
    /** Deletes rows that were sent. */
    async done(ids: readonly number[]): Promise<void> {
      if (ids.length > 0)
        await database.query(sql`DELETE FROM outbox WHERE id = ANY(${bigints(ids)})`);
    },
    /**
     * Runs `work` under a lock, on a connection of its own. Null
     * while another relay holds it.
     */
    alone: <T>(work: () => Promise<T>): Promise<T | null> =>
      database.exclusively(LOCKS.relay, work),
    /**
     * Rows that are not set aside, in order, above `after`: the first of at most `limit`, within a
     * bound of keys; none only where none is there.
     */
    waiting: (after: number, limit: number): Promise<WaitingRow[]> =>
      waitingRows(database, after, limit),
    /**
     * The first of these rows that fit a bound of bytes, in order.
     * Empty only where none is there.
     */
    read: (ids: readonly number[]): Promise<StoredRow[]> =>
      readOutboxRows(database, sql`set_aside_at IS NULL AND id = ANY(${bigints(ids)})`),
    /**
     * Rows of a kind above `after`, in order, in batches, including
     * those set aside.
     */
    ofKind: (kind: string, after: number): Promise<StoredRow[]> =>
      readOutboxRows(
        database,
        sql`id IN (
          SELECT id FROM outbox WHERE kind = ${kind} AND id > ${after}::bigint
          ORDER BY id LIMIT ${KIND_PAGE}::bigint)`,
      ),
    /**
     * Records failures; sets aside what failed too often. Resolves
     * to the outcome of rows that are still there.
     */
    failed: (rows: readonly FailedRow[], retry: RetryOptions): Promise<RowFate[]> =>
      markFailed(database, rows, retry),
    /**
     * True the first time: marks the effect that happens once per
     * row.
     */
    close: (tx: Tx, id: number): Promise<boolean> => closeRow(tx, id),
    /**
     * Whether a row waits that was committed at least `minAgeMs`
     * ago. The writer may still be sending younger ones.
     */
    hasUnsent: (minAgeMs = 0): Promise<boolean> => hasUnsentRows(database, minAgeMs),
  };
}

const waitingRows = (database: Database, after: number, limit: number): Promise<WaitingRow[]> =>
  database.query<WaitingRow>(sql`
    SELECT id, keys, due FROM (
      SELECT id, keys, coalesce(next_attempt_at <= clock_timestamp(), true) AS due,
        sum(cardinality(keys)) OVER (ORDER BY id) - cardinality(keys) AS keys_before
      FROM (
        SELECT id, keys, next_attempt_at FROM outbox
        WHERE set_aside_at IS NULL AND id > ${after}::bigint
        ORDER BY id LIMIT ${limit}::bigint) page) numbered
    WHERE keys_before < ${MAX_PAGE_KEYS}::bigint ORDER BY id`);

async function appendRows(tx: Tx, entries: readonly OutboxEntry[]): Promise<OutboxRow[]> {
  if (entries.length === 0) return [];
  const payloads = entries.map(payloadText);
  const keys = entries.map((entry) => JSON.stringify(entry.keys.map(storable)));
  const rows = await tx.query<{ id: number }>(sql`
    INSERT INTO outbox (kind, keys, payload)
    SELECT q.kind, ARRAY(SELECT jsonb_array_elements_text(q.keys::jsonb)), q.payload::jsonb
    FROM unnest(${texts(entries.map(({ kind }) => kind))}, ${texts(keys)}, ${texts(payloads)})
      WITH ORDINALITY AS q(kind, keys, payload, place)
    ORDER BY q.place
    RETURNING id, pg_notify(${OUTBOX_CHANNEL}, '')::text`);
  const ids = rows.map(({ id }) => id).sort((a, b) => a - b);
  return entries.map((entry, at) => ({ ...entry, id: ids[at] ?? 0 }));
}

/** Spells a payload as JSON. */
function payloadText({ kind, payload }: OutboxEntry): string {
  const text = JSON.stringify(payload);
  if (Buffer.byteLength(text) > MAX_PAYLOAD_BYTES / 2)
    throw new Error(`An entry of the kind ${kind} is longer than the outbox takes.`);
  return text;
}

/**
 * Few stored bytes may hold a long text. Postgres decompresses
 * it only where the stored size allows.
 */
async function readOutboxRows(database: Database, which: SQL): Promise<StoredRow[]> {
  const rows = await database.query<StoredRow>(sql`
    WITH wanted AS (
      SELECT id, pg_column_size(payload) AS packed FROM outbox WHERE ${which}
    ), few AS MATERIALIZED (
      SELECT id, packed
      FROM (SELECT id, packed, sum(packed) OVER (ORDER BY id) AS upto FROM wanted) w
      WHERE upto - packed < ${MAX_UNPACKED_BYTES}
    ), bounded AS MATERIALIZED (
      SELECT id, kind, keys,
        CASE WHEN pg_column_size(payload) <= ${MAX_PAYLOAD_BYTES}
            AND octet_length(payload::text) <= ${MAX_PAYLOAD_BYTES}
          THEN payload::text END AS payload
      FROM outbox WHERE id IN (SELECT id FROM few)
    ), sized AS (
      SELECT *, sum(coalesce(octet_length(payload), 0)) OVER (ORDER BY id)
        - coalesce(octet_length(payload), 0) AS before
      FROM bounded)
    SELECT id, kind, keys, payload FROM sized WHERE before < ${MAX_READ_BYTES} ORDER BY id`);
  return rows;
}

async function markFailed(
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
      next_attempt_at = clock_timestamp()
        + least(${retryMs}::float8 * power(2, least(o.attempts, 30)), ${MAX_ROW_RETRY_MS}::float8)
          * interval '1 millisecond',
      set_aside_at = CASE
        WHEN q.counts = 1 AND o.attempts + 1 >= ${attemptsMax}::bigint THEN clock_timestamp() END
    FROM unnest(
      ${bigints(column(({ id }) => id))},
      ${texts(column(({ error }) => storable(error.slice(0, MAX_ERROR_LENGTH))))},
      ${bigints(column(({ counts }) => Number(counts)))}
    ) AS q(id, error, counts)
    WHERE o.id = q.id AND o.set_aside_at IS NULL
    RETURNING o.id, o.attempts, o.set_aside_at IS NOT NULL AS set_aside, o.last_error`);
  return fates.map(({ id, attempts, set_aside, last_error }) => ({
    id,
    attempts,
    setAside: set_aside,
    error: last_error,
  }));
}

async function closeRow(tx: Tx, id: number): Promise<boolean> {
  const rows = await tx.query(sql`
    UPDATE outbox SET closed_at = clock_timestamp()
    WHERE id = ${id}::bigint AND closed_at IS NULL
    RETURNING id`);
  return rows.length > 0;
}

async function hasUnsentRows(database: Database, minAgeMs: number): Promise<boolean> {
  const [row] = await database.query<{ unsent: boolean }>(sql`
    SELECT EXISTS (SELECT FROM outbox WHERE set_aside_at IS NULL
      AND created_at <= clock_timestamp() - ${minAgeMs} * interval '1 millisecond') AS unsent`);
  return row?.unsent ?? false;
}
