/**
 * Sockets of sessions: closed within a second of the session's
 * end on every process, and silent from then on.
 *
 * The session is confirmed before each operation and each event
 * that is not public. So nothing private is delivered that began
 * after its end. A notice of ended sessions rechecks the user's
 * sockets at once; a notice that may be lost rechecks all. A
 * revoked session closes with 4401, which is final for clients;
 * an expired one with 4403, upon which they retry.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import { UNKNOWN, type UserPrincipal } from "../../domain/account/principal.js";
import { ServiceUnavailable } from "../../domain/errors.js";
import { type Backoff, backoffMs } from "../../domain/time/backoff.js";
import { SECOND } from "../../domain/time/time.js";
import type { Caller } from "../operation/context.js";
import type { AcknowledgedConnection } from "./connection.js";

export interface SessionLookup {
  /**
   * The session now; null when it has ended. Throws
   * ServiceUnavailable when it cannot be looked up.
   */
  confirm(
    principal: UserPrincipal,
    options: { readonly used: boolean },
  ): Promise<UserPrincipal | null>;
  /**
   * Calls back with the user whose sessions have ended; null: any
   * user. Returns the unsubscribe.
   */
  onEnded(listener: (userId: number | null) => void): () => void;
}

export interface SessionSockets {
  /**
   * Notices so far: read before a caller is looked up, for {@link
   * SessionSockets.track}.
   */
  endsSeen(): number;
  /**
   * Ends the socket with its session. @param endsBefore
   * `endsSeen()` from before the look-up
   */
  track(connection: AcknowledgedConnection, endsBefore: number): void;
  /**
   * The caller now; null when the session, and so the socket, has
   * ended. `used` records a use.
   */
  callerOf(
    connection: AcknowledgedConnection,
    options: { readonly used: boolean },
  ): Promise<Caller | null>;
  close(): void;
}

const REVOKED = 4401;
const EXPIRED = 4403;
/** Longest timer; a longer session is rechecked on the way. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Backoff between look-ups that fail. */
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
   * Retries until it succeeds: Redis may be away, and the notice
   * comes once.
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
      // The session may have ended since its look-up.
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
