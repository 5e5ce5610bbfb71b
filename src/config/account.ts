/** Sessions, passwords, and how often sign-ins may fail. */
import { DAY, HOUR, MINUTE, SECOND } from "../domain/time/time.js";
import { definePart } from "./part.js";
import { count } from "./values.js";

export const accountConfig = definePart(
  {
    SESSION_IDLE_MS: count(30 * MINUTE, SECOND).describe("how long a session lives unused"),
    SESSION_CAP_MS: count(7 * DAY, SECOND).describe("how long a session lives at most"),
    SESSION_MAX: count(10).describe("sessions of one user; beyond, the oldest goes"),
    AUDIT_KEPT_MS: count(90 * DAY, HOUR).describe(
      "how long sign-ins and revocations stay in the audit log",
    ),
    PASSWORD_MEMORY_KIB: count(19 * 1024, 19 * 1024).describe(
      "memory of one Argon2id; when it grows, passwords are hashed again at sign-in",
    ),
    PASSWORD_PASSES: count(2, 2).describe(
      "passes of one Argon2id; when they grow, passwords are hashed again at sign-in",
    ),
    PASSWORD_CONCURRENCY: count(2, 1, 64).describe("passwords hashed at once per process"),
    PASSWORD_QUEUE: count(64, 0).describe(
      "sign-ins that may wait to be hashed; beyond, they are refused",
    ),
    SIGN_IN_WINDOW_MS: count(15 * MINUTE, SECOND).describe(
      "how long a failed sign-in counts, and how long an address with too many is blocked",
    ),
    SIGN_IN_FREE: count(5).describe(
      "failed sign-ins to one account from one address before the next has to wait",
    ),
    SIGN_IN_ACCOUNT_FREE: count(20).describe(
      "the same from all addresses that the account has never signed in from",
    ),
    SIGN_IN_DELAY_MS: count(SECOND).describe(
      "the first such wait; each further failure doubles it",
    ),
    SIGN_IN_DELAY_MAX_MS: count(MINUTE).describe("the longest such wait"),
    SIGN_IN_ADDRESS_MAX: count(50).describe(
      "failed sign-ins from one address, to any accounts, before it is blocked",
    ),
    SIGN_IN_NETWORK_MAX: count(250).describe(
      "failed sign-ins from one /24 or /64, to any accounts, before it is blocked",
    ),
    SIGN_IN_KNOWN_MS: count(30 * DAY, SECOND).describe(
      "how long an account remembers an address that it signed in from",
    ),
    SIGN_UP_WINDOW_MS: count(HOUR, SECOND).describe(
      "time in which an address and its network sign up at most so often:",
    ),
    SIGN_UP_ADDRESS_MAX: count(20).describe(
      "sign-ups from one address, also for addresses that are taken",
    ),
    SIGN_UP_NETWORK_MAX: count(100).describe("the same from one /24 or /64"),
  },
  (env) => ({
    sessions: {
      idleMs: env.SESSION_IDLE_MS,
      capMs: env.SESSION_CAP_MS,
      /** A session in steady use must not expire between two touches. */
      noteEveryMs: Math.min(MINUTE, Math.floor(env.SESSION_IDLE_MS / 4)),
      maxSessions: env.SESSION_MAX,
    },
    audit: { keptMs: env.AUDIT_KEPT_MS },
    passwords: {
      memoryKib: env.PASSWORD_MEMORY_KIB,
      passes: env.PASSWORD_PASSES,
      concurrency: env.PASSWORD_CONCURRENCY,
      queue: env.PASSWORD_QUEUE,
    },
    attempts: {
      windowMs: env.SIGN_IN_WINDOW_MS,
      placeFree: env.SIGN_IN_FREE,
      accountFree: env.SIGN_IN_ACCOUNT_FREE,
      delayMs: env.SIGN_IN_DELAY_MS,
      maxDelayMs: env.SIGN_IN_DELAY_MAX_MS,
      addressMax: env.SIGN_IN_ADDRESS_MAX,
      networkMax: env.SIGN_IN_NETWORK_MAX,
      knownMs: env.SIGN_IN_KNOWN_MS,
      signUp: {
        windowMs: env.SIGN_UP_WINDOW_MS,
        addressMax: env.SIGN_UP_ADDRESS_MAX,
        networkMax: env.SIGN_UP_NETWORK_MAX,
      },
    },
  }),
);

export type AccountSettings = ReturnType<typeof accountConfig.settings>;
