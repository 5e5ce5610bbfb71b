/**
 * Where the server listens, which proxies it trusts, and its
 * time limits.
 */
import { z } from "zod";
import { SECOND } from "../domain/time/time.js";
import { exactOrigins } from "./origins.js";
import { addressRanges, count, type Parsed } from "./values.js";

export const httpVariables = {
  HOST: z.string().min(1).default("127.0.0.1").describe("address to listen on"),
  PORT: count(4000, 0, 65_535).describe("port to listen on; 0 takes a free one"),
  TRUSTED_PROXIES: addressRanges
    .optional()
    .describe(
      "addresses and CIDR ranges of proxies whose X-Forwarded-For is believed, " +
        "comma-separated; default none",
    ),
  EXPLORER: z
    .enum(["sandbox", "graphiql", "off"])
    .optional()
    .describe("page at GET /graphql; default sandbox, off in production"),
  COMPILE_QUERIES: z
    .enum(["on", "off"])
    .default("on")
    .describe("whether frequent queries run as compiled code; off leaves all to graphql-js"),
  ALLOWED_ORIGINS: exactOrigins
    .optional()
    .describe(
      "origins of pages that may call with cookies, as browsers spell them, comma-separated; " +
        "default none, in development also every loopback origin and Apollo's hosted Sandbox",
    ),
  REQUEST_TIMEOUT_MS: count(10 * SECOND).describe("longest time one operation may take"),
  SHUTDOWN_MS: count(20 * SECOND, 100, 30 * SECOND).describe(
    "window in which a stopping process finishes requests and closes sockets",
  ),
};

/**
 * Origins that development trusts: Apollo's hosted Sandbox
 * and its embedded frame.
 */
const SANDBOX_ORIGINS = [
  "https://studio.apollographql.com",
  "https://sandbox.embed.apollographql.com",
];

/**
 * @param closed whether only known documents are served: then
 * the explorer is off by default
 */
export const toHttp = (
  env: Parsed<typeof httpVariables>,
  { production, closed }: { readonly production: boolean; readonly closed: boolean },
) => ({
  host: env.HOST,
  port: env.PORT,
  explorer: env.EXPLORER ?? (closed ? ("off" as const) : ("sandbox" as const)),
  trustedProxies: env.TRUSTED_PROXIES ?? [],
  origins: {
    listed: [...(env.ALLOWED_ORIGINS ?? []), ...(production ? [] : SANDBOX_ORIGINS)],
    /** Whether pages of the user's own machine may call as well. */
    loopback: !production,
  },
  compileQueries: env.COMPILE_QUERIES === "on",
  shutdownMs: env.SHUTDOWN_MS,
  requestTimeoutMs: env.REQUEST_TIMEOUT_MS,
});
