import type { IncomingMessage } from "node:http";

/** Of HTTP and WebSocket. */
export const GRAPHQL_PATH = "/graphql";

/**
 * Whether a request target has our path. A client may send a
 * whole URL (RFC 9112, 3.2.2), and escape what needs none.
 */
export function isGraphQLPath(target: string): boolean {
  if (target === GRAPHQL_PATH || target.startsWith(`${GRAPHQL_PATH}?`)) return true;
  const [path = ""] = target.replace(/^https?:\/\/[^/?#]*/i, "").split(/[?#]/, 1);
  try {
    return decodeURIComponent(path) === GRAPHQL_PATH;
  } catch {
    return false;
  }
}

/**
 * Whether a browser opens the page, rather than a client with a
 * query.
 */
export function wantsPage({ method, headers }: IncomingMessage): boolean {
  const accept = headers.accept ?? "";
  return method === "GET" && accept.includes("text/html") && !accept.includes("json");
}
