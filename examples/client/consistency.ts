/**
 * Reading what one has just written, on whichever server the next request lands.
 *
 * An answer may carry a consistency token in the header `Souk-Seen`. Sent back with the next request, it keeps that request from
 * being answered out of a cache that is older. Browsers get the same by the cookie `souk_seen` without any code.
 */

const HEADER = "souk-seen";

/** A fetch that keeps the newest token it was given, and sends it along. One per user: the token says what this one has seen. */
export function createConsistentFetch(send: typeof fetch = fetch): typeof fetch {
  let seen = "";
  return async (input, init) => {
    const headers = new Headers(init?.headers);
    if (seen) headers.set(HEADER, seen);
    const response = await send(input, { ...init, headers });
    seen = newest(seen, response.headers.get(HEADER) ?? "");
    return response;
  };
}

/** Answers may overtake each other, so an older token never replaces a newer one: `<count>` or `<count>.<until, ms since epoch>`. */
function newest(a: string, b: string): string {
  const [tokens, untils] = [0, 1].map((part) => [a, b].map((token) => Number(token.split(".")[part] ?? 0)));
  const [count, until] = [Math.max(...(tokens ?? [])), Math.max(...(untils ?? []))];
  return until > 0 ? `${count}.${until}` : `${count}`;
}
