/**
 * Who calls and how they want to be answered, read from headers over HTTP and from the
 * `connection_init` payload over WebSocket by one function; and one operation of a caller, from its
 * context to what is said about its answer.
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

/** The cookie that carries the consistency token where a client does not handle the header. */
export const SEEN_COOKIE = "souk_seen";
/** The header that carries the consistency token, both ways. */
export const SEEN_HEADER = "souk-seen";

/**
 * The header that carries a guest's token, both ways, where a client does not handle the cookie.
 */
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

/** Longest description of a device, which a session, the audit log or a socket keeps. */
const MAX_DEVICE_CHARACTERS = 200;

/** Where a caller is read from. */
export interface CallerSource {
  /** A header or init parameter by its lower-case name; see {@link filled}. */
  get(name: string): string | undefined;
  /** A cookie by its name; see {@link filled}. */
  cookie(name: string): string | undefined;
  readonly ip: string;
  readonly takesCookies: boolean;
}

/** What turns a source into a caller. */
export interface CallerRules {
  /** Recognises the token of a request. Its only hash: called once. */
  readonly readCredential: ReadCredential;
  /** Who shows this token of a guest; one that is not ours counts as none. */
  admitGuest(token: string | undefined): GuestPass;
  /** What this consistency token says was seen; one that is not ours counts as none. */
  readSeen(token: string | undefined): Seen;
  /** Where a request comes from. */
  readonly addressOf: ClientAddress;
  /** Name of the cookie that holds a session. */
  readonly sessionCookie: string;
  /** Name of the cookie that holds a guest's token. */
  readonly guestCookie: string;
  /** Whether every answer says where it was read from, or only those that ask. */
  readonly reportAlways: boolean;
}

/** A request before it is known who sends it. */
export interface ClaimedCaller {
  readonly claim: Claim;
  /** The caller as far as it can be told without asking: the operator's service, or nobody. */
  readonly caller: Caller;
}

/**
 * Reads who a request claims to be from, and how it wants to be answered. Throws Unauthenticated
 * for what is no claim at all.
 */
export function readClaim(source: CallerSource, rules: CallerRules): ClaimedCaller {
  const bearer = bearerToken(source.get("authorization"));
  const presented = rules.readCredential(bearer ?? source.cookie(rules.sessionCookie));
  // The service token is no session: as a cookie it counts as none.
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
      // Whoever may have every read go to the database can bring it down.
      bypass: principal.kind === "service" && source.get("souk-cache") === "bypass",
      reportCache: rules.reportAlways || source.get("souk-cache-report") === "1",
    },
  };
}

/** The caller, now that it is known whose token it was. Throws Unauthenticated. */
export function identify(
  { caller, claim: { insists } }: ClaimedCaller,
  principal: Principal | "invalid",
): Caller {
  if (principal !== "invalid") return { ...caller, principal };
  if (insists) throw new Unauthenticated("The token is not valid.");
  return caller;
}

/** The claim of a request over HTTP. Throws Unauthenticated. */
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
 * What a header, cookie or init parameter says; an empty or blank one counts as absent, and so does
 * what is no text.
 */
export function filled(value: unknown): string | undefined {
  return typeof value === "string" && value.trim() !== "" ? value : undefined;
}

/** A habit of clients without a token: `Bearer ${token ?? ""}`. */
const NO_TOKEN = /^\s*bearer\s*$/i;

/**
 * The token of an `Authorization: Bearer …` header; undefined where there is none. Throws
 * Unauthenticated for other schemes.
 */
function bearerToken(authorization: string | undefined): string | undefined {
  if (authorization === undefined || NO_TOKEN.test(authorization)) return undefined;
  const match = /^bearer +(\S+)$/i.exec(authorization.trim());
  if (!match) throw new Unauthenticated("Authorization must be `Bearer <token>`.");
  return match[1];
}

/** Makes the context that resolvers get. */
export type CreateContext = (
  init: Pick<Caller, "seen" | "bypass" | "principal" | "client" | "guest"> & {
    readonly requestId: string;
    readonly buckets: readonly BucketStatus[];
  },
) => RequestContext;

/** What an operation is. */
export type OperationKind = "query" | "mutation" | "subscription";

/**
 * One operation of a caller: makes its context when execution begins, knows afterwards what it read
 * and wrote.
 */
export class Operation {
  /** Set once the document is known; null for an anonymous operation. */
  name: string | null = null;
  /** Set once the document is known. */
  kind: OperationKind | null = null;
  /** How the buckets stand that it was charged to, or refused by. */
  buckets: readonly BucketStatus[] = [];
  /** Why it was not let in, where it was asked for too much. */
  refusal: RateLimited | null = null;
  /**
   * What it takes of what the process can have under way; null over HTTP, where the request holds
   * it.
   */
  permit: Permit | null = null;
  /** Why its input was refused before anything ran. */
  invalid: readonly GraphQLError[] | null = null;
  /** Gives back what is counted while it runs. */
  onEnd: () => void = () => {};
  private payment: Payment | null = null;
  private execution: { readonly context: RequestContext; readonly seen: Seen } | null = null;

  /** @param caller as far as it is known; who it is, is known once the operation is let in */
  constructor(
    public caller: Caller,
    readonly requestId: string,
    private readonly createContext: CreateContext,
    /**
     * When it arrived, on the monotonic clock of this process, in ms: its time runs from then on.
     */
    readonly startedAtMs = performance.now(),
  ) {}

  /** The context of this execution, made on first use: a request that is refused costs none. */
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

  /** Whether its cost was taken. */
  get hasPaid(): boolean {
    return this.payment !== null;
  }

  /** Its cost was taken. */
  recordPayment(payment: Payment): void {
    this.payment = payment;
    this.buckets = payment.buckets;
  }

  /** It has ended with this answer, or without one; the first time counts. */
  settle(result: ExecutionResult | null): void {
    if (!this.payment || this.payment.report) return;
    const bucket = this.payment.settle(result);
    if (bucket) this.buckets = [bucket, ...this.buckets.slice(1)];
  }

  /**
   * A subscription has begun: what letting it in took is not kept for its life, which may be days.
   */
  releaseAdmission(socketCaller: Caller): void {
    this.caller = socketCaller;
    this.payment = null;
    this.buckets = [];
    this.execution = null;
  }

  /** It runs no more; to be said as often as one likes. */
  end(): void {
    this.permit?.release();
    this.onEnd();
    this.onEnd = () => {};
  }

  /** What its answer says about its cost. */
  get costReport(): CostReport | null {
    return this.payment?.report ?? null;
  }

  /** The consistency token to hand out; null when the operation wrote nothing. */
  get written(): Seen | null {
    const seen = this.execution?.context.reading.seen;
    return this.kind === "mutation" && seen && seen !== this.execution?.seen ? seen : null;
  }

  /** The session that the client's cookie is to hold; null takes it away, undefined leaves it. */
  get keptSession(): string | null | undefined {
    return this.execution?.context.keptSession;
  }

  /** The guest's token that the client is to hold; null takes it away, undefined leaves it. */
  get keptGuest(): string | null | undefined {
    return this.execution?.context.keptGuest;
  }

  /** Whether its answer holds what came from a fallback. */
  get isProvisional(): boolean {
    return this.execution?.context.reading.isProvisional ?? false;
  }

  /** What is said about the cache, where the caller wants to know and something was read. */
  get cacheReport(): ReadingOutcome | null {
    return this.caller.reportCache ? (this.execution?.context.reading.outcome ?? null) : null;
  }
}
