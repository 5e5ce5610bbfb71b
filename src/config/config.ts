/**
 * The configuration: the only reader of `process.env`. One schema names every variable with its default and meaning; parsing
 * answers a frozen, nested {@link Config} whose durations and sizes carry their unit in the name, or one StartupError that
 * lists every bad variable at once. `.env.example` is compared with the schema by a test.
 */

import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { z } from "zod";
import { CURRENCY_CODES } from "../domain/catalogue/money.js";
import { StartupError } from "../domain/errors.js";
import { own } from "../domain/own.js";
import { DAY, HOUR, MINUTE, SECOND } from "../domain/time/time.js";
import { count, limitVariables, optionalPort, refuseSmallBuckets, toRateLimits } from "./limits.js";

const list = z
  .string()
  .transform((text) =>
    text
      .split(",")
      .map((item) => item.trim())
      .filter(Boolean),
  )
  .pipe(z.array(z.url({ message: "is not a list of origins such as https://shop.example,https://admin.example" })));
const addressRanges = z
  .string()
  .transform((text) => text.split(/[\s,]+/).filter(Boolean))
  .pipe(
    z.array(
      z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()], { error: "is not a list of addresses or ranges such as 10.0.0.0/8,::1" }),
    ),
  );
const redisUrl = z
  .string()
  .regex(
    /^(rediss?(\+cluster|\+sentinel)?:\/\/|unix:\/)\S+$/,
    "is not redis://, rediss://, redis+cluster://, redis+sentinel:// or unix:/path",
  );

