/** Rate limits, open sockets and subscriptions, and work under way. */
import type { z } from "zod";
import { count, type Parsed, rate } from "./values.js";

export const rateVariables = {
  LIMIT_SOCKET_MESSAGES_PER_SECOND: rate(100).describe(
    "messages of one WebSocket; twice as many at once",
  ),
  LIMIT_SOCKETS_PER_USER: count(20).describe("WebSockets of one user per process"),
  LIMIT_SOCKETS_PER_ADDRESS: count(1_000).describe(
    "WebSockets of one address (IPv6: a /64) per process",
  ),
  LIMIT_SUBSCRIPTIONS_PER_USER: count(200).describe("subscriptions of one user per process"),
  LIMIT_SUBSCRIPTIONS_PER_ADDRESS: count(5_000).describe(
    "subscriptions of one address, without sign-in, per process",
  ),
  LIMIT_VIEWER_BURST: count(20_000).describe("cost that one user may ask for at once"),
  LIMIT_VIEWER_PER_SECOND: rate(1_000).describe("cost that one user may ask for over time"),
  LIMIT_ADDRESS_BURST: count(20_000).describe(
    "cost that one address (IPv6: a /64) may ask for at once, without sign-in",
  ),
  LIMIT_ADDRESS_PER_SECOND: rate(1_000).describe("the same over time"),
  LIMIT_BLOCK_BURST: count(200_000).describe(
    "cost that one /24 or /64 may ask for at once, signed in or not",
  ),
  LIMIT_BLOCK_PER_SECOND: rate(10_000).describe("the same over time"),
  LIMIT_SERVICE_BURST: count(10_000_000).describe(
    "cost that the holder of the service token may ask for at once",
  ),
  LIMIT_SERVICE_PER_SECOND: rate(1_000_000).describe("the same over time"),
  LIMIT_SIGN_IN_BURST: count(100).describe(
    "sign-ins, sign-ups and changes of a password of one user or address at once",
  ),
  LIMIT_SIGN_IN_PER_SECOND: rate(1).describe("the same over time"),
  LIMIT_CHECKOUT_BURST: count(30).describe("checkouts of one user or address at once"),
  LIMIT_CHECKOUT_PER_SECOND: rate(0.5).describe("the same over time"),
  LOAD_ADDRESS: count(2_000).describe(
    "requests and operations under way at once, of callers without a verified identity, per " +
      "process",
  ),
  LOAD_VIEWER: count(2_000).describe("the same of signed-in users"),
  LOAD_SERVICE: count(100).describe("the same of the holder of the service token"),
  LOAD_BODY_BYTES: count(64 * 1024 * 1024, 256 * 1024).describe(
    "size of all bodies under way at once, per process",
  ),
  LOAD_WAIT_MS: count(400, 10).describe(
    "how long a request may wait in a process without idle time; what would wait longer is refused",
  ),
  LOAD_LAG_MS: count(250, 20).describe(
    "lateness of the event loop that counts as overload when it lasts for a second",
  ),
  LIMIT_PROCESSES: count(1).describe(
    "processes that share these limits while Redis is away and each has to count by itself",
  ),
};

type RateEnvironment = Parsed<typeof rateVariables>;

/**
 * Buckets that are charged by cost: the dearest operation has
 * to fit in.
 */
const COST_BUCKETS = [
  "LIMIT_VIEWER_BURST",
  "LIMIT_ADDRESS_BURST",
  "LIMIT_BLOCK_BURST",
  "LIMIT_SERVICE_BURST",
] as const;

/** A bucket below the cost of one operation would refuse it for ever. */
export function refuseSmallBuckets(
  env: RateEnvironment & { readonly LIMIT_COST: number },
  context: z.RefinementCtx,
): void {
  for (const name of COST_BUCKETS)
    if (env[name] < env.LIMIT_COST)
      context.addIssue({
        code: "custom",
        path: [name],
        message: "is less than LIMIT_COST, what one operation may cost",
      });
}

export function toRateLimits(env: RateEnvironment) {
  const rule = (burst: number, perSecond: number) => ({ burst, perSecond });
  return {
    sockets: {
      messagesPerSecond: env.LIMIT_SOCKET_MESSAGES_PER_SECOND,
      perUser: env.LIMIT_SOCKETS_PER_USER,
      perAddress: env.LIMIT_SOCKETS_PER_ADDRESS,
      subscriptionsPerUser: env.LIMIT_SUBSCRIPTIONS_PER_USER,
      subscriptionsPerAddress: env.LIMIT_SUBSCRIPTIONS_PER_ADDRESS,
    },
    rates: {
      viewer: rule(env.LIMIT_VIEWER_BURST, env.LIMIT_VIEWER_PER_SECOND),
      address: rule(env.LIMIT_ADDRESS_BURST, env.LIMIT_ADDRESS_PER_SECOND),
      block: rule(env.LIMIT_BLOCK_BURST, env.LIMIT_BLOCK_PER_SECOND),
      service: rule(env.LIMIT_SERVICE_BURST, env.LIMIT_SERVICE_PER_SECOND),
      signIn: rule(env.LIMIT_SIGN_IN_BURST, env.LIMIT_SIGN_IN_PER_SECOND),
      checkout: rule(env.LIMIT_CHECKOUT_BURST, env.LIMIT_CHECKOUT_PER_SECOND),
    },
    processes: env.LIMIT_PROCESSES,
    load: {
      inFlight: { address: env.LOAD_ADDRESS, viewer: env.LOAD_VIEWER, service: env.LOAD_SERVICE },
      bodyBytes: env.LOAD_BODY_BYTES,
      waitMs: env.LOAD_WAIT_MS,
      lagMs: env.LOAD_LAG_MS,
    },
  };
}
