/**
 * Idempotency keys: a write that carries an operation id happens once, however often it is sent.
 *
 * The key is written in the transaction of the write itself, so both commit or neither; a second
 * request with the same key waits for the first and then finds it. Keys are kept for at least
 * {@link KEPT_MS}.
 */
import { sql } from "drizzle-orm";
import { DAY } from "../domain/time/time.js";
import type { Database, Tx } from "./client/database.js";
import type { Row } from "./client/row.js";
import type { operations } from "./schema/outbox.js";

/**
 * A client that repeats a request does so within hours; a day leaves room for one that was switched
 * off overnight.
 */
export const KEPT_MS = DAY;

/**
 * Whether an operation id is new; `sameInput` tells a repetition from a key used twice for
 * different things. `result` is what {@link OperationTable.made} noted; null for none.
 */
export type Remembered =
  | { readonly first: true }
  | { readonly first: false; readonly sameInput: boolean; readonly result: unknown };

/** The idempotency keys. */
export interface OperationTable {
  /**
   * Notes the operation, or tells that it was noted before. `scope` keeps kinds of operations
   * apart.
   */
  remember(tx: Tx, operationId: string, scope: string, fingerprint: string): Promise<Remembered>;
  /** Notes what the operation made, as JSON. */
  made(tx: Tx, operationId: string, scope: string, result: object): Promise<void>;
  /** Forgets keys older than {@link KEPT_MS}. Resolves to how many. */
  prune(): Promise<number>;
}

/** The idempotency keys of one database. */
export function createOperationTable(database: Database): OperationTable {
  return {
    async remember(tx, operationId, scope, fingerprint) {
      // DO UPDATE, not DO NOTHING: it waits for a first one under way and answers its row, in one
      // statement.
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