/** Every variable. Empty strings count as not set, as in a copied `.env.example`. */
export const environmentSchema = z.object({
  NODE_ENV: z
    .enum(["development", "production", "test"])
    .default("development")
    .describe("production turns the explorer and development origins off"),
  HOST: z.string().min(1).default("127.0.0.1").describe("address to listen on"),
  PORT: count(4000, 0, 65_535).describe("port to listen on; 0 takes a free one"),
  TRUSTED_PROXIES: addressRanges
    .optional()
    .describe("addresses and CIDR ranges of proxies whose X-Forwarded-For is believed, comma-separated; default none"),
  LOG_LEVEL: z.enum(["fatal", "error", "warn", "info", "debug", "trace", "silent"]).default("info").describe("lowest level that is logged"),

  REDIS_URL: redisUrl.optional().describe("Redis that holds state (noeviction); without it a private redis-server is started"),
  CACHE_REDIS_URL: redisUrl.optional().describe("Redis for the cache alone, which may evict; without it REDIS_URL"),
  LIMITER_REDIS_URL: redisUrl.optional().describe("Redis for the rate limiter alone; without it REDIS_URL"),
  REDIS_CA_FILE: z.string().optional().describe("PEM file of the CA that signed the certificate of a rediss:// server"),
  DATABASE_URL: z
    .string()
    .regex(/^postgres(ql)?:\/\/\S+$/, "is not postgres://user:password@host:port/database")
    .optional()
    .describe("PostgreSQL >= 15; without it an embedded PGlite is used"),
  DATABASE_POOL_SIZE: count(10, 2, 1_000).describe("connections to PostgreSQL per process"),
  DATABASE_TIMEOUT_MS: count(2 * SECOND).describe("longest wait for a connection or a statement"),
  DATA_DIR: z.string().min(1).default(".data").describe("where the embedded servers keep their data"),

  ADMIN_TOKEN: z
    .string()
    .min(16, "is shorter than 16 characters")
    .optional()
    .describe("service token for admin operations; without it they are off (the embedded default makes one)"),
  SHOP_CURRENCY: z.enum(CURRENCY_CODES).default("EUR").describe("the one currency the shop sells in"),
  EXPLORER: z.enum(["sandbox", "graphiql", "off"]).optional().describe("page at GET /graphql; default sandbox, off in production"),
  ALLOWED_ORIGINS: list
    .optional()
    .describe("origins of browsers that may call, comma-separated; default none, in development also Apollo's hosted Sandbox"),
  PERSISTED_DOCUMENTS: z
    .enum(["off", "allow", "only"])
    .default("allow")
    .describe("documents by id or hash: off, allowed, or only those of the manifest and nothing else (the explorer is off then)"),
  PERSISTED_DOCUMENTS_FILE: z.string().optional().describe("manifest of documents that npm run persist writes; needed for only"),
  PERSISTED_DOCUMENTS_TTL_MS: count(DAY, SECOND).describe("how long a document that a client has sent by its hash is kept unused"),
  PERSISTED_DOCUMENTS_BYTES: count(8 * 1024 * 1024, 64 * 1024).describe("size of all documents that clients have sent by their hash"),

  CACHE_TTL_MS: count(5 * MINUTE).describe("how long a cached value is fresh"),
  CACHE_GRACE_MS: count(HOUR, 0).describe("how long after that it may be served while it is loaded again"),
  CACHE_LEASE_MS: count(2 * SECOND).describe("how long one process may hold the right to load a missing value"),
  CACHE_DEADLINE_MS: count(100).describe("longest wait for a cache read before Postgres is asked instead"),
  CACHE_LOCAL_BYTES: count(64 * 1024 * 1024, 0).describe("size of the cache level inside the process; 0 turns it off"),
  CACHE_REPORT: z
    .enum(["on", "request"])
    .optional()
    .describe("extensions.cache on every answer, or where the request asks by header; default on, request in production"),

  SESSION_IDLE_MS: count(30 * MINUTE, SECOND).describe("how long a session lives unused"),
  SESSION_CAP_MS: count(7 * DAY, SECOND).describe("how long a session lives at most"),
  SESSION_MOST: count(10).describe("sessions of one user; beyond, the oldest goes"),
  AUDIT_KEPT_MS: count(90 * DAY, HOUR).describe("how long sign-ins and revocations stay in the audit log"),
  CART_TTL_MS: count(7 * DAY, SECOND).describe("how long a cart is kept since its last use"),
  PASSWORD_MEMORY_KIB: count(19 * 1024, 19 * 1024).describe("memory of one Argon2id; when it grows, passwords are hashed again at sign-in"),
  PASSWORD_PASSES: count(2, 2).describe("passes of one Argon2id; when they grow, passwords are hashed again at sign-in"),
  PASSWORD_CONCURRENCY: count(2, 1, 64).describe("passwords hashed at once per process"),
  PASSWORD_QUEUE: count(64, 0).describe("sign-ins that may wait to be hashed; beyond, they are refused"),

  SIGN_IN_WINDOW_MS: count(15 * MINUTE, SECOND).describe(
    "how long a failed sign-in counts, and how long an address with too many is blocked",
  ),
  SIGN_IN_FREE: count(5).describe("failed sign-ins to one account from one address before the next has to wait"),
  SIGN_IN_ACCOUNT_FREE: count(20).describe("the same from all addresses that the account has never signed in from"),
  SIGN_IN_DELAY_MS: count(SECOND).describe("the first such wait; each further failure doubles it"),
  SIGN_IN_DELAY_MOST_MS: count(MINUTE).describe("the longest such wait"),
  SIGN_IN_ADDRESS_MOST: count(50).describe("failed sign-ins from one address, to any accounts, before it is blocked"),
  SIGN_IN_NETWORK_MOST: count(250).describe("failed sign-ins from one /24 or /64, to any accounts, before it is blocked"),
  SIGN_IN_KNOWN_MS: count(30 * DAY, SECOND).describe("how long an account knows an address that it signed in from"),
  SIGN_UP_WINDOW_MS: count(HOUR, SECOND).describe("time in which an address and its network sign up at most so often:"),
  SIGN_UP_ADDRESS_MOST: count(20).describe("sign-ups from one address, also for addresses that are taken"),
  SIGN_UP_NETWORK_MOST: count(100).describe("the same from one /24 or /64"),

  LIMIT_TOKENS: count(1_000).describe("tokens of one GraphQL document"),
  LIMIT_DEPTH: count(10).describe("nesting of one operation"),
  LIMIT_ALIASES: count(15, 0).describe("aliases in one document"),
  LIMIT_ROOT_FIELDS: count(20).describe("root fields of one operation, fragments included"),
  LIMIT_DIRECTIVES: count(20, 0).describe("directives in one document"),
  LIMIT_COST: count(10_000).describe("cost of one operation, lists as long as it asks for"),
  LIMIT_BODY_BYTES: count(256 * 1024, 1_024).describe("size of a request body"),
  LIMIT_JSON_DEPTH: count(100, 4).describe("nesting of a JSON body"),
  LIMIT_FRAME_BYTES: count(64 * 1024, 1_024).describe("size of a WebSocket frame"),
  ANSWER_MAX_BYTES: count(4 * 1024 * 1024, 128 * 1024).describe(
    "size of the answer to a query or mutation; one that is larger is not sent",
  ),
  MESSAGE_MAX_BYTES: count(256 * 1024, 128 * 1024).describe("size of one message of a subscription; a larger one ends it"),
  LIMIT_SOCKET_OPERATIONS: count(50).describe("operations at once on one WebSocket"),
  ...limitVariables,
  SLOW_SOCKET_MS: count(30 * SECOND, 100).describe("longest that a WebSocket may lag behind its subscriptions before it is closed"),
  REQUEST_TIMEOUT_MS: count(10 * SECOND).describe("longest time one operation may take"),
  CONFLATION_MS: count(100, 0).describe("shortest time between two messages of one snapshot subscription"),
  COUNTERS_FLUSH_MS: count(5 * SECOND, 10).describe(
    "how often what was counted is written to PostgreSQL: the most that a lost Redis costs",
  ),
  COUNTERS_VIEW_MS: count(30 * MINUTE, 1).describe("how long one viewer's views of a product count once"),
  COUNTERS_OPERATION_MS: count(DAY, 1).describe(
    "how long the operation id of a view or a share is remembered, among the latest of its product",
  ),
  POPULARITY_MS: count(MINUTE, 10).describe("how often the order of POPULAR lists follows the counters"),
  LOG_TAIL_ENTRIES: count(256).describe("entries of a log that Redis keeps; who was away for longer reads on in Postgres"),
  LOG_TAIL_MS: count(DAY, SECOND).describe("how long Redis keeps them, and the log of somebody who does not follow it"),
  SHUTDOWN_MS: count(20 * SECOND, 100, 30 * SECOND).describe("window in which a stopping process finishes requests and closes sockets"),
  OUTBOX_POLL_MS: count(SECOND, 10).describe("how often the relay looks for unsent outbox rows when nothing wakes it"),
  OUTBOX_DRAIN_MS: count(250).describe("longest a mutation waits for its own invalidations to be sent"),
  OUTBOX_ATTEMPTS_MAX: count(10).describe("attempts to send an outbox row before it is set aside; the pause between two doubles"),
  WORKER_PORT: optionalPort().describe("port where a worker answers /livez, /readyz and /metrics; empty: none, 0 takes a free one"),
  WORKER_BEAT_MS: count(2 * SECOND, 10).describe(
    "how often a worker says in PostgreSQL that it runs; after three beats and 4 s it is gone",
  ),
  BOARD_UPKEEP_MS: count(2 * SECOND, 10).describe(
    "how often a worker looks for leaderboards that lack something, and for periods to archive",
  ),
  HEARTBEAT_MS: count(2 * SECOND, 10).describe("beat of the subscriber connection; deaf for three beats, it reconnects"),
});

