/**
 * A write and its outbox rows, committed together. The
 * rows are sent before the caller is answered.
 */
import type { Database, Tx } from "../../db/client/database.js";
import type { OutboxTable } from "../../db/outbox.js";
import type { OutboxEntry } from "../../domain/events/outbox.js";
import type { ConsistencyToken } from "../../domain/reading/consistency-token.js";
import type { Outbox } from "./outbox.js";

export interface OutboxWriteDeps {
  readonly database: Pick<Database, "transaction">;
  readonly outboxTable: Pick<OutboxTable, "append">;
  readonly outbox: Pick<Outbox, "dispatch">;
}

/** `owes` is empty where the transaction changed nothing. */
export interface Decided<T> {
  readonly decision: T;
  readonly owes: readonly OutboxEntry[];
}

/**
 * Commits `decide` with its outbox rows, then
 * dispatches them. `seen` is the consistency token;
 * null without rows.
 */
export type WriteWithOutbox = <T>(
  decide: (tx: Tx) => Promise<Decided<T>>,
) => Promise<{ decision: T; seen: ConsistencyToken | null }>;

export function createWriteWithOutbox({
  database,
  outboxTable,
  outbox,
}: OutboxWriteDeps): WriteWithOutbox {
  return async (decide) => {
    const { decision, rows } = await database.transaction(async (tx) => {
      const { decision: made, owes } = await decide(tx);
      return { decision: made, rows: await outboxTable.append(tx, owes) };
    });
    return { decision, seen: rows.length > 0 ? await outbox.dispatch(rows) : null };
  };
}
