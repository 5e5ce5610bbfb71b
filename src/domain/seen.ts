/**
 * The consistency token: what a client has seen written, carried in the header `Souk-Seen` and the cookie `souk_seen`.
 *
 * `count` rises with every invalidation sent; the token holds the one of the write: a process that has not seen as much does
 * not use its local cache level for this client. `bypassUntilMs` (ms since epoch) is set instead when the invalidation could
 * not be sent in time: until then the client's reads come from Postgres. A forged token can only slow its own requests down.
 */
export interface Seen {
  readonly count: number;
  readonly bypassUntilMs: number;
}

/** A client that has written nothing. */
export const NOTHING_SEEN: Seen = { count: 0, bypassUntilMs: 0 };

/** Writes a token: `<count>` or `<count>.<ms since epoch>`. */
export function formatSeen({ count, bypassUntilMs }: Seen): string {
  return bypassUntilMs > 0 ? `${count}.${bypassUntilMs}` : `${count}`;
}

/** Reads a token; anything that is not one counts as nothing seen. */
export function parseSeen(text: string | undefined): Seen {
  const match = /^(\d{1,15})(?:\.(\d{1,15}))?$/.exec(text ?? "");
  return match ? { count: Number(match[1]), bypassUntilMs: Number(match[2] ?? 0) } : NOTHING_SEEN;
}

/** The token of somebody who has seen both. */
export function latestSeen(a: Seen, b: Seen): Seen {
  return { count: Math.max(a.count, b.count), bypassUntilMs: Math.max(a.bypassUntilMs, b.bypassUntilMs) };
}
