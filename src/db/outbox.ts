/**
 * The outbox: what a committed write still owes the outside, in the write's own transaction, so that it is neither lost with a
 * process that dies after the commit nor sent for a write that was rolled back.
 *
 * Rows leave in the order of their ids. Ids are given out before commit, so a lower id may become visible later; rows of one
 * product cannot, because a write takes its id while it holds the product's lock. A row is deleted only after it was sent: a
 * crash in between sends it again, and invalidations and snapshots can be repeated.
 */
import { sql } from "drizzle-orm";
import type { OutboxMessage, OutboxRow } from "../domain/events.js";
import type { Revocation } from "../domain/session.js";
import type { Database, Executor, Tx } from "./database.js";
import { LOCKS } from "./locks.js";
import { bigints, texts } from "./statements.js";

/** Channel that is notified, with an empty payload, when rows are committed. */
export const OUTBOX_CHANNEL = "souk_outbox";

/** The outbox. */
export interface OutboxTable {
  /** Adds a row and wakes the relays when `tx` commits. Resolves to its id. */
  append(tx: Tx, message: OutboxMessage): Promise<number>;
  /** Deletes rows that were sent. */
  done(ids: readonly number[]): Promise<void>;
  /**
   * Sends up to `limit` rows in order and deletes them; the rows stay when `send` rejects. One relay at a time: resolves to how
   * many were sent, 0 when there are none or another relay is at it. A connection is held meanwhile.
   */
  drain(limit: number, send: (rows: readonly OutboxRow[]) => Promise<void>): Promise<number>;
  /** Revocations that were committed and may not have been applied yet, in order. */
  unsentRevocations(): Promise<Revocation[]>;
  /** True while anything waits that was committed at least `minAgeMs` ago; what is younger its writer may still be sending. Default 0. */
  hasUnsent(minAgeMs?: number): Promise<boolean>;
}

/** The outbox of one database. */
export function createOutboxTable(database: Database): OutboxTable {
  return {
    async append(tx, { tags, events, revocations = [], scores = [], notifications = [] }) {
      const [row] = await tx.query<{ id: number }>(sql`
        INSERT INTO outbox (tags, events, revocations, scores, notifications)
        VALUES (${texts(tags)}, ${JSON.stringify(events)}::jsonb, ${JSON.stringify(revocations)}::jsonb,
          ${JSON.stringify(scores)}::jsonb, ${JSON.stringify(notifications)}::jsonb)
        RETURNING id, pg_notify(${OUTBOX_CHANNEL}, '')::text`);
      if (!row) throw new Error("INSERT … RETURNING answered no row.");
      return row.id;
    },
    async done(ids) {
      if (ids.length > 0) await forget(database, ids);
    },
    async drain(limit, send) {
      const sent = await database.exclusively(LOCKS.relay, async (executor) => {
        const rows = await executor.query<OutboxRow & { id: number }>(
          sql`SELECT id, tags, events, revocations, scores, notifications FROM outbox ORDER BY id LIMIT ${limit}`,
        );
        if (rows.length === 0) return 0;
        await send(rows);
        await forget(
          executor,
          rows.map(({ id }) => id),
        );
        return rows.length;
      });
      return sent ?? 0;
    },
    async unsentRevocations() {
      const rows = await database.query<{ revocations: Revocation[] }>(
        sql`SELECT revocations FROM outbox WHERE revocations <> '[]' ORDER BY id`,
      );
      return rows.flatMap(({ revocations }) => revocations);
    },
    async hasUnsent(minAgeMs = 0) {
      const [row] = await database.query<{ unsent: boolean }>(
        sql`SELECT EXISTS (SELECT FROM outbox WHERE created_at <= clock_timestamp() - ${minAgeMs} * interval '1 millisecond') AS unsent`,
      );
      return row?.unsent ?? false;
    },
  };
}

async function forget(executor: Executor, ids: readonly number[]): Promise<void> {
  await executor.query(sql`DELETE FROM outbox WHERE id = ANY(${bigints(ids)})`);
}
