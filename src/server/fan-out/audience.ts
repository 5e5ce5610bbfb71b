/**
 * Who shares an answer, and as whom it is read: never as one of those who merely happen to share
 * it.
 *
 * PUBLIC is read as nobody. ROLE is read as nobody for those who are not signed in, and as the
 * service for admins; a customer is somebody in particular, so theirs is read for each of them.
 * VIEWER is one socket: its session, its guest, what it has seen. What belongs to a session is
 * looked up before each reading, as 0052 wants it; what is public is anybody's.
 */
import type { GuestPass } from "../../domain/account/guest.js";
import { ANONYMOUS, type Principal, SERVICE } from "../../domain/account/principal.js";
import type { Scope } from "../../domain/scope.js";
import { NOTHING_SEEN } from "../../domain/seen.js";
import { SECOND } from "../../domain/time/time.js";
import type { AcknowledgedConnection } from "../connection/connection.js";
import type { SessionSockets } from "../connection/session-sockets.js";
import type { Caller } from "../operation/context.js";

/** Those who share answers. */
export interface Audience {
  /** Tells it from others. */
  readonly key: string;
  /** As whom the source is opened. */
  readonly opener: Caller;
  /** Who asks when a value is read; null when nobody does any more. */
  caller(): Promise<Caller | null>;
  /** Whether this socket may have what is read from now on; absent: everybody may. */
  readonly admits?: (connection: AcknowledgedConnection) => Promise<boolean>;
}

/** Who asks, and by which number its socket is told from others. */
export interface AudienceRequest {
  readonly connection: AcknowledgedConnection;
  /** Who it was found to be just now. */
  readonly caller: Caller;
  readonly socketNumber: number;
  readonly sessions: Pick<SessionSockets, "callerOf">;
}

/** Nobody is made a guest by an answer that others get as well. */
const SHARED_GUEST: GuestPass = {
  id: null,
  issued: null,
  ensure() {
    throw new Error("a shared answer has no guest");
  },
};

/** The audience of an answer of some scope that a socket has asked for. */
export function audienceOf(
  scope: Scope,
  { connection, caller, socketNumber, sessions }: AudienceRequest,
): Audience {
  const { bypass, reportCache } = caller;
  const wishes = `${bypass ? "bypass" : ""}${reportCache ? "report" : ""}`;
  const shared = (name: string, principal: Principal) => {
    const client = { device: "", ip: "", takesCookies: false, showsCookie: false };
    const opener: Caller = {
      principal,
      client,
      guest: SHARED_GUEST,
      seen: NOTHING_SEEN,
      bypass,
      reportCache,
    };
    return { key: `${name} ${wishes}`, opener, caller: async () => opener };
  };
  if (scope === "PUBLIC") return shared("everybody", ANONYMOUS);
  const role = scope === "ROLE" ? sharedRole(caller.principal) : null;
  if (!role)
    return {
      key: `socket ${socketNumber}`,
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

/** What stands for a role without being anybody; null where nothing does. */
function sharedRole(
  principal: Principal,
): { readonly name: string; readonly principal: Principal } | null {
  if (principal.kind === "anonymous") return { name: "nobody", principal: ANONYMOUS };
  const isAdmin =
    principal.kind === "service" || (principal.kind === "user" && principal.role === "ADMIN");
  return isAdmin ? { name: "admins", principal: SERVICE } : null;
}

/** How soon a reading is repeated for those whose session could not be looked up. */
export const RECHECK_MS = SECOND;
