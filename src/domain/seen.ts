/**
 * What a client has seen written; it carries it as a consistency token in the header `Souk-Seen`
 * and the cookie `souk_seen`.
 *
 * `count` rises with every invalidation sent; a client's is the one of its write: a process that
 * has not seen as much does not use its local cache level for this client. `bypassUntilMs` is set
 * instead when the invalidation could not be sent in time: until then the client's reads come from
 * Postgres. It is ms since epoch by the clock of the cache's Redis.
 */
export interface Seen {
  readonly count: number;
  readonly bypassUntilMs: number;
}

/** A client that has written nothing. */
export const NOTHING_SEEN: Seen = { count: 0, bypassUntilMs: 0 };

/**
 * The count of a first value, of one that is read again, and after a resync. The number of
 * invalidations before is unknown, and the message of the last one may still be on its way: neither
 * the local cache level nor a load under way may answer.
 */
export const NEWEST = Number.MAX_SAFE_INTEGER;

/** What a client has seen that has seen both. */
export function latestSeen(a: Seen, b: Seen): Seen {
  return {
    count: Math.max(a.count, b.count),
    bypassUntilMs: Math.max(a.bypassUntilMs, b.bypassUntilMs),
  };
}