/** The variables as the schema reads them. */
export type Environment = z.infer<typeof environmentSchema>;

/** Origins that development trusts besides its own: Apollo's hosted Sandbox and its embedded frame. */
const SANDBOX_ORIGINS = ["https://studio.apollographql.com", "https://sandbox.embed.apollographql.com"];

/** Everything configurable, by room. */
export type Config = ReturnType<typeof toConfig>;

/**
 * Reads the environment into a frozen Config.
 * @throws StartupError naming every bad variable, its value where it is no secret, and what it should be
 */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const present = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value.trim() !== ""));
  const parsed = environmentSchema.superRefine(refuseSmallBuckets).safeParse(present);
  if (parsed.success) return freeze(toConfig(parsed.data));
  const lines = parsed.error.issues.map(({ path, message }) => `  ${String(path[0])}${shown(String(path[0]), present)}: ${message}`);
  throw new StartupError(
    `The configuration is not valid:\n${[...new Set(lines)].join("\n")}\nEvery variable and its default is in .env.example.`,
  );
}

/** The process's environment, with what a `.env` file in the working directory adds; variables that are set win over the file. @throws StartupError */
export function environment(): Readonly<Record<string, string | undefined>> {
  try {
    if (existsSync(".env")) process.loadEnvFile(".env");
  } catch (cause) {
    throw new StartupError(`The file ${resolve(".env")} cannot be read: ${(cause as Error).message} Mend or remove it.`, { cause });
  }
  return process.env;
}

/** Values that may hold a password are never printed. */
const shown = (name: string, env: Record<string, unknown>): string =>
  own(env, name) === undefined || /URL|TOKEN/.test(name) ? "" : `=${JSON.stringify(own(env, name))}`;

