/**
 * Idempotency keys: a write with an operation id happens
 * once, however often it is sent.
 *
 * The key is written in the transaction of the write, so both
 * commit or neither. A second request with the same key waits
 * for the first and then finds it. Keys are kept for at least
 * {@link KEPT_MS}.
 */
import { sql } from "drizzle-orm";
import { DAY } from "../domain/time/time.js";
import type { Database, Tx } from "./client/database.js";
import type { Row } from "./client/row.js";
import type { operations } from "./schema/outbox.js";

/**
 * Clients repeat a request within hours; a day covers one
 * that was off overnight.
 */
export const KEPT_MS = DAY;

/**
 * `sameInput` separates a repetition from a key used for
 * different things. `result` is what
 * {@link OperationTable.made} wrote; null for none.
 */
export type Remembered =
  | { readonly first: true }
  | { readonly first: false; readonly sameInput: boolean; readonly result: unknown };

export interface OperationTable {
  /**
   * Records the operation, or finds it. `scope` keeps kinds
   * of operations apart.
   */
  remember(tx: Tx, operationId: string, scope: string, fingerprint: string): Promise<Remembered>;
  /** Records the result of the operation, as JSON. */
  made(tx: Tx, operationId: string, scope: string, result: object): Promise<void>;
  /** Deletes keys older than {@link KEPT_MS}. Resolves to how many. */
  prune(): Promise<number>;
}

export function createOperationTable(database: Database): OperationTable {
  return {
    async remember(tx, operationId, scope, fingerprint) {
      // DO UPDATE, not DO NOTHING: one statement that waits
      // for a concurrent first one and answers its row.
      const [row] = await tx.query<
        Row<typeof operations, "fingerprint" | "result"> & { first: boolean }
      >(sql`
        INSERT INTO operations AS o (scope, operation_id, fingerprint)
        VALUES (${scope}, ${operationId}, ${fingerprint})
        ON CONFLICT (scope, operation_id) DO UPDATE SET fingerprint = o.fingerprint
        RETURNING xmax = 0 AS first, fingerprint, result`);
      return row?.first
        ? { first: true }
        : { first: false, sameInput: row?.fingerprint === fingerprint, result: row?.result };
    },
    async made(tx, operationId, scope, result) {
      await tx.query(sql`
        UPDATE operations SET result = ${JSON.stringify(result)}::jsonb
        WHERE scope = ${scope} AND operation_id = ${operationId}`);
    },
    async prune() {
      const rows = await database.query(sql`
        DELETE FROM operations
        WHERE created_at < now() - ${KEPT_MS / 1_000} * interval '1 second'
        RETURNING scope`);
      return rows.length;
    },
  };
}
