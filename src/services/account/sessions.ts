/**
 * Sessions: opened at sign-in, looked up by their
 * token, listed for their owner and for admins.
 */
import { randomBytes } from "node:crypto";
import type { Account } from "../../db/account/users.js";
import { MAX_DEVICE, type RequestOrigin } from "../../domain/account/audit.js";
import {
  type Principal,
  requireAdmin,
  requireUser,
  type UserPrincipal,
} from "../../domain/account/principal.js";
import { AUTH_LEVELS, type SessionRecord } from "../../domain/account/session.js";
import { ServiceUnavailable } from "../../domain/errors.js";
import { SESSIONS_TOPIC } from "../../domain/events/events.js";
import type { PubSub } from "../../redis/pubsub/pubsub.js";
import type { FoundSession, SessionStore } from "../../redis/session/session.js";
import { type SessionCredential, sessionCredential } from "./credential.js";
import type { SessionReload } from "./session-reload.js";

/** A session just opened; its token is stored nowhere. */
export interface OpenedSession {
  readonly token: string;
  readonly principal: UserPrincipal;
}

export interface Sessions {
  /**
   * A new session after authentication. Throws
   * RedisUnavailable, and ServiceUnavailable when all
   * were revoked meanwhile.
   */
  open(account: Account, origin: Pick<RequestOrigin, "device" | "ip">): Promise<OpenedSession>;
  /**
   * The user of a token, recording the use; null for an
   * unknown one. Throws ServiceUnavailable when the
   * look-up fails.
   */
  authenticate(credential: SessionCredential): Promise<UserPrincipal | null>;
  /**
   * The same session as it is now; null when it has
   * ended. `used` records a use. Throws
   * ServiceUnavailable when the look-up fails.
   */
  confirm(
    principal: UserPrincipal,
    options: { readonly used: boolean },
  ): Promise<UserPrincipal | null>;
  /**
   * The caller's live sessions, the latest used first.
   * Throws Unauthenticated or RedisUnavailable.
   */
  list(principal: Principal): Promise<SessionRecord[]>;
  /**
   * The same of another account, for an admin. Throws
   * Unauthenticated, Forbidden or ServiceUnavailable.
   */
  listOf(principal: Principal, userTag: string): Promise<SessionRecord[]>;
}

export interface SessionsDeps {
  readonly store: SessionStore;
  readonly trust: SessionReload;
  readonly pubsub: Pick<PubSub, "publish">;
  /** A use is recorded at most this often. */
  readonly noteEveryMs: number;
  /**
   * Called with the user when a session is opened or a
   * use is recorded.
   */
  readonly onUsed: (userId: number) => void;
}

const SESSION_SECRET_BYTES = 32;

export function createSessions(deps: SessionsDeps): Sessions {
  return {
    open: (account, origin) => openSession(deps, account, origin),
    async authenticate({ userTag, digest }) {
      return userTag === null ? null : findAlive(deps, { userTag, sessionId: digest }, true);
    },
    confirm: (principal, { used }) => findAlive(deps, principal, used),
    list: async (principal) => listAlive(deps, requireUser(principal).userTag),
    async listOf(principal, userTag) {
      requireAdmin(principal);
      return listAlive(deps, userTag);
    },
  };
}

/** Empty for an unknown user. */
async function listAlive(
  { store, trust }: Pick<SessionsDeps, "store" | "trust">,
  userTag: string,
): Promise<SessionRecord[]> {
  const sessions = (await trust.ask(userTag, () => store.list(userTag))) ?? [];
  return sessions.sort((a, b) => b.seenMs - a.seenMs || b.createdMs - a.createdMs);
}

async function openSession(
  { store, trust, pubsub, onUsed }: SessionsDeps,
  { user, sessions: { epoch } }: Account,
  { device, ip }: Pick<RequestOrigin, "device" | "ip">,
): Promise<OpenedSession> {
  const token = `${user.tag}.${randomBytes(SESSION_SECRET_BYTES).toString("base64url")}`;
  const owner = { userId: user.id, userTag: user.tag, role: user.role };
  const session = {
    ...owner,
    id: sessionCredential(token).digest,
    authLevel: AUTH_LEVELS.password,
    device: device.slice(0, MAX_DEVICE),
    ip,
    epoch,
  };
  const made = await trust.ask(user.tag, () => store.create(session));
  if (made === null || typeof made !== "object")
    throw new ServiceUnavailable("All sessions were ended just now. Sign in again.");
  onUsed(user.id);
  // Best effort: an evicted session is noticed at its
  // next use anyway.
  if (made.madeRoom) await pubsub.publish(SESSIONS_TOPIC, { userId: user.id }).catch(() => {});
  return {
    token,
    principal: { kind: "user", ...owner, sessionId: session.id, leftMs: made.leftMs },
  };
}

/** Null when ended; `used` records a use where one is due. */
async function findAlive(
  { store, trust, noteEveryMs, onUsed }: SessionsDeps,
  { userTag, sessionId }: Pick<UserPrincipal, "userTag" | "sessionId">,
  used: boolean,
): Promise<UserPrincipal | null> {
  const found = await trust.ask<FoundSession>(userTag, () => store.find(userTag, sessionId));
  if (found === null || typeof found !== "object") return null;
  const { session, nowMs } = found;
  const due = used && nowMs - session.seenMs >= noteEveryMs;
  if (due) onUsed(session.userId);
  // A full Redis refuses the write; the session lives on.
  const expiresMs = due
    ? await store.touch(userTag, sessionId).catch(() => session.expiresMs)
    : session.expiresMs;
  return expiresMs === null ? null : toPrincipal(userTag, { ...session, expiresMs }, nowMs);
}

function toPrincipal(
  userTag: string,
  { id, userId, role, expiresMs }: SessionRecord,
  nowMs: number,
): UserPrincipal {
  return {
    kind: "user",
    userId,
    userTag,
    role,
    sessionId: id,
    leftMs: Math.max(0, expiresMs - nowMs),
  };
}
