/**
 * What every resolver gets besides its arguments: the caller,
 * how this operation reads, and its loaders.
 *
 * One context per operation, and per event of a subscription.
 * Loaders remember what they read. A newer write replaces them,
 * so later reads see it.
 */
import type { RequestOrigin } from "../domain/account/audit.js";
import type { GuestPass, Owner } from "../domain/account/guest.js";
import { type Principal, signedIn } from "../domain/account/principal.js";
import type { BucketStatus } from "../domain/limits.js";
import { type ConsistencyToken, latestToken } from "../domain/reading/consistency-token.js";
import { ReadContext } from "../domain/reading/read-context.js";
import type { Loaders } from "../loaders/loaders.js";
import type { ReadsAhead } from "./reads-ahead.js";

/** The client that asks. */
export interface Client {
  /** Its name for itself, possibly empty. */
  readonly device: string;
  readonly ip: string;
  /** Whether its answer can set cookies. */
  readonly takesCookies: boolean;
  /** Whether a page of another site asks: its cookies are lost. */
  readonly isCrossSite: boolean;
  /**
   * Whether it authenticates by cookie rather than
   * `Authorization`.
   */
  readonly showsCookie: boolean;
}

/** The context of one operation or event. */
export interface RequestContext {
  /** Names the request in logs and in `extensions.requestId`. */
  readonly requestId: string;
  readonly principal: Principal;
  readonly client: Client;
  /**
   * State of the buckets that this operation was charged to; empty
   * where nothing is limited.
   */
  readonly buckets: readonly BucketStatus[];
  /** How this operation reads the cache, and what it found there. */
  readonly reading: ReadContext;
  /** Reads that have begun already. */
  readonly ahead: ReadsAhead;
  /**
   * The last argument of {@link keepSession}; undefined without
   * one.
   */
  readonly keptSession: string | null | undefined;
  /**
   * Stores a session's token in the client's cookie; null removes
   * it.
   */
  keepSession(token: string | null): void;
  /**
   * The guest token to store at the client; null removes it,
   * undefined keeps what it has.
   */
  readonly keptGuest: string | null | undefined;
  /**
   * The guest that the client shows, even while signed in; null
   * for none.
   */
  readonly guest: string | null;
  /** Removes the client's guest token. */
  forgetGuest(): void;
  /**
   * Whose things are read: the user's, else the guest's; null for
   * neither. Throws RedisUnavailable when the caller cannot be
   * identified.
   */
  owner(): Owner | null;
  /**
   * The same for a write. A caller without owner becomes a guest,
   * whose token comes with the answer.
   */
  writingOwner(): Owner;
  /** The current loaders. Never keep them: writes replace them. */
  readonly loaders: Loaders;
  /**
   * Makes later reads at least as new as `seen`: of an own write,
   * or of the event that is answered. A mutation answers the
   * token.
   */
  wrote(seen: ConsistencyToken): void;
  /**
   * Loaders that read Postgres, past the cache: for a cached value
   * that is older than a known version.
   */
  fresh(): Loaders;
}

/** Where an operation came from, for audit entries. */
export const originOf = ({
  client: { device, ip },
  requestId,
}: Pick<RequestContext, "client" | "requestId">): RequestOrigin => ({
  device,
  ip,
  requestId,
});

export interface RequestContextInit {
  readonly requestId: string;
  readonly principal: Principal;
  readonly client: Client;
  readonly guest: GuestPass;
  readonly buckets?: readonly BucketStatus[];
  readonly reading: ReadContext;
  readonly ahead?: ReadsAhead;
  /** Called on first use, and again after each write. */
  readonly makeLoaders: (reading: ReadContext) => Loaders;
}

/** Makes the context of one operation or event. Opens nothing. */
export function createRequestContext(init: RequestContextInit): RequestContext {
  const { requestId, principal, client, guest, reading, makeLoaders } = init;
  const { buckets = [], ahead = {} } = init;
  let current: Loaders | null = null;
  let keptSession: string | null | undefined;
  let keptGuest: string | null | undefined;
  const owner = (): Owner | null => {
    const user = signedIn(principal);
    if (user) return { kind: "user", userId: user.userId };
    return guest.id === null ? null : { kind: "guest", guestId: guest.id };
  };
  return {
    requestId,
    principal,
    client,
    buckets,
    reading,
    ahead,
    get keptSession() {
      return keptSession;
    },
    keepSession(token) {
      keptSession = token;
    },
    get keptGuest() {
      return keptGuest;
    },
    get guest() {
      return guest.id;
    },
    forgetGuest() {
      keptGuest = null;
    },
    owner,
    writingOwner() {
      const known = owner();
      if (known?.kind === "user") return known;
      const guestId = guest.ensure();
      keptGuest = guest.issued ?? undefined;
      return { kind: "guest", guestId };
    },
    get loaders() {
      current ??= makeLoaders(reading);
      return current;
    },
    wrote(seen) {
      reading.seen = latestToken(reading.seen, seen);
      current = null;
    },
    fresh() {
      reading.record("BYPASS", 0);
      return makeLoaders(new ReadContext({ seen: reading.seen, bypass: true }));
    },
  };
}
