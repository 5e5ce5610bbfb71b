import type { IncomingMessage } from "node:http";

/** Of HTTP and WebSocket. */
export const GRAPHQL_PATH = "/graphql";

export const isGraphQLPath = (url: string): boolean =>
  url === GRAPHQL_PATH || url.startsWith(`${GRAPHQL_PATH}?`);

/**
 * Whether a browser opens the page, rather than a client with a
 * query.
 */
export function wantsPage({ method, headers }: IncomingMessage): boolean {
  const accept = headers.accept ?? "";
  return method === "GET" && accept.includes("text/html") && !accept.includes("json");
}
