/**
 * What a client has seen written. It travels as a consistency
 * token in the header `Souk-Seen` and the cookie `souk_seen`.
 *
 * `count` rises with every invalidation sent; a client has
 * that of its write. A process with a lower count skips its
 * local cache level for this client. `bypassUntilMs` replaces
 * it where the invalidation could not be sent in time: until
 * then the client's reads come from Postgres. It is ms since
 * epoch by the clock of the cache's Redis.
 */
export interface ConsistencyToken {
  readonly count: number;
  readonly bypassUntilMs: number;
}

/** A client that has written nothing. */
export const NO_TOKEN: ConsistencyToken = { count: 0, bypassUntilMs: 0 };

/**
 * The count of first values, of values read again, and after
 * a resync. How many invalidations came before is unknown.
 * The last message may still be on its way. So neither the
 * local cache level nor a load under way may answer.
 */
export const NEWEST = Number.MAX_SAFE_INTEGER;

/** The token of a client that has seen both. */
export function latestToken(a: ConsistencyToken, b: ConsistencyToken): ConsistencyToken {
  return {
    count: Math.max(a.count, b.count),
    bypassUntilMs: Math.max(a.bypassUntilMs, b.bypassUntilMs),
  };
}
