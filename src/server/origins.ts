/**
 * Which browsers' pages may call: those of our own origin and of a list, by exact comparison. What
 * sends no Origin, or an empty one, is no page. CORS answers and the WebSocket upgrade (which CORS
 * does not cover) ask the same question here.
 */

/** Answers whether a request may come from where it says it comes from. */
export type OriginCheck = (origin: string | undefined, host: string | undefined) => boolean;

/** @param allowed origins such as `https://shop.example`; a path or a trailing slash is ignored */
export function createOriginCheck(allowed: readonly string[]): OriginCheck {
  const known = new Set(allowed.map((origin) => new URL(origin).origin));
  return (origin, host) => !origin || known.has(origin) || isOwn(origin, host);
}

/**
 * A page that we served ourselves, such as the explorer. Browsers spell an origin one way; what is
 * spelled otherwise is no page's.
 */
function isOwn(origin: string, host: string | undefined): boolean {
  if (!host || !/^https?:/.test(origin) || !URL.canParse(origin)) return false;
  const page = new URL(origin);
  return page.origin === origin && page.host === host.toLowerCase();
}
