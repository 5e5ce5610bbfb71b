/**
 * Reloads revocations into a Redis that may lack them,
 * before it is asked. Per user where the server
 * restarted, was restored or took over. Once for all
 * unsent revocations, where the connection of this
 * process was lost.
 *
 * Each revocation is applied by itself. One that
 * cannot be read ends all sessions of its user. One
 * that Redis refuses leaves its user, and no other,
 * without an answer.
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
  readonly store: Pick<SessionStore, "onLost" | "load" | "loadRevokedBefore" | "revoke">;
  readonly revocations: Pick<RevocationTable, "stateOf" | "revokedBefore">;
  readonly outboxTable: Pick<OutboxTable, "ofKind">;
  readonly failClosed: FailClosed;
  readonly log: Logger;
}

export function createSessionReload(deps: SessionReloadDeps): SessionReload {
  const unsent = createCatchUp(deps);
  return {
    async ask(userTag, question) {
      await unsent.catchUp();
      if (unsent.doubts(userTag))
        throw new RedisUnavailable(new Error("a revocation of this user cannot be applied"));
      let isKnown = true;
      return askLoaded(
        async () => (isKnown ? question() : null),
        async () => {
          isKnown = await loadUser(deps, userTag);
        },
      );
    },
    close: unsent.close,
  };
}

/**
 * Applies unsent revocations again after each loss of
 * the connection, and at the start.
 */
function createCatchUp(deps: SessionReloadDeps) {
  let losses = 0;
  /** Losses caught up with; -1 at the start. */
  let madeGood = -1;
  /**
   * Users with a revocation that Redis refuses: their
   * sessions are unknown until the next catch-up.
   */
  let doubted: ReadonlySet<string> = new Set();
  const stopListening = deps.store.onLost(() => {
    losses += 1;
  });
  return {
    async catchUp(): Promise<void> {
      const present = losses;
      if (madeGood === present) return;
      doubted = await applyUnsent(deps);
      madeGood = Math.max(madeGood, present);
    },
    doubts: (userTag: string): boolean => doubted.has(userTag),
    close: stopListening,
  };
}

/**
 * Applies the revocations that may not have been
 * applied, those set aside included. Resolves to the
 * users with one that Redis refuses.
 */
async function applyUnsent(deps: SessionReloadDeps): Promise<ReadonlySet<string>> {
  const page = (after: number) => deps.outboxTable.ofKind(REVOCATION_SPEC.kind, after);
  const refused = new Set<string>();
  for (let rows = await page(0); rows.length > 0; ) {
    for (const row of rows) await applyRow(deps, row, refused);
    rows = await page(rows.at(-1)?.id ?? Number.MAX_SAFE_INTEGER);
  }
  return refused;
}

/**
 * Rejects when Redis or Postgres does not answer;
 * other errors concern this row alone.
 */
async function applyRow(
  { store, failClosed, log }: SessionReloadDeps,
  stored: StoredRow,
  refused: Set<string>,
): Promise<void> {
  const row = readRow(REVOCATION_SPEC, stored);
  if (row.problems.length > 0)
    log.error(
      { row: row.id, problems: row.problems },
      "outbox: a row with revocations cannot be read",
    );
  const users = unreadableUsers(row);
  const closed = users.length > 0 ? await failClosed(row.id, users) : [];
  for (const revocation of [...row.payload.revocations, ...closed])
    await store.revoke(revocation).catch((error: unknown) => {
      refused.add(refusedUser(log, revocation, error));
    });
}

/** The user of a refused revocation; throws other errors. */
function refusedUser(log: Logger, revocation: Revocation, error: unknown): string {
  if (refusalOf(error) !== "command" || revocation.kind === "everyone") throw error;
  log.error(
    { err: error, userId: revocation.userId },
    "Redis refuses a revocation; the sessions of its user are not served",
  );
  return revocation.userTag;
}

/** False for a user whom Postgres does not have. */
async function loadUser(
  { store, revocations }: SessionReloadDeps,
  userTag: string,
): Promise<boolean> {
  const [state, beforeMs] = await Promise.all([
    revocations.stateOf(userTag),
    revocations.revokedBefore(),
  ]);
  if (!state) return false;
  await Promise.all([store.load(userTag, state), store.loadRevokedBefore(beforeMs)]);
  return true;
}
