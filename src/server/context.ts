/**
 * Who calls and how they want to be answered, read from headers over HTTP and from the `connection_init` payload over WebSocket
 * by one function; and one operation of a caller, from its context to what is said about its answer.
 */
import { Unauthenticated } from "../domain/errors.js";
import type { GuestPass } from "../domain/guest.js";
import { ANONYMOUS, type Principal } from "../domain/principal.js";
import type { ReadingOutcome } from "../domain/reading.js";
import { latestSeen, parseSeen, type Seen } from "../domain/seen.js";
import type { Client, RequestContext } from "../resolvers/context.js";
import type { ClientAddress } from "./client-address.js";

/** The cookie that carries the consistency token where a client does not handle the header. */
export const SEEN_COOKIE = "souk_seen";
/** The header that carries the consistency token, both ways. */
export const SEEN_HEADER = "souk-seen";

/** The header that carries a guest's token, both ways, where a client does not handle the cookie. */
export const GUEST_HEADER = "souk-guest";

/** A caller's wishes. */
export interface Caller {
  readonly principal: Principal;
  readonly client: Client;
  readonly guest: GuestPass;
  readonly seen: Seen;
  readonly bypass: boolean;
  readonly reportCache: boolean;
}

/** Where a caller is read from. */
export interface CallerSource {
  /** A header or init parameter by its lower-case name. */
  get(name: string): string | undefined;
  /** A cookie by its name. */
  cookie(name: string): string | undefined;
  readonly ip: string;
  readonly takesCookies: boolean;
}

/** What turns a source into a caller. */
export interface CallerRules {
  authenticate(token: string | undefined): Promise<Principal | "invalid">;
  /** Who shows this token of a guest; one that is not ours counts as none. */
  admitGuest(token: string | undefined): GuestPass;
  /** Where a request comes from. */
  readonly addressOf: ClientAddress;
  /** Name of the cookie that holds a session. */
  readonly sessionCookie: string;
  /** Name of the cookie that holds a guest's token. */
  readonly guestCookie: string;
  /** Whether every answer says where it was read from, or only those that ask. */
  readonly reportAlways: boolean;
}

/** Reads a caller. Throws Unauthenticated when a token is given that is not valid. */
export async function readCaller(source: CallerSource, rules: CallerRules): Promise<Caller> {
  const principal = await readPrincipal(source, rules);
  return {
    principal,
    client: {
      device: source.get("user-agent") ?? "",
      ip: source.ip,
      takesCookies: source.takesCookies,
      showsCookie: source.get("authorization") === undefined,
    },
    guest: rules.admitGuest(source.get(GUEST_HEADER) ?? source.cookie(rules.guestCookie)),
    seen: latestSeen(parseSeen(source.get(SEEN_HEADER)), parseSeen(source.cookie(SEEN_COOKIE))),
    // Whoever may have every read go to the database can bring it down.
    bypass: principal.kind === "service" && source.get("souk-cache") === "bypass",
    reportCache: rules.reportAlways || source.get("souk-cache-report") === "1",
  };
}

/** A browser cannot drop a cookie that scripts cannot read: one that has run out only means that nobody is signed in. */
async function readPrincipal(source: CallerSource, { authenticate, sessionCookie }: CallerRules): Promise<Principal> {
  const token = bearerToken(source.get("authorization"));
  if (token === undefined) {
    const principal = await authenticate(source.cookie(sessionCookie));
    return principal === "invalid" || principal.kind === "service" ? ANONYMOUS : principal;
  }
  const principal = await authenticate(token);
  if (principal === "invalid") throw new Unauthenticated("The token is not valid.");
  return principal;
}

/** The token of an `Authorization: Bearer …` header; undefined without the header. Throws Unauthenticated for other schemes. */
function bearerToken(authorization: string | undefined): string | undefined {
  if (authorization === undefined) return undefined;
  const match = /^bearer +(\S+)$/i.exec(authorization);
  if (!match) throw new Unauthenticated("Authorization must be `Bearer <token>`.");
  return match[1];
}

/** Makes the context that resolvers get. */
export type CreateContext = (
  init: Pick<Caller, "seen" | "bypass" | "principal" | "client" | "guest"> & { requestId: string },
) => RequestContext;

/** One operation of a caller: makes its context when execution begins, knows afterwards what it read and wrote. */
export class Operation {
  /** Set once the document is known; null for an anonymous operation. */
  name: string | null = null;
  /** Set once the document is known. */
  kind: "query" | "mutation" | "subscription" | null = null;
  private begun: { readonly context: RequestContext; readonly seen: Seen } | null = null;

  constructor(
    readonly caller: Caller,
    readonly requestId: string,
    private readonly create: CreateContext,
  ) {}

  /** The context of this execution, made on first use: a request that is refused costs none. */
  get context(): RequestContext {
    if (!this.begun) {
      const { principal, client, guest, seen, bypass } = this.caller;
      const context = this.create({ principal, client, guest, seen, bypass, requestId: this.requestId });
      this.begun = { context, seen: context.reading.seen };
    }
    return this.begun.context;
  }

  /** The consistency token to hand out; null when the operation wrote nothing. */
  get written(): Seen | null {
    const seen = this.begun?.context.reading.seen;
    return this.kind === "mutation" && seen && seen !== this.begun?.seen ? seen : null;
  }

  /** The session that the client's cookie is to hold; null takes it away, undefined leaves it. */
  get keptSession(): string | null | undefined {
    return this.begun?.context.keptSession;
  }

  /** The guest's token that the client is to hold; null takes it away, undefined leaves it. */
  get keptGuest(): string | null | undefined {
    return this.begun?.context.keptGuest;
  }

  /** What is said about the cache, where the caller wants to know and something was read. */
  get cacheReport(): ReadingOutcome | null {
    return this.caller.reportCache ? (this.begun?.context.reading.outcome ?? null) : null;
  }
}
