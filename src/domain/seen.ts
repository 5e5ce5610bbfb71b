/**
 * What a client has seen written; it carries it as a consistency token in the header `Souk-Seen` and the cookie `souk_seen`.
 *
 * `count` rises with every invalidation sent; a client's is the one of its write: a process that has not seen as much does
 * not use its local cache level for this client. `bypassUntilMs` is set instead when the invalidation could not be sent in
 * time: until then the client's reads come from Postgres. It is ms since epoch by the clock of the cache's Redis.
 */
export interface Seen {
  readonly count: number;
  readonly bypassUntilMs: number;
}

/** A client that has written nothing. */
export const NOTHING_SEEN: Seen = { count: 0, bypassUntilMs: 0 };

/** What somebody has seen who has seen both. */
export function latestSeen(a: Seen, b: Seen): Seen {
  return { count: Math.max(a.count, b.count), bypassUntilMs: Math.max(a.bypassUntilMs, b.bypassUntilMs) };
}
