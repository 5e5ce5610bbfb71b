/**
 * Revocations of sessions. They are committed here before
 * Redis applies them. So a Redis with lost or outdated memory
 * brings no revoked session back.
 */
import { sql } from "drizzle-orm";
import type { SessionState } from "../../domain/account/session.js";
import type { Database, Executor, Tx } from "../client/database.js";
import type { Row } from "../client/row.js";
import { storable } from "../client/statements.js";
import type { users } from "../schema/account.js";
import { REVOKED_IDS } from "./users.js";

/** All sessions of one user were ended; later ones need this epoch. */
export interface RaisedEpoch {
  readonly userId: number;
  readonly userTag: string;
  readonly epoch: number;
}

export interface RevocationTable {
  /**
   * What counts for the sessions of this user; null when
   * there is no such user. One statement.
   */
  stateOf(userTag: string): Promise<SessionState | null>;
  /**
   * Sessions of all users that were issued before this time
   * do not count; ms since epoch, 0 for none. One statement.
   */
  revokedBefore(): Promise<number>;
  /**
   * Ends one session. Its row is kept for `keptMs`, the
   * longest that a copy of it can live.
   */
  endSession(
    tx: Tx,
    session: { readonly id: string; readonly userId: number; readonly keptMs: number },
  ): Promise<void>;
  /**
   * Ends all sessions of a user; null when there is no such
   * user. Concurrent calls get different epochs.
   */
  raiseEpoch(
    tx: Tx,
    user: { readonly userId: number } | { readonly userTag: string },
  ): Promise<RaisedEpoch | null>;
  /**
   * Ends all sessions that were issued before a time.
   * Resolves to the latest such time of any call. Null, and
   * nothing is done, when it lies in the future.
   */
  endAllBefore(tx: Tx, beforeMs: number): Promise<number | null>;
  /** Deletes sessions that would have expired by now. */
  prune(): Promise<void>;
}

export function createRevocationTable(database: Database): RevocationTable {
  return {
    async stateOf(userTag) {
      const [row] = await database.query<
        Row<typeof users, "session_epoch"> & { revoked_ids: string[] }
      >(sql`SELECT session_epoch, ${REVOKED_IDS} FROM users WHERE tag = ${userTag}`);
      return row ? { epoch: row.session_epoch, revokedIds: row.revoked_ids } : null;
    },
    revokedBefore: () => readRevokedBefore(database),
    async endSession(tx, { id, userId, keptMs }) {
      await tx.query(sql`
        INSERT INTO revoked_sessions (id, user_id, expires_at)
        VALUES (${id}, ${userId}, clock_timestamp() + ${keptMs} * interval '1 millisecond')
        ON CONFLICT (id) DO NOTHING`);
    },
    raiseEpoch,
    async endAllBefore(tx, beforeMs) {
      const before = sql`${new Date(beforeMs).toISOString()}::timestamptz`;
      const [past] = await tx.query(sql`SELECT 1 WHERE ${before} <= clock_timestamp()`);
      if (!past) return null;
      await tx.query(
        sql`INSERT INTO global_revocations (before) VALUES (${before}) ON CONFLICT DO NOTHING`,
      );
      return readRevokedBefore(tx);
    },
    async prune() {
      await database.query(sql`DELETE FROM revoked_sessions WHERE expires_at < clock_timestamp()`);
    },
  };
}

async function readRevokedBefore(executor: Executor): Promise<number> {
  const [row] = await executor.query<{ before: Date | null }>(
    sql`SELECT max(before) AS before FROM global_revocations`,
  );
  return row?.before?.getTime() ?? 0;
}

const raiseEpoch: RevocationTable["raiseEpoch"] = async (tx, user) => {
  const which =
    "userId" in user ? sql`id = ${user.userId}::bigint` : sql`tag = ${storable(user.userTag)}`;
  const [row] = await tx.query<Row<typeof users, "id" | "tag" | "session_epoch">>(sql`
    UPDATE users SET session_epoch = session_epoch + 1
    WHERE ${which}
    RETURNING id, tag, session_epoch`);
  return row ? { userId: row.id, userTag: row.tag, epoch: row.session_epoch } : null;
};
