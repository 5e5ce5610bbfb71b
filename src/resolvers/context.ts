/**
 * What every resolver gets besides its arguments: who asks, how this operation reads, and its
 * loaders.
 *
 * One context per operation, and per event of a subscription. Loaders remember what they read;
 * whatever makes the operation know of a newer write replaces them, so that nothing read before is
 * answered after.
 */
import type { RequestOrigin } from "../domain/account/audit.js";
import type { GuestPass, Owner } from "../domain/account/guest.js";
import { type Principal, signedIn } from "../domain/account/principal.js";
import { type ConsistencyToken, latestToken } from "../domain/consistency-token.js";
import type { BucketStatus } from "../domain/limits.js";
import { ReadContext } from "../domain/read-context.js";
import type { Loaders } from "../loaders/loaders.js";

/** The client that asks. */
export interface Client {
  /** What it calls itself, possibly nothing. */
  readonly device: string;
  readonly ip: string;
  /** Whether its answer can set cookies. */
  readonly takesCookies: boolean;
  /** Whether it says who it is by its cookie, rather than by `Authorization`. */
  readonly showsCookie: boolean;
}

/** The context of one operation or event. */
export interface RequestContext {
  /** Names the request in logs and in `extensions.requestId`. */
  readonly requestId: string;
  readonly principal: Principal;
  readonly client: Client;
  /** How the buckets stand that this operation was charged to; none where nothing is limited. */
  readonly buckets: readonly BucketStatus[];
  /** How this operation reads the cache, and what it found there. */
  readonly reading: ReadContext;
  /** What {@link keepSession} was told last; undefined when nothing. */
  readonly keptSession: string | null | undefined;
  /** Has the client's cookie hold the token of a session from now on; null takes it away. */
  keepSession(token: string | null): void;
  /**
   * The guest's token that the client is to hold; null takes it away, undefined when there is
   * nothing to say.
   */
  readonly keptGuest: string | null | undefined;
  /** The guest that the client shows, also where somebody is signed in; null for none. */
  readonly guest: string | null;
  /** Has the client give up who it was as a guest. */
  forgetGuest(): void;
  /**
   * Whose things are read: whoever is signed in, else the guest who asks; null for neither. Throws
   * RedisUnavailable when it cannot be told.
   */
  owner(): Owner | null;
  /**
   * The same for a write: somebody who is neither becomes a guest, and is told so with the answer.
   */
  writingOwner(): Owner;
  /** The current loaders; take them from here at each use, never keep them. */
  readonly loaders: Loaders;
  /**
   * Something was written that this operation has to see: by itself, or announced by the event it
   * answers. What is read from now on is not older, and after a mutation the answer carries the
   * token.
   */
  wrote(seen: ConsistencyToken): void;
  /**
   * Loaders past the cache, straight from Postgres: for the rare value that is older than what is
   * known to exist.
   */
  fresh(): Loaders;
}

/** Where an operation came from, for what is written about it. */
export const originOf = ({
  client: { device, ip },
  requestId,
}: Pick<RequestContext, "client" | "requestId">): RequestOrigin => ({
  device,
  ip,
  requestId,
});

/** What a context is made of. */
export interface RequestContextInit {
  readonly requestId: string;
  readonly principal: Principal;
  readonly client: Client;
  readonly guest: GuestPass;
  readonly buckets?: readonly BucketStatus[];
  readonly reading: ReadContext;
  /** Makes the loaders of a reading; called on first use, and again after each write. */
  readonly makeLoaders: (reading: ReadContext) => Loaders;
}

/** Makes the context of one operation or event. Opens nothing, so there is nothing to close. */
export function createRequestContext(init: RequestContextInit): RequestContext {
  const { requestId, principal, client, guest, buckets = [], reading, makeLoaders } = init;
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
