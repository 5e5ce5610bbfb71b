/**
 * The revocations of sessions, as loaded from Postgres: an epoch
 * per user, and the time before which no session counts.
 */
import type { Result } from "ioredis";
import type { Revocation, SessionState } from "../../domain/account/session.js";
import type { RedisCaller } from "../client/call.js";
import type { Keys } from "../client/keys.js";

declare module "ioredis" {
  interface RedisCommander<Context> {
    sessionEnd(session: string, sessions: string, id: string): Result<0 | 1, Context>;
    sessionLoad(
      epoch: string,
      sessions: string,
      read: number,
      keepMs: number,
      ...revokedIds: string[]
    ): Result<number, Context>;
    sessionRevoke(
      epoch: string,
      sessions: string,
      kept: string,
      raised: number,
      keepMs: number,
      keptId: string,
    ): Result<number, Context>;
    sessionRevokedBefore(before: string, knownMs: number | ""): Result<string, Context>;
  }
}

/** The keys of one session, in the order of every script. */
export const keysOfSession = (keys: Keys, userTag: string, id: string) =>
  [keys.session(userTag, id), keys.sessions(userTag), keys.sessionEpoch(userTag)] as const;

interface EpochDeps {
  readonly connection: RedisCaller["connection"];
  readonly call: RedisCaller["call"];
  readonly keys: Keys;
  /** How long an epoch is kept. */
  readonly keepMs: number;
}

export function createSessionEpochs(deps: EpochDeps) {
  const { connection, call, keys, keepMs } = deps;
  return {
    /** Loads the revocations of a user. One EVALSHA. */
    load: (userTag: string, { epoch, revokedIds }: SessionState): Promise<unknown> =>
      call("load", () =>
        connection.sessionLoad(
          keys.sessionEpoch(userTag),
          keys.sessions(userTag),
          epoch,
          keepMs,
          ...revokedIds,
        ),
      ),
    /**
     * Loads the time before which no session counts. One
     * EVALSHA.
     */
    loadRevokedBefore: (beforeMs: number): Promise<unknown> =>
      call("load", () => connection.sessionRevokedBefore(keys.sessionsRevokedBefore(), beforeMs)),
    /**
     * Applies a revocation that Postgres has. One EVALSHA.
     * Resolves to how many sessions it ended, where that is
     * counted.
     */
    revoke: (revocation: Revocation): Promise<number | null> =>
      call("revoke", () => applyRevocation(deps, revocation)),
  };
}

async function applyRevocation(
  { connection, keys, keepMs }: EpochDeps,
  revocation: Revocation,
): Promise<number | null> {
  if (revocation.kind === "everyone") {
    await connection.sessionRevokedBefore(keys.sessionsRevokedBefore(), revocation.beforeMs);
    return null;
  }
  const { userTag } = revocation;
  if (revocation.kind === "session") {
    return connection.sessionEnd(
      keys.session(userTag, revocation.sessionId),
      keys.sessions(userTag),
      revocation.sessionId,
    );
  }
  const keptId = revocation.keptId ?? "";
  const [kept, sessions, epoch] = keysOfSession(keys, userTag, keptId);
  return connection.sessionRevoke(epoch, sessions, kept, revocation.epoch, keepMs, keptId);
}
