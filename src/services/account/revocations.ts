/**
 * Ending sessions, with authorisation. A revocation is
 * committed in Postgres with an outbox row. It is
 * applied to Redis, then published to the processes
 * with sockets. Only then is the caller answered.
 * Without Redis the call fails and the relay does the
 * rest. All steps can be repeated.
 */
import type { AuditTable } from "../../db/account/audit.js";
import type { RaisedEpoch, RevocationTable } from "../../db/account/revocations.js";
import type { Database, Tx } from "../../db/client/database.js";
import type { OutboxTable } from "../../db/outbox.js";
import { type AuditEntry, actorOf, type RequestOrigin } from "../../domain/account/audit.js";
import {
  type Principal,
  requireAdmin,
  requireUser,
  type UserPrincipal,
} from "../../domain/account/principal.js";
import { type Revocation, revocationEntry } from "../../domain/account/session.js";
import { type UserError, userError } from "../../domain/errors.js";
import { SESSIONS_TOPIC } from "../../domain/events/events.js";
import type { PubSub } from "../../redis/pubsub/pubsub.js";
import type { SessionStore } from "../../redis/session/session.js";

/**
 * Applies a committed revocation. Resolves to the
 * number of ended sessions, where it is counted.
 * Rejects with RedisUnavailable.
 */
export type ApplyRevocation = (revocation: Revocation) => Promise<number | null>;

/** Applies revocations to Redis and publishes them. */
export function createApplyRevocation(
  store: Pick<SessionStore, "revoke">,
  pubsub: Pick<PubSub, "publish">,
): ApplyRevocation {
  return async (revocation) => {
    const ended = await store.revoke(revocation);
    await pubsub.publish(SESSIONS_TOPIC, {
      userId: revocation.kind === "everyone" ? ALL_USERS : revocation.userId,
    });
    return ended;
  };
}

/** In place of a user's id. */
export const ALL_USERS = 0;

/** `revoked` is null when refused or not counted. */
export interface RevocationOutcome {
  readonly revoked: number | null;
  readonly errors: readonly UserError[];
}

/**
 * Sessions that an admin ends: of one user, or all
 * issued before a time (ms since epoch).
 */
export type RevocationTarget = { readonly userId: number } | { readonly beforeMs: number };

export interface NewPassword {
  readonly userId: number;
  readonly sessionId: string;
  readonly origin: RequestOrigin;
}

/** All methods throw RedisUnavailable when the outcome is unknown. */
export interface Revocations {
  /** The caller's own session. False for anonymous callers. */
  signOut(principal: Principal, origin: RequestOrigin): Promise<boolean>;
  /** One of the caller's sessions. Throws Unauthenticated. */
  one(principal: Principal, sessionId: string, origin: RequestOrigin): Promise<RevocationOutcome>;
  /**
   * All of the caller's sessions but the one that asks.
   * Throws Unauthenticated.
   */
  others(principal: Principal, origin: RequestOrigin): Promise<RevocationOutcome>;
  /**
   * Throws Unauthenticated or Forbidden unless the
   * principal is an admin.
   */
  all(
    principal: Principal,
    target: RevocationTarget,
    origin: RequestOrigin,
  ): Promise<RevocationOutcome>;
  /**
   * Ends all sessions of a user, together with the writes of
   * `decide`. Resolves to the epoch of later sessions. Null,
   * and nothing is done, when it answers false.
   */
  together(change: NewPassword, decide: (tx: Tx) => Promise<boolean>): Promise<RaisedEpoch | null>;
}

export interface RevocationsDeps {
  readonly database: Pick<Database, "transaction">;
  readonly table: RevocationTable;
  readonly outboxTable: OutboxTable;
  readonly store: Pick<SessionStore, "find">;
  readonly apply: ApplyRevocation;
  readonly audit: Pick<AuditTable, "append">;
  /** How long a session lives at most. */
  readonly capMs: number;
}

export function createRevocations(deps: RevocationsDeps): Revocations {
  return {
    signOut: (principal, origin) => signOut(deps, principal, origin),
    one: (principal, sessionId, origin) => endOne(deps, principal, { sessionId, origin }),
    others: (principal, origin) => endOthers(deps, principal, origin),
    all: (principal, target, origin) => endAll(deps, principal, target, origin),
    async together({ userId, sessionId, origin }, decide) {
      const entry = {
        ...byThemselves(userId),
        event: "password_changed",
        sessionId,
        origin,
      } as const;
      return (await endUser(deps, entry, null, decide))?.revocation ?? null;
    },
  };
}

async function signOut(
  deps: RevocationsDeps,
  principal: Principal,
  origin: RequestOrigin,
): Promise<boolean> {
  if (principal.kind === "anonymous" || principal.kind === "service") return false;
  const user = requireUser(principal);
  await endSession(deps, "signed_out", user, { sessionId: user.sessionId, origin });
  return true;
}

