/**
 * The caller of a request. One function reads it: from headers
 * over HTTP, from the `connection_init` payload over WebSocket.
 */
import type { IncomingMessage } from "node:http";
import type { GuestPass } from "../../domain/account/guest.js";
import { ANONYMOUS, type Principal, SERVICE } from "../../domain/account/principal.js";
import { ownText } from "../../domain/cut-text.js";
import { Unauthenticated } from "../../domain/errors.js";
import { own } from "../../domain/own.js";
import { type ConsistencyToken, latestToken } from "../../domain/reading/consistency-token.js";
import type { Client } from "../../resolvers/context.js";
import type { Credential, ReadCredential } from "../../services/account/credential.js";
import type { Claim } from "../../services/rate-limit/admission.js";
import type { ClientAddress } from "../client-address.js";
import { isCrossSite } from "../page-site.js";

/** Carries the consistency token where the header is not used. */
export const SEEN_COOKIE = "souk_seen";
/** Carries the consistency token, both ways. */
export const SEEN_HEADER = "souk-seen";

/**
 * Carries a guest's token, both ways, where the cookie is not
 * used.
 */
export const GUEST_HEADER = "souk-guest";

/** Who calls, and how they want to be answered. */
export interface Caller {
  readonly principal: Principal;
  readonly client: Client;
  readonly guest: GuestPass;
  readonly seen: ConsistencyToken;
  readonly bypass: boolean;
  readonly reportCache: boolean;
}

/** Of a device, as sessions, audit log and sockets keep it. */
const MAX_DEVICE_CHARACTERS = 200;

/** Where a caller is read from. */
export interface CallerSource {
  /**
   * A header or init parameter, by lower-case name; see {@link
   * filled}.
   */
  get(name: string): string | undefined;
  /** A cookie; see {@link nonBlank}. */
  cookie(name: string): string | undefined;
  readonly ip: string;
  readonly takesCookies: boolean;
  readonly isCrossSite: boolean;
}

export interface CallerRules {
  /** Hashes the token of a request: called once. */
  readonly readCredential: ReadCredential;
  /** The guest of a token; a forged one counts as none. */
  admitGuest(token: string | undefined): GuestPass;
  /**
   * The content of a consistency token; a forged one counts as
   * none.
   */
  readSeen(token: string | undefined): ConsistencyToken;
  readonly addressOf: ClientAddress;
  /** Name of the session cookie. */
  readonly sessionCookie: string;
  /** Name of the guest cookie. */
  readonly guestCookie: string;
  /**
   * Whether every answer reports on the cache, or only on
   * request.
   */
  readonly reportAlways: boolean;
}

/** A request whose session is not looked up yet. */
export interface ClaimedCaller {
  readonly claim: Claim;
  /** The operator's service, or anonymous so far. */
  readonly caller: Caller;
}

/**
 * Reads claim and caller of a request. Throws Unauthenticated for
 * a malformed claim.
 */
export function readClaim(source: CallerSource, rules: CallerRules): ClaimedCaller {
  const bearer = bearerToken(source.get("authorization"));
  const presented = rules.readCredential(bearer ?? source.cookie(rules.sessionCookie));
  // The service token is no session: as a cookie it counts as
  // none.
  const isIgnored = presented.kind === "service" && bearer === undefined;
  const credential: Credential = isIgnored ? { kind: "none" } : presented;
  const principal = credential.kind === "service" ? SERVICE : ANONYMOUS;
  return {
    claim: { ...credential, ip: source.ip, mustBeValid: bearer !== undefined },
    caller: {
      principal,
      client: {
        device: ownText(source.get("user-agent") ?? "", MAX_DEVICE_CHARACTERS),
        ip: source.ip,
        takesCookies: source.takesCookies,
        isCrossSite: source.isCrossSite,
        showsCookie: bearer === undefined,
      },
      guest: rules.admitGuest(source.get(GUEST_HEADER) ?? source.cookie(rules.guestCookie)),
      seen: latestToken(
        rules.readSeen(source.get(SEEN_HEADER)),
        rules.readSeen(source.cookie(SEEN_COOKIE)),
      ),
      // Only the service: reads from the database alone can bring
      // it down.
      bypass: principal.kind === "service" && source.get("souk-cache") === "bypass",
      reportCache: rules.reportAlways || source.get("souk-cache-report") === "1",
    },
  };
}

/**
 * The caller with its looked-up principal. Throws
 * Unauthenticated.
 */
export function identify(
  { caller, claim: { mustBeValid } }: ClaimedCaller,
  principal: Principal | "invalid",
): Caller {
  if (principal !== "invalid") return { ...caller, principal };
  if (mustBeValid) throw new Unauthenticated("The token is not valid.");
  return caller;
}

/** Throws Unauthenticated. */
export function readHttpClaim(asked: HttpSource, rules: CallerRules): ClaimedCaller {
  const { headers } = asked.request;
  const get = (name: string) => nonBlank(own(headers, name));
  const cookie = (name: string) => nonBlank(asked.cookie(name));
  const ip = rules.addressOf(asked.request);
  const client = { ip, takesCookies: true, isCrossSite: isCrossSite(headers) };
  return readClaim({ get, cookie, ...client }, rules);
}

/** A request over HTTP. */
interface HttpSource {
  readonly request: IncomingMessage;
  cookie(name: string): string | undefined;
}

/**
 * The text of a header, cookie or parameter; blank counts as
 * absent.
 */
export function nonBlank(value: unknown): string | undefined {
  return typeof value === "string" && value.trim() !== "" ? value : undefined;
}

/** Clients without a token may send `Bearer ${token ?? ""}`. */
const NO_TOKEN = /^\s*bearer\s*$/i;

/**
 * The token of `Authorization: Bearer …`, if any. Throws
 * Unauthenticated for other schemes.
 */
function bearerToken(authorization: string | undefined): string | undefined {
  if (authorization === undefined || NO_TOKEN.test(authorization)) return undefined;
  const match = /^bearer +(\S+)$/i.exec(authorization.trim());
  if (!match) throw new Unauthenticated("Authorization must be `Bearer <token>`.");
  return match[1];
}
