import type { KeySubject } from "./spec.js";

export const RATE_LIMITER_KEYS = {
  folder: "rate-limiter",
  title: "Rate limits",
  owner: "redis/rate-limiter/limiter.ts",
  commands: [],
  families: {
    limitBucket: {
      key: "limit:{limit}:<kind>:<name>",
      type: "string",
      ttl: "until it is full again, and a second",
      bound: "clients that asked lately",
      value:
        "`<debt> <at, µs> <busy since, µs> <given back>`: the debt is in units of cost, and less " +
        "by now by what time has paid back.",
      deleted: "Fills the bucket.",
    },
    limitHold: {
      key: "limit-hold:{limit}:<operation>",
      type: "string",
      ttl: "REQUEST_TIMEOUT_MS and 5 s",
      bound: "operations of the last seconds whose cost may be given back",
      value:
        "`<cost> <debt> <at, µs> <busy since, µs> <given back>` for each bucket, joined by `;`: " +
        "what an operation took at most.",
    },
  },
} as const satisfies KeySubject;
