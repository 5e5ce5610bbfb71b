/**
 * Who shares an answer, and as whom it is read: never as one of
 * those who share it.
 *
 * PUBLIC is read anonymously. ROLE is read anonymously for
 * callers without a session, and as the service for admins;
 * customers share nothing. VIEWER is one socket: its session,
 * guest and consistency token. A session is confirmed before each
 * read (decision 0052); public data needs none.
 */
import type { GuestPass } from "../../domain/account/guest.js";
import { ANONYMOUS, type Principal, SERVICE } from "../../domain/account/principal.js";
import { NO_TOKEN } from "../../domain/reading/consistency-token.js";
import type { AnswerScope } from "../../domain/scope.js";
import { SECOND } from "../../domain/time/time.js";
import type { Client } from "../../resolvers/context.js";
import type { AcknowledgedConnection } from "../connection/connection.js";
import type { SessionSockets } from "../connection/session-sockets.js";
import type { Caller } from "../operation/caller.js";

/** Subscribers that share answers. */
export interface Audience {
  /** Unique per audience. */
  readonly key: string;
  /** As whom the source is opened. */
  readonly opener: Caller;
  /** As whom a value is read; null when the session has ended. */
  caller(): Promise<Caller | null>;
  /** Whether a socket may receive the next value; absent: all may. */
  readonly admits?: (connection: AcknowledgedConnection) => Promise<boolean>;
}

/** A caller and its socket. */
export interface AudienceRequest {
  readonly connection: AcknowledgedConnection;
  /** As confirmed just now. */
  readonly caller: Caller;
  /** The number of a socket, where it shares with none. */
  readonly numberOf: (connection: AcknowledgedConnection) => number;
  readonly sessions: Pick<SessionSockets, "callerOf">;
}

const SHARED_CLIENT: Client = {
  device: "",
  ip: "",
  takesCookies: false,
  isCrossSite: false,
  showsCookie: false,
};

/** A shared answer creates no guest. */
const SHARED_GUEST: GuestPass = {
  id: null,
  issued: null,
  ensure() {
    throw new Error("a shared answer has no guest");
  },
};

/** The audience of a socket for an answer of some scope. */
export function audienceOf(
  scope: AnswerScope,
  { connection, caller, numberOf, sessions }: AudienceRequest,
): Audience {
  const { bypass, reportCache } = caller;
  const flags = `${bypass ? "bypass" : ""}${reportCache ? "report" : ""}`;
  const shared = (name: string, principal: Principal) => {
    const client = SHARED_CLIENT;
    const opener: Caller = {
      principal,
      client,
      guest: SHARED_GUEST,
      seen: NO_TOKEN,
      bypass,
      reportCache,
    };
    return { key: `${name} ${flags}`, opener, caller: async () => opener };
  };
  if (scope === "PUBLIC") return shared("public", ANONYMOUS);
  const role = scope === "ROLE" ? sharedRole(caller.principal) : null;
  if (!role)
    return {
      key: `socket ${numberOf(connection)}`,
      opener: caller,
      caller: () => sessions.callerOf(connection, { used: false }),
    };
  return {
    ...shared(role.name, role.principal),
    admits: async (subscriber) =>
      (await sessions.callerOf(subscriber, { used: false }))?.principal.kind ===
      subscriber.caller.principal.kind,
  };
}

/** The principal that reads for a role; null for customers. */
function sharedRole(
  principal: Principal,
): { readonly name: string; readonly principal: Principal } | null {
  if (principal.kind === "anonymous") return { name: "anonymous", principal: ANONYMOUS };
  const isAdmin =
    principal.kind === "service" || (principal.kind === "user" && principal.role === "ADMIN");
  return isAdmin ? { name: "admins", principal: SERVICE } : null;
}

/**
 * Delay before a session that could not be confirmed is tried
 * again.
 */
export const RECHECK_MS = SECOND;
