/**
 * Reloads revocations into a Redis that may lack them, before
 * it is asked. Per user where the server restarted, was
 * restored or took over. Once for all unsent revocations,
 * where the connection of this process was lost.
 *
 * Each revocation is applied by itself. One that cannot be
 * read ends all sessions of its user. One that Redis refuses
 * leaves its user, and no other, without an answer.
 */
import type { Logger } from "pino";
import type { RevocationTable } from "../../db/account/revocations.js";
import type { OutboxTable, StoredRow } from "../../db/outbox.js";
import type { Revocation } from "../../domain/account/session.js";
import { RedisUnavailable } from "../../domain/errors.js";
import { askLoaded, type NotLoaded } from "../../redis/client/memory-fence.js";
import { refusalOf } from "../../redis/client/refusals.js";
import type { SessionStore } from "../../redis/session/session.js";
import { readRow } from "../outbox/kind.js";
import type { FailClosed } from "./fail-closed.js";
import { REVOCATION_SPEC, unreadableUsers } from "./outbox-kind.js";

export interface SessionReload {
  /**
   * The answer of a loaded Redis; null for an unknown user.
   * Throws ServiceUnavailable when Redis cannot be loaded.
   */
  ask<T>(userTag: string, question: () => Promise<T | NotLoaded>): Promise<T | null>;
  close(): void;
}

export interface SessionReloadDeps {
  readonly store: Pick<SessionStore, "onLost" | "load" | "loadEverybody" | "revoke">;
  readonly revocations: Pick<RevocationTable, "stateOf" | "everybodyBefore">;
  readonly outboxTable: Pick<OutboxTable, "ofKind">;
  readonly failClosed: FailClosed;
  readonly log: Logger;
}

export function createSessionReload({
  store,
  revocations,
  outboxTable,
  failClosed,
  log,
}: SessionReloadDeps): SessionReload {
  let losses = 0;
  /** The number of losses that were caught up with; none at the start. */
  let madeGood = -1;
  /**
   * Users with a revocation that Redis refuses: their
   * sessions are unknown until the next catch-up.
   */
  let doubted: ReadonlySet<string> = new Set();
  const stopListening = store.onLost(() => {
    losses += 1;
  });

  /** Revocations that may not have been applied, those set aside included. */
  const unsent = (after: number) => outboxTable.ofKind(REVOCATION_SPEC.kind, after);

  const catchUp = async (): Promise<void> => {
    const present = losses;
    if (madeGood === present) return;
    const refused = new Set<string>();
    for (let rows = await unsent(0); rows.length > 0; ) {
      for (const row of rows) await apply(row, refused);
      rows = await unsent(rows.at(-1)?.id ?? Number.MAX_SAFE_INTEGER);
    }
    doubted = refused;
    madeGood = Math.max(madeGood, present);
  };

  /**
   * Rejects when Redis or Postgres does not answer; other
   * errors concern this row alone.
   */
  const apply = async (stored: StoredRow, refused: Set<string>): Promise<void> => {
    const row = readRow(REVOCATION_SPEC, stored);
    if (row.problems.length > 0)
      log.error(
        { row: row.id, problems: row.problems },
        "outbox: a row with revocations cannot be read",
      );
    const users = unreadableUsers(row);
    const closed = users.length > 0 ? await failClosed(row.id, users) : [];
    for (const revocation of [...row.payload.revocations, ...closed]) {
      await store.revoke(revocation).catch((error: unknown) => doubt(revocation, error, refused));
    }
  };

  const doubt = (revocation: Revocation, error: unknown, refused: Set<string>): void => {
    if (refusalOf(error) !== "command" || revocation.kind === "everyone") throw error;
    log.error(
      { err: error, userId: revocation.userId },
      "Redis refuses a revocation; the sessions of its user are not served",
    );
    refused.add(revocation.userTag);
  };

  /** False for a user whom Postgres does not have. */
  const load = async (userTag: string): Promise<boolean> => {
    const [state, beforeMs] = await Promise.all([
      revocations.stateOf(userTag),
      revocations.everybodyBefore(),
    ]);
    if (!state) return false;
    await Promise.all([store.load(userTag, state), store.loadEverybody(beforeMs)]);
    return true;
  };
  return {
    async ask(userTag, question) {
      await catchUp();
      if (doubted.has(userTag))
        throw new RedisUnavailable(new Error("a revocation of this user cannot be applied"));
      let isKnown = true;
      return askLoaded(
        async () => (isKnown ? question() : null),
        async () => {
          isKnown = await load(userTag);
        },
      );
    },
    close: stopListening,
  };
}
