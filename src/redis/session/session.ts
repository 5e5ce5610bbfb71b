/**
 * Sessions: who is signed in, on which device, until when.
 *
 * One HASH per session, one ZSET per user (session → expiry,
 * Redis clock). One STRING per user (the epoch of its
 * sessions), in the same slot. One STRING for all users (the
 * time before which no session counts). A session is named by
 * the SHA-256 of its token, so Redis never sees tokens. It is
 * alive while three things hold. Its hash exists, the set
 * holds it, and its epoch is the user's. Raising the epoch
 * ends any number of sessions at once. Noting a use checks
 * the same three inside its script.
 *
 * Postgres is the truth about revocations. An epoch counts
 * only on the server it was loaded on
 * (client/memory-fence.ts). Redis down: everything rejects
 * with RedisUnavailable within a deadline; sessions neither
 * start nor end by that.
 */
import { Cluster, type Result } from "ioredis";
import { REQUIRED_AUTH_LEVEL, type SessionRecord } from "../../domain/account/session.js";
import type { Role } from "../../domain/account/user.js";
import { DAY } from "../../domain/time/time.js";
import type { RedisCaller } from "../client/call.js";
import type { Keys } from "../client/keys.js";
import { NOT_LOADED, type NotLoaded } from "../client/memory-fence.js";
import { createSessionEpochs, keysOfSession } from "./epochs.js";

declare module "ioredis" {
  interface RedisCommander<Context> {
    sessionFind(
      session: string,
      sessions: string,
      epoch: string,
      before: string,
      id: string,
    ): Result<string[], Context>;
    sessionCreate(
      session: string,
      sessions: string,
      epoch: string,
      ...args: (string | number)[]
    ): Result<[NotLoaded | "ended"] | ["created", string, number], Context>;
    sessionTouch(
      session: string,
      sessions: string,
      epoch: string,
      id: string,
      ...ms: number[]
    ): Result<string, Context>;
  }
}

/**
 * A live session with the time of the answer (ms, Redis
 * clock), or none. {@link NOT_LOADED}: its epoch must be
 * loaded first.
 */
export type FoundSession =
  | { readonly session: SessionRecord; readonly nowMs: number }
  | "none"
  | NotLoaded;

export interface NewSession {
  readonly id: string;
  readonly userId: number;
  readonly userTag: string;
  readonly role: Role;
  /** How strongly the user was proved. */
  readonly authLevel: number;
  readonly device: string;
  readonly ip: string;
  /**
   * The user's epoch, as read together with what proved the
   * user.
   */
  readonly epoch: number;
}

/**
 * How long it lives unused, and whether others made room for
 * it.
 */
export interface CreatedSession {
  readonly leftMs: number;
  readonly madeRoom: boolean;
}

export interface SessionStoreOptions {
  /** How long a session lives unused. */
  readonly idleMs: number;
  /** How long it lives at most. */
  readonly capMs: number;
  /**
   * Least time between two notes of a use: no write for every
   * request.
   */
  readonly noteEveryMs: number;
  /** Most sessions of one user. */
  readonly maxSessions: number;
}

/** All methods reject with RedisUnavailable. */
export type SessionStore = ReturnType<typeof createSessionStore>;

/**
 * An epoch outlives every session that could carry an older
 * one.
 */
const EPOCH_GRACE_MS = DAY;

export function createSessionStore(caller: RedisCaller, keys: Keys, options: SessionStoreOptions) {
  const { connection, call } = caller;
  const keepMs = options.capMs + EPOCH_GRACE_MS;
  return {
    /**
     * Calls back each time the connection is lost: what was
     * committed since may not have reached Redis. Returns what
     * ends that.
     */
    onLost(listener: () => void): () => void {
      connection.on("close", listener);
      return () => void connection.off("close", listener);
    },
    ...createLookups(caller, keys),
    ...createSessionWrites(caller, keys, options),
    ...createSessionEpochs({ connection, call, keys, keepMs }),
  };
}

function createLookups({ connection, call }: RedisCaller, keys: Keys) {
  const ofAll = keys.sessionsRevokedBefore();
  const find = (userTag: string, id: string): Promise<FoundSession> =>
    call("find", async () => {
      const [session, sessions, epoch] = keysOfSession(keys, userTag, id);
      if (!(connection instanceof Cluster)) {
        const found = await connection.sessionFind(session, sessions, epoch, ofAll, id);
        return toFound(id, found, found.at(-1) ?? "");
      }
      const [found, before] = await Promise.all([
        connection.sessionFind(session, sessions, epoch, epoch, id),
        connection.sessionRevokedBefore(ofAll, ""),
      ]);
      return toFound(id, found, before);
    });
  return {
    /**
     * Looks a session up, by the epoch of its user and of all
     * users. One EVALSHA; in a Cluster two, in one round trip.
     */
    find,
    /**
     * The user's live sessions. Two round trips: one ZRANGE,
     * then one look-up for each.
     */
    async list(userTag: string): Promise<SessionRecord[] | NotLoaded> {
      const ids = await call("list", () => connection.zrange(keys.sessions(userTag), 0, -1));
      const found = await Promise.all(ids.map((id) => find(userTag, id)));
      if (found.includes(NOT_LOADED)) return NOT_LOADED;
      return found.flatMap((one) => (typeof one === "object" ? [one.session] : []));
    },
  };
}

function createSessionWrites(
  { connection, call }: RedisCaller,
  keys: Keys,
  { idleMs, capMs, noteEveryMs, maxSessions: most }: SessionStoreOptions,
) {
  const keysOf = (userTag: string, id: string) => keysOfSession(keys, userTag, id);
  return {
    /**
     * Makes a session; the oldest make room where there are too
     * many. One EVALSHA. Answers "ended" when the epoch has
     * risen.
     */
    create: ({
      id,
      userTag,
      userId,
      role,
      authLevel,
      device,
      ip,
      epoch,
    }: NewSession): Promise<CreatedSession | NotLoaded | "ended"> =>
      call("create", async () => {
        const fields = [id, epoch, userId, role, device, ip, idleMs, capMs, most, authLevel];
        const answer = await connection.sessionCreate(...keysOf(userTag, id), ...fields);
        return answer[0] === "created"
          ? { leftMs: Number(answer[1]), madeRoom: answer[2] > 0 }
          : answer[0];
      }),
    /**
     * Notes a use, unless one was noted just now. One EVALSHA.
     * Resolves to when the session expires now; null when it is
     * not alive.
     */
    touch: (userTag: string, id: string): Promise<number | null> =>
      call(
        "touch",
        async () =>
          Number(
            await connection.sessionTouch(...keysOf(userTag, id), id, idleMs, capMs, noteEveryMs),
          ) || null,
      ),
  };
}

function toFound(
  id: string,
  [state, nowMs, expiresMs, userId, role, device = "", ip = "", createdMs, seenMs, level]: string[],
  before: string,
): FoundSession {
  if (state === NOT_LOADED || (before === "" && state === "alive")) return NOT_LOADED;
  const authLevel = Number(level);
  if (
    state !== "alive" ||
    Number(createdMs) < Number(before) ||
    !(authLevel >= REQUIRED_AUTH_LEVEL)
  )
    return "none";
  const times = {
    createdMs: Number(createdMs),
    seenMs: Number(seenMs),
    expiresMs: Number(expiresMs),
  };
  return {
    session: { id, userId: Number(userId), role: role as Role, authLevel, device, ip, ...times },
    nowMs: Number(nowMs),
  };
}
