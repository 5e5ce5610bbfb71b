/** Sessions: opened at sign-in, looked up by their token, listed for their owner. */
import { createHash, randomBytes } from "node:crypto";
import type { Account } from "../../db/account/users.js";
import type { RequestOrigin } from "../../domain/account/audit.js";
import { type Principal, requireUser, type UserPrincipal } from "../../domain/account/principal.js";
import { AUTH_LEVELS, type SessionRecord } from "../../domain/account/session.js";
import { ServiceUnavailable } from "../../domain/errors.js";
import { SESSIONS_TOPIC } from "../../domain/events/events.js";
import type { PubSub } from "../../redis/pubsub/pubsub.js";
import type { Found, SessionStore } from "../../redis/session/session.js";
import type { SessionTrust } from "./session-reload.js";

/** A session just opened; the token is shown here once and kept nowhere. */
export interface OpenedSession {
  readonly token: string;
  readonly principal: UserPrincipal;
}

/** Opens and looks up sessions. */
export interface Sessions {
  /**
   * A new session of an account that has proved itself. Throws RedisUnavailable, and
   * ServiceUnavailable when all were revoked meanwhile.
   */
  open(account: Account, origin: Pick<RequestOrigin, "device" | "ip">): Promise<OpenedSession>;
  /**
   * Whose token it is, noting the use; null when it is nobody's. Throws ServiceUnavailable when it
   * cannot be told.
   */
  authenticate(token: string): Promise<UserPrincipal | null>;
  /**
   * The same session again, as it is now; null when it has ended. `used` notes a use. Throws
   * ServiceUnavailable when it cannot be told.
   */
  confirm(
    principal: UserPrincipal,
    options: { readonly used: boolean },
  ): Promise<UserPrincipal | null>;
  /**
   * The caller's live sessions, the latest used first. Throws Unauthenticated or RedisUnavailable.
   */
  list(principal: Principal): Promise<SessionRecord[]>;
}

/** What sessions take. */
export interface SessionsParts {
  readonly store: SessionStore;
  readonly trust: SessionTrust;
  readonly pubsub: Pick<PubSub, "publish">;
  /** A use is noted at most this often. */
  readonly noteEveryMs: number;
  /** Hears of the user whenever a session is opened or a use is noted. */
  readonly onUsed: (userId: number) => void;
}

const SECRET_BYTES = 32;
const MAX_DEVICE = 200;
const TOKEN = /^([A-Za-z0-9_-]{16})\.[A-Za-z0-9_-]{43}$/;

export function createSessions({
  store,
  trust,
  pubsub,
  noteEveryMs,
  onUsed,
}: SessionsParts): Sessions {
  const alive = async (
    userTag: string,
    sessionId: string,
    used: boolean,
  ): Promise<UserPrincipal | null> => {
    const found = await trust.ask<Found>(userTag, () => store.find(userTag, sessionId));
    if (found === null || typeof found !== "object") return null;
    const { session, nowMs } = found;
    const due = used && nowMs - session.seenMs >= noteEveryMs;
    if (due) onUsed(session.userId);
    // A full Redis refuses the note, and the session lives all the same.
    const expiresMs = due
      ? await store.touch(userTag, sessionId).catch(() => session.expiresMs)
      : session.expiresMs;
    return expiresMs === null ? null : toPrincipal(userTag, { ...session, expiresMs }, nowMs);
  };

  return {
    async open({ user, sessions: { epoch } }, { device, ip }) {
      const token = `${user.tag}.${randomBytes(SECRET_BYTES).toString("base64url")}`;
      const session = {
        id: idOf(token),
        userId: user.id,
        userTag: user.tag,
        role: user.role,
        authLevel: AUTH_LEVELS.password,
        device: device.slice(0, MAX_DEVICE),
        ip,
        epoch,
      };
      const made = await trust.ask(user.tag, () => store.create(session));
      if (made === null || typeof made !== "object")
        throw new ServiceUnavailable("All sessions were ended just now. Sign in again.");
      onUsed(user.id);
      // Where nobody hears of it, a session that made room finds out by itself when it is next
      // used.
      if (made.madeRoom) await pubsub.publish(SESSIONS_TOPIC, { userId: user.id }).catch(() => {});
      return {
        token,
        principal: {
          kind: "user",
          userId: user.id,
          userTag: user.tag,
          role: user.role,
          sessionId: session.id,
          leftMs: made.leftMs,
        },
      };
    },
    async authenticate(token) {
      const userTag = TOKEN.exec(token)?.[1];
      return userTag === undefined ? null : alive(userTag, idOf(token), true);
    },
    confirm: ({ userTag, sessionId }, { used }) => alive(userTag, sessionId, used),
    async list(principal) {
      const { userTag } = requireUser(principal);
      const sessions = await store.list(userTag);
      return sessions.sort((a, b) => b.seenMs - a.seenMs || b.createdMs - a.createdMs);
    },
  };
}

/** What Redis knows a token by. */
const idOf = (token: string): string => createHash("sha256").update(token).digest("base64url");

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
