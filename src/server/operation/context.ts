/**
 * The caller of a request, read from headers over HTTP and from
 * the `connection_init` payload over WebSocket by one function;
 * and one operation of a caller.
 */
import type { FastifyRequest } from "fastify";
import type { ExecutionResult, GraphQLError } from "graphql";
import type { GuestPass } from "../../domain/account/guest.js";
import { ANONYMOUS, type Principal, SERVICE } from "../../domain/account/principal.js";
import { ownText } from "../../domain/cut-text.js";
import { type RateLimited, Unauthenticated } from "../../domain/errors.js";
import type { BucketStatus } from "../../domain/limits.js";
import { own } from "../../domain/own.js";
import type { ReadingOutcome } from "../../domain/reading.js";
import { latestSeen, type Seen } from "../../domain/seen.js";
import type { Client, RequestContext } from "../../resolvers/context.js";
import type { Credential, ReadCredential } from "../../services/account/credential.js";
import type { Claim } from "../../services/rate-limit/admission.js";
import type { ClientAddress } from "../client-address.js";
import type { Permit } from "../load.js";
import type { CostReport, Payment } from "./payment.js";

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
  readonly seen: Seen;
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
  /** A cookie; see {@link filled}. */
  cookie(name: string): string | undefined;
  readonly ip: string;
  readonly takesCookies: boolean;
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
  readSeen(token: string | undefined): Seen;
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
    claim: { ...credential, ip: source.ip, insists: bearer !== undefined },
    caller: {
      principal,
      client: {
        device: ownText(source.get("user-agent") ?? "", MAX_DEVICE_CHARACTERS),
        ip: source.ip,
        takesCookies: source.takesCookies,
        showsCookie: bearer === undefined,
      },
      guest: rules.admitGuest(source.get(GUEST_HEADER) ?? source.cookie(rules.guestCookie)),
      seen: latestSeen(
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
  { caller, claim: { insists } }: ClaimedCaller,
  principal: Principal | "invalid",
): Caller {
  if (principal !== "invalid") return { ...caller, principal };
  if (insists) throw new Unauthenticated("The token is not valid.");
  return caller;
}

/** Throws Unauthenticated. */
export function readHttpClaim(
  { headers, cookies, raw }: FastifyRequest,
  rules: CallerRules,
): ClaimedCaller {
  const [get, cookie] = [
    (name: string) => filled(own(headers, name)),
    (name: string) => filled(own(cookies, name)),
  ];
  return readClaim({ get, cookie, ip: rules.addressOf(raw), takesCookies: true }, rules);
}

/**
 * The text of a header, cookie or parameter; blank counts as
 * absent.
 */
export function filled(value: unknown): string | undefined {
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

export type CreateContext = (
  init: Pick<Caller, "seen" | "bypass" | "principal" | "client" | "guest"> & {
    readonly requestId: string;
    readonly buckets: readonly BucketStatus[];
  },
) => RequestContext;

export type OperationKind = "query" | "mutation" | "subscription";

/** One operation of a caller, from admission to its answer. */
export class Operation {
  /**
   * Null for an anonymous operation, or before its document is
   * read.
   */
  name: string | null = null;
  /** Null before its document is read. */
  kind: OperationKind | null = null;
  /** The buckets that charged or rejected it. */
  buckets: readonly BucketStatus[] = [];
  /** Set when it was rate limited. */
  refusal: RateLimited | null = null;
  /**
   * Its permit of the process; null over HTTP, where the request
   * has it.
   */
  permit: Permit | null = null;
  /** Errors of its input; nothing has run. */
  invalid: readonly GraphQLError[] | null = null;
  /** Releases what is counted while it runs. */
  onEnd: () => void = () => {};
  private payment: Payment | null = null;
  private execution: { readonly context: RequestContext; readonly seen: Seen } | null = null;

  /** @param caller its principal is known after admission */
  constructor(
    public caller: Caller,
    readonly requestId: string,
    private readonly createContext: CreateContext,
    /**
     * Arrival on the monotonic clock, in ms: its deadline runs
     * from here.
     */
    readonly startedAtMs = performance.now(),
  ) {}

  /** Made on first use: a rejected request needs none. */
  get context(): RequestContext {
    if (!this.execution) {
      const { principal, client, guest, seen, bypass } = this.caller;
      const { requestId, buckets } = this;
      const context = this.createContext({
        principal,
        client,
        guest,
        seen,
        bypass,
        requestId,
        buckets,
      });
      this.execution = { context, seen: context.reading.seen };
    }
    return this.execution.context;
  }

  /** Whether its cost is charged. */
  get hasPaid(): boolean {
    return this.payment !== null;
  }

  recordPayment(payment: Payment): void {
    this.payment = payment;
    this.buckets = payment.buckets;
  }

  /**
   * Settles its cost by the answer, or without one; only the
   * first counts.
   */
  settle(result: ExecutionResult | null): void {
    if (!this.payment || this.payment.report) return;
    const bucket = this.payment.settle(result);
    if (bucket) this.buckets = [bucket, ...this.buckets.slice(1)];
  }

  /**
   * A subscription has begun and may run for days: frees its
   * admission.
   */
  releaseAdmission(socketCaller: Caller): void {
    this.caller = socketCaller;
    this.payment = null;
    this.buckets = [];
    this.execution = null;
  }

  /** Idempotent. */
  end(): void {
    this.permit?.release();
    this.onEnd();
    this.onEnd = () => {};
  }

  get costReport(): CostReport | null {
    return this.payment?.report ?? null;
  }

  /**
   * The consistency token for the client; null when nothing was
   * written.
   */
  get written(): Seen | null {
    const seen = this.execution?.context.reading.seen;
    return this.kind === "mutation" && seen && seen !== this.execution?.seen ? seen : null;
  }

  /**
   * The session for the cookie; null clears it, undefined leaves
   * it.
   */
  get keptSession(): string | null | undefined {
    return this.execution?.context.keptSession;
  }

  /**
   * The guest's token for the client; null clears it, undefined
   * leaves it.
   */
  get keptGuest(): string | null | undefined {
    return this.execution?.context.keptGuest;
  }

  /** Whether a fallback answered for some of it. */
  get isProvisional(): boolean {
    return this.execution?.context.reading.isProvisional ?? false;
  }

  /** Null where not wanted, or where nothing was read. */
  get cacheReport(): ReadingOutcome | null {
    return this.caller.reportCache ? (this.execution?.context.reading.outcome ?? null) : null;
  }
}
