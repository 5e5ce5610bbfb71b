/**
 * Sockets of sessions. Every process closes them within a second
 * of the session's end. Nothing is written after the close.
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
import type { Caller } from "../operation/caller.js";
import { type AcknowledgedConnection, type Connection, isAcknowledged } from "./connection.js";

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

export const createSessionSockets = (sessions: SessionLookup, log: Logger): SessionSockets =>
  new TrackedSockets(sessions, log);

class TrackedSockets implements SessionSockets {
  /** When the session of each socket expires, as far as is known. */
  private readonly expiries = new Map<
    AcknowledgedConnection,
    { readonly atMs: number; readonly timer: NodeJS.Timeout }
  >();
  private endCount = 0;
  /** One function for all sockets. */
  private readonly forget = (connection: Connection): void => {
    if (!isAcknowledged(connection)) return;
    clearTimeout(this.expiries.get(connection)?.timer);
    this.expiries.delete(connection);
  };
  private readonly unsubscribe: () => void;

  constructor(
    private readonly sessions: SessionLookup,
    private readonly log: Logger,
  ) {
    this.unsubscribe = sessions.onEnded((userId) => this.sessionsEnded(userId));
  }

  endsSeen(): number {
    return this.endCount;
  }

  track(connection: AcknowledgedConnection, endsBefore: number): void {
    const { principal } = connection.caller;
    if (principal.kind !== "user" || !connection.isOpen) return;
    this.schedule(connection, principal);
    // The session may have ended since its look-up.
    if (this.endCount !== endsBefore) void this.recheck(connection);
    connection.onEnd(this.forget);
  }

  async callerOf(
    connection: AcknowledgedConnection,
    options: { readonly used: boolean },
  ): Promise<Caller | null> {
    const { caller } = connection;
    if (caller.principal.kind !== "user") return caller;
    try {
      const confirmed = await this.sessions.confirm(caller.principal, options);
      if (!confirmed) return this.end(connection);
      if (this.expiries.has(connection)) this.schedule(connection, confirmed);
      return { ...connection.caller, principal: confirmed };
    } catch (error) {
      if (error instanceof ServiceUnavailable) return { ...connection.caller, principal: UNKNOWN };
      throw error;
    }
  }

  close(): void {
    this.unsubscribe();
  }

  private sessionsEnded(userId: number | null): void {
    this.endCount += 1;
    for (const connection of this.expiries.keys()) {
      const { principal } = connection.caller;
      if (principal.kind === "user" && (userId === null || principal.userId === userId))
        void this.recheck(connection);
    }
  }

  private schedule(connection: AcknowledgedConnection, { leftMs }: UserPrincipal): void {
    clearTimeout(this.expiries.get(connection)?.timer);
    // Taken first: the process may pause between the two.
    const atMs = performance.now() + leftMs;
    const timer = setTimeout(
      () => void this.recheck(connection),
      Math.min(leftMs + 1, MAX_TIMER_MS),
    ).unref();
    this.expiries.set(connection, { atMs, timer });
  }

  private end(connection: AcknowledgedConnection): null {
    const isExpired = performance.now() >= (this.expiries.get(connection)?.atMs ?? 0);
    if (isExpired) connection.close(EXPIRED, "The session has expired");
    else connection.close(REVOKED, "The session was revoked");
    return null;
  }

  /**
   * Retries until it succeeds: Redis may be away, and the notice
   * comes once.
   */
  private async recheck(connection: AcknowledgedConnection): Promise<void> {
    for (let failures = 0; this.expiries.has(connection) && connection.isOpen; ) {
      const caller = await this.callerOf(connection, { used: false }).catch((err: unknown) => {
        this.log.error({ err }, "a socket's session could not be looked up");
        return LOOKUP_FAILED;
      });
      if (caller?.principal.kind !== "unknown") return;
      failures += 1;
      await delay(backoffMs(failures, RECHECK), undefined, { ref: false });
    }
  }
}
