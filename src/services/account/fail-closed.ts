/**
 * An unreadable revocation fails closed for its user: all
 * its sessions end. It affects no other user. Done once per
 * outbox row; the new revocation has a row of its own.
 */

import type { RevocationTable } from "../../db/account/revocations.js";
import type { Database } from "../../db/client/database.js";
import type { OutboxTable } from "../../db/outbox.js";
import { type Revocation, revocationEntry } from "../../domain/account/session.js";

/** A user that an unreadable revocation names. */
export type NamedUser = { readonly userId: number } | { readonly userTag: string };

/**
 * Ends all sessions of users in Postgres. Resolves to
 * the revocations, which are in the outbox too; none
 * the second time.
 */
export type FailClosed = (row: number, users: readonly NamedUser[]) => Promise<Revocation[]>;

export interface FailClosedDeps {
  readonly database: Pick<Database, "transaction">;
  readonly outboxTable: Pick<OutboxTable, "append" | "close">;
  readonly revocations: Pick<RevocationTable, "raiseEpoch">;
}

export function createFailClosed({
  database,
  outboxTable,
  revocations,
}: FailClosedDeps): FailClosed {
  return (row, users) =>
    database.transaction(async (tx) => {
      if (!(await outboxTable.close(tx, row))) return [];
      const ended: Revocation[] = [];
      for (const user of users) {
        const raised = await revocations.raiseEpoch(tx, user);
        if (raised) ended.push({ kind: "user", keptId: null, ...raised });
      }
      if (ended.length > 0) await outboxTable.append(tx, [revocationEntry(ended)]);
      return ended;
    });
}