function toConfig(env: Environment) {
  const production = env.NODE_ENV === "production";
  return {
    production,
    logLevel: env.LOG_LEVEL,
    http: {
      host: env.HOST,
      port: env.PORT,
      explorer: env.EXPLORER ?? (production || env.PERSISTED_DOCUMENTS === "only" ? ("off" as const) : ("sandbox" as const)),
      trustedProxies: env.TRUSTED_PROXIES ?? [],
      allowedOrigins: [...(env.ALLOWED_ORIGINS ?? []), ...(production ? [] : SANDBOX_ORIGINS)],
      shutdownMs: env.SHUTDOWN_MS,
      requestTimeoutMs: env.REQUEST_TIMEOUT_MS,
    },
    limits: limitsOf(env),
    redis: redisOf(env),
    database: { url: env.DATABASE_URL, poolSize: env.DATABASE_POOL_SIZE, timeoutMs: env.DATABASE_TIMEOUT_MS },
    dataDir: env.DATA_DIR,
    adminToken: env.ADMIN_TOKEN,
    currency: env.SHOP_CURRENCY,
    documents: documentsOf(env),
    cache: {
      ttlMs: env.CACHE_TTL_MS,
      graceMs: env.CACHE_GRACE_MS,
      leaseMs: env.CACHE_LEASE_MS,
      deadlineMs: env.CACHE_DEADLINE_MS,
      localBytes: env.CACHE_LOCAL_BYTES,
      /** How long a tag outlives its last use: longer than any entry that names it. */
      tagTtlMs: env.CACHE_TTL_MS + env.CACHE_GRACE_MS + DAY,
      report: env.CACHE_REPORT ?? (production ? ("request" as const) : ("on" as const)),
    },
    ...toAccountConfig(env),
    live: { conflationMs: env.CONFLATION_MS, slowSocketMs: env.SLOW_SOCKET_MS },
    counters: {
      flushMs: env.COUNTERS_FLUSH_MS,
      viewMs: env.COUNTERS_VIEW_MS,
      operationMs: env.COUNTERS_OPERATION_MS,
      popularityMs: env.POPULARITY_MS,
    },
    carts: { ttlMs: env.CART_TTL_MS },
    boards: { upkeepMs: env.BOARD_UPKEEP_MS },
    logs: { entries: env.LOG_TAIL_ENTRIES, keepMs: env.LOG_TAIL_MS },
    outbox: outboxOf(env),
    worker: { port: env.WORKER_PORT, beatMs: env.WORKER_BEAT_MS },
  };
}

/** How the relay works. It looks every `pollMs`, so a first retry before that would wait all the same. */
const outboxOf = (env: Environment) => ({
  pollMs: env.OUTBOX_POLL_MS,
  drainMs: env.OUTBOX_DRAIN_MS,
  attemptsMax: env.OUTBOX_ATTEMPTS_MAX,
  retryMs: env.OUTBOX_POLL_MS,
});

/** What one request may ask for and get. */
const limitsOf = (env: Environment) => ({
  tokens: env.LIMIT_TOKENS,
  depth: env.LIMIT_DEPTH,
  aliases: env.LIMIT_ALIASES,
  rootFields: env.LIMIT_ROOT_FIELDS,
  directives: env.LIMIT_DIRECTIVES,
  cost: env.LIMIT_COST,
  bodyBytes: env.LIMIT_BODY_BYTES,
  jsonDepth: env.LIMIT_JSON_DEPTH,
  frameBytes: env.LIMIT_FRAME_BYTES,
  answerBytes: env.ANSWER_MAX_BYTES,
  messageBytes: env.MESSAGE_MAX_BYTES,
  socketOperations: env.LIMIT_SOCKET_OPERATIONS,
  ...toRateLimits(env),
});

/** Which Redis holds what. */
const redisOf = (env: Environment) => ({
  url: env.REDIS_URL,
  cacheUrl: env.CACHE_REDIS_URL ?? env.REDIS_URL,
  limiterUrl: env.LIMITER_REDIS_URL,
  caFile: env.REDIS_CA_FILE,
  heartbeatMs: env.HEARTBEAT_MS,
});

/** Which documents run, and how much of those that clients send is kept. */
const documentsOf = (env: Environment) => ({
  mode: env.PERSISTED_DOCUMENTS,
  file: env.PERSISTED_DOCUMENTS_FILE,
  ttlMs: env.PERSISTED_DOCUMENTS_TTL_MS,
  maxBytes: env.PERSISTED_DOCUMENTS_BYTES,
});

/** Who may sign in, how often somebody may fail to, and how long a session lives. */
function toAccountConfig(env: Environment) {
  return {
    sessions: {
      idleMs: env.SESSION_IDLE_MS,
      capMs: env.SESSION_CAP_MS,
      /** A session that is used again and again must not run out between two notes. */
      noteEveryMs: Math.min(MINUTE, Math.floor(env.SESSION_IDLE_MS / 4)),
      most: env.SESSION_MOST,
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
      delayMostMs: env.SIGN_IN_DELAY_MOST_MS,
      addressMost: env.SIGN_IN_ADDRESS_MOST,
      networkMost: env.SIGN_IN_NETWORK_MOST,
      knownMs: env.SIGN_IN_KNOWN_MS,
      signUp: { windowMs: env.SIGN_UP_WINDOW_MS, addressMost: env.SIGN_UP_ADDRESS_MOST, networkMost: env.SIGN_UP_NETWORK_MOST },
    },
  };
}

function freeze<T extends object>(value: T): T {
  for (const part of Object.values(value)) if (typeof part === "object" && part !== null) freeze(part);
  return Object.freeze(value);
}
