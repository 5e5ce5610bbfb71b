/**
 * Headers of every answer: Helmet's, and those of CORS for listed
 * origins. Other origins are never echoed.
 */
import type { JudgeOrigin } from "../origins.js";
import type { HeaderPairs } from "./exchange.js";

export const EXPOSED_HEADERS = [
  "Souk-Seen",
  "Souk-Guest",
  "X-Request-Id",
  "RateLimit",
  "RateLimit-Policy",
  "Retry-After",
];

/** Headers for a client, by its Origin and Host. */
export type CommonHeaders = (origin: string | undefined, host: string | undefined) => HeaderPairs;

export function createCommonHeaders(
  security: Readonly<Record<string, string>>,
  judgeOrigin: JudgeOrigin,
): CommonHeaders {
  const others = [...Object.entries(security).flat(), "vary", "Origin"];
  const listed = [
    ...others,
    ...["access-control-allow-credentials", "true"],
    ...["access-control-expose-headers", EXPOSED_HEADERS.join(", ")],
  ];
  return (origin, host) =>
    origin !== undefined && judgeOrigin(origin, host) === "listed"
      ? [...listed, "access-control-allow-origin", origin]
      : others;
}