async function endOne(
  deps: RevocationsDeps,
  principal: Principal,
  session: Ended,
): Promise<RevocationOutcome> {
  const user = requireUser(principal);
  // Looked up among the caller's own: those of others
  // are not found.
  const found = await deps.store.find(user.userTag, session.sessionId);
  if (typeof found !== "object") return { revoked: null, errors: [NO_SESSION] };
  return revokedOutcome(await endSession(deps, "session_revoked", user, session));
}

async function endOthers(
  deps: RevocationsDeps,
  principal: Principal,
  origin: RequestOrigin,
): Promise<RevocationOutcome> {
  const { userId, sessionId } = requireUser(principal);
  const event = "other_sessions_revoked";
  const entry = { ...byThemselves(userId), event, sessionId, origin } as const;
  return revokedOutcome(await endUser(deps, entry, sessionId));
}

async function endAll(
  deps: RevocationsDeps,
  principal: Principal,
  target: RevocationTarget,
  origin: RequestOrigin,
): Promise<RevocationOutcome> {
  requireAdmin(principal);
  const entry = { by: actorOf(principal), sessionId: null, origin };
  if (!("userId" in target)) {
    const done = await endAllBefore(deps, entry, target.beforeMs);
    return done ? revokedOutcome(done) : { revoked: null, errors: [IN_THE_FUTURE] };
  }
  const { userId } = target;
  const done = await endUser(deps, { ...entry, event: "all_sessions_revoked", userId }, null);
  return done ? revokedOutcome(done) : { revoked: null, errors: [NO_USER] };
}

/** Null where the time lies in the future. */
const endAllBefore = (
  deps: RevocationsDeps,
  entry: Pick<AuditEntry, "by" | "sessionId" | "origin">,
  wantedMs: number,
) =>
  revoke(
    deps,
    {
      ...entry,
      event: "global_revocation",
      userId: null,
      detail: new Date(wantedMs).toISOString(),
    },
    async (tx) => {
      const beforeMs = await deps.table.endAllBefore(tx, wantedMs);
      return beforeMs === null ? null : { kind: "everyone", beforeMs };
    },
  );

/**
 * Null when `decide` found nothing to end; then
 * nothing is logged either.
 */
async function revoke<R extends Revocation>(
  { database, outboxTable, apply, audit }: RevocationsDeps,
  entry: AuditEntry,
  decide: (tx: Tx) => Promise<R | null>,
): Promise<Revoked<R> | null> {
  const owed = await database.transaction(async (tx) => {
    const revocation = await decide(tx);
    if (!revocation) return null;
    await audit.append(tx, entry);
    return { revocation, rows: await outboxTable.append(tx, [revocationEntry([revocation])]) };
  });
  if (!owed) return null;
  const ended = await apply(owed.revocation);
  // A row that stays is applied again by the relay,
  // which changes nothing.
  outboxTable.done(owed.rows.map(({ id }) => id)).catch(() => {});
  return { ended, revocation: owed.revocation };
}

/** One of the caller's own. */
const endSession = (
  deps: RevocationsDeps,
  event: "signed_out" | "session_revoked",
  { userId, userTag }: UserPrincipal,
  session: Ended,
) =>
  revoke(deps, { ...byThemselves(userId), event, ...session }, async (tx) => {
    await deps.table.endSession(tx, { id: session.sessionId, userId, keptMs: deps.capMs });
    return { kind: "session", userId, userTag, sessionId: session.sessionId };
  });

const endUser = (
  deps: RevocationsDeps,
  entry: OfUser,
  keptId: string | null,
  also: (tx: Tx) => Promise<boolean> = async () => true,
) =>
  revoke(deps, entry, async (tx) => {
    const raised = (await also(tx))
      ? await deps.table.raiseEpoch(tx, { userId: entry.userId })
      : null;
    return raised && { kind: "user", keptId, ...raised };
  });

/** Audit fields of what users do to their own account. */
export const byThemselves = (userId: number) => ({ userId, by: { kind: "user", userId } }) as const;

/** A session that ends, and who asked for it. */
type Ended = Pick<AuditEntry, "origin"> & { readonly sessionId: string };

type OfUser = AuditEntry & { readonly userId: number };

/** `ended` is the number of sessions, where it is counted. */
interface Revoked<R extends Revocation> {
  readonly ended: number | null;
  readonly revocation: R;
}

const revokedOutcome = (done: Revoked<Revocation> | null): RevocationOutcome => ({
  revoked: done?.ended ?? null,
  errors: [],
});
const NO_SESSION = userError("NOT_FOUND", ["id"], "There is no such session.");
const NO_USER = userError("NOT_FOUND", ["input", "userId"], "There is nobody with this id.");
const IN_THE_FUTURE = userError(
  "OUT_OF_RANGE",
  ["input", "issuedBefore"],
  "issuedBefore lies in the future; sessions of later sign-ins would die with it.",
);
