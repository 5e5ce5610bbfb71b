/**
 * Reading what one has just written, on whichever server the next request lands.
 *
 * An answer may carry a consistency token in the header `Souk-Seen`. Sent back with the next
 * request, it keeps that request from being answered out of a cache that is older. Browsers get the
 * same by the cookie `souk_seen` without any code.
 */

const HEADER = "souk-seen";

/**
 * A fetch that keeps the newest token it was given, and sends it along. One per user: the token
 * says what this one has seen.
 */
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

/**
 * Answers may overtake each other, so an older token never replaces a newer one. A token is
 * `<count>.<until>.<signature>`: kept are the one with the highest count and the one that holds
 * longest, separated by a comma where those are two.
 */
function newest(held: string, given: string): string {
  const tokens = [...held.split(","), given].filter((token) => token !== "");
  const partOf = (token: string, part: number): number => Number(token.split(".")[part]);
  const latest = (part: number): string | undefined =>
    [...tokens].sort((a, b) => partOf(b, part) - partOf(a, part))[0];
  const [counted, holding] = [latest(0), latest(1)];
  return [
    counted,
    ...(holding !== counted && holding && partOf(holding, 1) > 0 ? [holding] : []),
  ].join(",");
}
