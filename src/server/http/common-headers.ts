/**
 * Headers of every answer: Helmet's, and those of CORS for listed
 * origins. Other origins are never echoed.
 */
import type { HeaderPairs } from "./exchange.js";

export const EXPOSED_HEADERS = [
  "Souk-Seen",
  "Souk-Guest",
  "X-Request-Id",
  "RateLimit",
  "RateLimit-Policy",
  "Retry-After",
];

/** The origins that browsers may call from, in their normal spelling. */
export const normalOrigins = (allowed: readonly string[]): ReadonlySet<string> =>
  new Set(allowed.map((origin) => new URL(origin).origin));

/** Headers for a client of this origin. */
export type CommonHeaders = (origin: string | undefined) => HeaderPairs;

export function createCommonHeaders(
  security: Readonly<Record<string, string>>,
  origins: ReadonlySet<string>,
): CommonHeaders {
  const others = [...Object.entries(security).flat(), "vary", "Origin"];
  const exposed = EXPOSED_HEADERS.join(", ");
  const listed = new Map(
    [...origins].map((origin) => [
      origin,
      [
        ...others,
        ...["access-control-allow-origin", origin],
        ...["access-control-allow-credentials", "true"],
        ...["access-control-expose-headers", exposed],
      ],
    ]),
  );
  return (origin) => (origin === undefined ? others : (listed.get(origin) ?? others));
}
