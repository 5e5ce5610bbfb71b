/**
 * Which pages may call: those of our own origin and of a list, by
 * exact comparison. A request without Origin is no page. CORS and
 * the WebSocket upgrade, which CORS does not cover, both ask
 * here.
 */

export type OriginCheck = (origin: string | undefined, host: string | undefined) => boolean;

/**
 * @param allowed origins such as `https://shop.example`; a path
 * is ignored
 */
export function createOriginCheck(allowed: readonly string[]): OriginCheck {
  const known = new Set(allowed.map((origin) => new URL(origin).origin));
  return (origin, host) => !origin || known.has(origin) || isOwn(origin, host);
}

/**
 * A page of ours, such as the explorer. Browsers spell an origin
 * in one way; other spellings are forged.
 */
function isOwn(origin: string, host: string | undefined): boolean {
  if (!host || !/^https?:/.test(origin) || !URL.canParse(origin)) return false;
  const page = new URL(origin);
  return page.origin === origin && page.host === host.toLowerCase();
}
