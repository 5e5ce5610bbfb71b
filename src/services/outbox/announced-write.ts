/**
 * Writes whose readers are told: what a write owes the outside commits with it, and is paid before
 * the caller is answered.
 */
import type { Database, Tx } from "../../db/client/database.js";
import type { OutboxTable } from "../../db/outbox.js";
import type { OutboxMessage } from "../../domain/events.js";
import type { Seen } from "../../domain/seen.js";
import type { Outbox } from "./outbox.js";

/** What such a write takes. */
export interface AnnouncedWriteParts {
  readonly database: Pick<Database, "transaction">;
  readonly outboxTable: Pick<OutboxTable, "append">;
  readonly outbox: Pick<Outbox, "settle">;
}

/** What a transaction decided, and what it owes; null where it changed nothing. */
export interface Decided<T> {
  readonly decision: T;
  readonly message: OutboxMessage | null;
}

/**
 * Commits what `decide` does together with what it owes, then settles that. `seen` is the
 * consistency token; null when nothing was owed.
 */
export type AnnouncedWrite = <T>(
  decide: (tx: Tx) => Promise<Decided<T>>,
) => Promise<{ decision: T; seen: Seen | null }>;

export function createAnnouncedWrite({
  database,
  outboxTable,
  outbox,
}: AnnouncedWriteParts): AnnouncedWrite {
  return async (decide) => {
    const { decision, row } = await database.transaction(async (tx) => {
      const { decision: made, message } = await decide(tx);
      return {
        decision: made,
        row: message && { id: await outboxTable.append(tx, message), ...message },
      };
    });
    return { decision, seen: row && (await outbox.settle(row)) };
  };
}
