import type { KeySubject } from "./spec.js";

export const ATTEMPT_KEYS = {
  folder: "attempts",
  title: "Attempts to sign in and to sign up",
  owner: "redis/attempts/attempts.ts",
  commands: [],
  families: {
    attempts: {
      key: "attempts:{<operation>}:<bucket>:<id>",
      type: "zset",
      ttl: "SIGN_IN_WINDOW_MS or SIGN_UP_WINDOW_MS since the last attempt",
      bound: "accounts and addresses tried within the window; members: attempts that were let in",
      value:
        "Attempt → when it was let in (ms). `place` and `account` are named by a SHA-256 of the " +
        "account's address, `address` and `network` by where the attempt came from.",
      deleted: "The next attempt is let in at once.",
    },
    attemptsKnown: {
      key: "attempts-known:{sign-in}:<account and place>",
      type: "string",
      ttl: "SIGN_IN_KNOWN_MS since the last sign-in from there",
      bound: "addresses that users have signed in from",
      value: "`1`: the account has been signed in to from this place.",
    },
  },
} as const satisfies KeySubject;
