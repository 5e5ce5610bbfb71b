/**
 * Staying one guest without cookies: the answer to the first write may carry the header
 * `Souk-Guest`, which is sent back from then on. Whoever signs in should begin with a new one: the
 * guest's cart has gone to the account by then. Browsers need none of this.
 */

const HEADER = "souk-guest";

/** A fetch that keeps the guest's token. */
export function createGuestFetch(send: typeof fetch): typeof fetch {
  let guest: string | null = null;
  return async (input, init) => {
    const headers = new Headers(init?.headers);
    if (guest) headers.set(HEADER, guest);
    const response = await send(input, { ...init, headers });
    guest = response.headers.get(HEADER) ?? guest;
    return response;
  };
}
