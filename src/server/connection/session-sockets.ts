/**
 * The sockets of sessions: closed within a second of the session's end, on every process, and
 * silent from that end on.
 *
 * Before each operation, and each event that is not public, the session is looked up again, so
 * nothing that is somebody's is delivered that began after its end. When sessions of a user are
 * said to have ended, those sockets are looked up at once; when the saying may have been missed,
 * all are. A session that was revoked closes with 4401, which clients take as final; one that ran
 * out with 4403, upon which they try again.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import { UNKNOWN, type UserPrincipal } from "../../domain/account/principal.js";
import { ServiceUnavailable } from "../../domain/errors.js";
import { type Backoff, backoffMs } from "../../domain/time/backoff.js";
import { SECOND } from "../../domain/time/time.js";
import type { Caller } from "../operation/context.js";
import type { AcknowledgedConnection } from "./connection.js";

/** What is known of sessions. */
export interface SessionLookup {
  /**
   * The session as it is now; null when it has ended. Throws ServiceUnavailable when it cannot be
   * told.
   */
  confirm(
    principal: UserPrincipal,
    options: { readonly used: boolean },
  ): Promise<UserPrincipal | null>;
  /**
   * Calls back with the user whose sessions have ended, with null when it may be anybody. Returns
   * what ends that.
   */
  onEnded(listener: (userId: number | null) => void): () => void;
}

/** Watches over the sockets of a server. */
export interface SessionSockets {
  /**
   * How often an end was heard of so far: asked before a caller is looked up, for {@link
   * SessionSockets.join}.
   */
  endsSeen(): number;
  /**
   * From now on the socket lives no longer than its session. `endsBefore` is what was heard before
   * its caller was looked up.
   */
  track(connection: AcknowledgedConnection, endsBefore: number): void;
  /**
   * Whose operation or event it is now; null when the session has ended and the socket with it.
   * `used` notes a use.
   */
  callerOf(
    connection: AcknowledgedConnection,
    options: { readonly used: boolean },
  ): Promise<Caller | null>;
  close(): void;
}

const REVOKED = 4401;
const EXPIRED = 4403;
/** Longest that a timer can wait; a session that lives longer is looked up once more on the way. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** The wait before a session that could not be looked up is looked up again. */
const RECHECK: Backoff = { firstMs: 50, longestMs: SECOND };
const LOOKUP_FAILED = { principal: UNKNOWN } as const;

export function createSessionSockets(sessions: SessionLookup, log: Logger): SessionSockets {
  const ends = new Map<
    AcknowledgedConnection,
    { readonly atMs: number; readonly timer: NodeJS.Timeout }
  >();

  const schedule = (connection: AcknowledgedConnection, { leftMs }: UserPrincipal): void => {
    clearTimeout(ends.get(connection)?.timer);
    const timer = setTimeout(
      () => void recheck(connection),
      Math.min(leftMs + 1, MAX_TIMER_MS),
    ).unref();
    ends.set(connection, { atMs: performance.now() + leftMs, timer });
  };
  const end = (connection: AcknowledgedConnection): null => {
    const ranOut = performance.now() >= (ends.get(connection)?.atMs ?? 0);
    connection.close(
      ranOut ? EXPIRED : REVOKED,
      ranOut ? "The session has expired" : "The session was revoked",
    );
    return null;
  };
  const callerOf: SessionSockets["callerOf"] = async (connection, options) => {
    const { principal } = connection.caller;
    if (principal.kind !== "user") return connection.caller;
    try {
      const confirmed = await sessions.confirm(principal, options);
      if (!confirmed) return end(connection);
      if (ends.has(connection)) schedule(connection, confirmed);
      return { ...connection.caller, principal: confirmed };
    } catch (error) {
      if (error instanceof ServiceUnavailable) return { ...connection.caller, principal: UNKNOWN };
      throw error;
    }
  };
  /**
   * Looks until it is told: an end that was heard of once must not be forgotten because Redis was
   * away just then.
   */
  const recheck = async (connection: AcknowledgedConnection): Promise<void> => {
    for (let failures = 0; ends.has(connection) && connection.isOpen; ) {
      const caller = await callerOf(connection, { used: false }).catch((err: unknown) => {
        log.error({ err }, "a socket's session could not be looked up");
        return LOOKUP_FAILED;
      });
      if (caller?.principal.kind !== "unknown") return;
      failures += 1;
      await delay(backoffMs(failures, RECHECK), undefined, { ref: false });
    }
  };

  let endCount = 0;
  const stop = sessions.onEnded((userId) => {
    endCount += 1;
    for (const connection of ends.keys()) {
      const { principal } = connection.caller;
      if (principal.kind === "user" && (userId === null || principal.userId === userId))
        void recheck(connection);
    }
  });
  return {
    endsSeen: () => endCount,
    track(connection, endsBefore) {
      const { principal } = connection.caller;
      if (principal.kind !== "user" || !connection.isOpen) return;
      schedule(connection, principal);
      // It may have ended between the look-up of its caller and now, without being found here.
      if (endCount !== endsBefore) void recheck(connection);
      connection.onEnd(() => {
        clearTimeout(ends.get(connection)?.timer);
        ends.delete(connection);
      });
    },
    callerOf,
    close: stop,
  };
}
