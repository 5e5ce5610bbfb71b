/**
 * The audit log: rows are only added, and pruned by age.
 * Refusals are bounded by number too, because anonymous
 * clients can cause them. No row holds a secret: no token, no
 * password, no address of an account.
 */
import { sql } from "drizzle-orm";
import { type AuditEntry, MAX_DEVICE, type RefusalCount } from "../../domain/account/audit.js";
import type { Database, Executor } from "../client/database.js";
import type { Row } from "../client/row.js";
import { bigints, storable, texts } from "../client/statements.js";
import { type auditLog, COUNTED } from "../schema/account.js";

export interface AuditTable {
  /**
   * Adds an entry, in the transaction that it describes or by
   * itself. One statement.
   */
  append(executor: Pick<Executor, "query">, entry: AuditEntry): Promise<void>;
  /** Adds counts, a row for each. One statement. */
  appendRefusals(counts: readonly RefusalCount[]): Promise<void>;
  /**
   * Deletes what is older than `keptMs`, and the oldest
   * refusals beyond their bound.
   */
  prune(): Promise<void>;
}

export interface AuditTableOptions {
  readonly keptMs: number;
  /**
   * Rows of refusals; default a million, some 300 MB with
   * their indexes.
   */
  readonly maxRefusals?: number;
}

const MAX_REFUSALS = 1_000_000;
/** Rows of one DELETE: it has to end within the statement time-out. */
const DELETE_BATCH = 10_000;
const IS_REFUSAL = sql.raw(COUNTED);

export function createAuditTable(
  database: Database,
  { keptMs, maxRefusals = MAX_REFUSALS }: AuditTableOptions,
): AuditTable {
  const deleteAll = async (which: ReturnType<typeof sql>): Promise<void> => {
    for (let deleted = DELETE_BATCH; deleted === DELETE_BATCH; ) {
      const rows = await database.query(sql`
        DELETE FROM audit_log
        WHERE id IN (SELECT id FROM audit_log WHERE ${which} ORDER BY id LIMIT ${DELETE_BATCH})
        RETURNING id`);
      deleted = rows.length;
    }
  };
  return {
    async append(
      executor,
      { event, userId, by, sessionId, origin: { device, ip, requestId }, detail = null },
    ) {
      const byId = by.kind === "user" ? by.userId : null;
      await executor.query(sql`
        INSERT INTO audit_log
          (event, user_id, by_service, by_user_id, session_id, ip, device, request_id, detail)
        VALUES (${event}, ${userId}::bigint, ${by.kind === "service"}, ${byId}::bigint,
          ${sessionId}, ${ip}, ${storable(device.slice(0, MAX_DEVICE))}, ${requestId}, ${detail})`);
    },
    async appendRefusals(counts) {
      if (counts.length === 0) return;
      await database.query(sql`
        INSERT INTO audit_log (event, user_id, ip, count)
        SELECT * FROM unnest(
          ${texts(counts.map(({ event }) => event))},
          ${bigints(counts.map(({ userId }) => userId))},
          ${texts(counts.map(({ from }) => from))},
          ${bigints(counts.map(({ count }) => count))})`);
    },
    async prune() {
      await deleteAll(sql`at < clock_timestamp() - ${keptMs} * interval '1 millisecond'`);
      const [beyond] = await database.query<Row<typeof auditLog, "id">>(sql`
        SELECT id FROM audit_log
        WHERE ${IS_REFUSAL}
        ORDER BY id DESC OFFSET ${maxRefusals} LIMIT 1`);
      if (beyond) await deleteAll(sql`${IS_REFUSAL} AND id <= ${beyond.id}::bigint`);
    },
  };
}
