/** Which servers hold what. */
import { z } from "zod";
import { SECOND } from "../domain/time/time.js";
import { count, type Parsed, redisUrl } from "./values.js";

export const storageVariables = {
  REDIS_URL: redisUrl
    .optional()
    .describe("Redis that holds state (noeviction); without it a private redis-server is started"),
  CACHE_REDIS_URL: redisUrl
    .optional()
    .describe("Redis for the cache alone, which may evict; without it REDIS_URL"),
  LIMITER_REDIS_URL: redisUrl
    .optional()
    .describe("Redis for the rate limiter alone; without it REDIS_URL"),
  REDIS_CA_FILE: z
    .string()
    .optional()
    .describe("PEM file of the CA that signed the certificate of a rediss:// server"),
  DATABASE_URL: z
    .string()
    .regex(/^postgres(ql)?:\/\/\S+$/, "is not postgres://user:password@host:port/database")
    .optional()
    .describe("PostgreSQL >= 15; without it an embedded PGlite is used"),
  DATABASE_POOL_SIZE: count(10, 2, 1_000).describe("connections to PostgreSQL per process"),
  DATABASE_TIMEOUT_MS: count(2 * SECOND).describe("longest wait for a connection or a statement"),
  DATA_DIR: z
    .string()
    .min(1)
    .default(".data")
    .describe("where the embedded servers keep their data"),
  HEARTBEAT_MS: count(2 * SECOND, 10).describe(
    "beat of the subscriber connection; deaf for three beats, it reconnects",
  ),
};

type StorageEnvironment = Parsed<typeof storageVariables>;

export const toRedis = (env: StorageEnvironment) => ({
  url: env.REDIS_URL,
  cacheUrl: env.CACHE_REDIS_URL ?? env.REDIS_URL,
  limiterUrl: env.LIMITER_REDIS_URL,
  caFile: env.REDIS_CA_FILE,
  heartbeatMs: env.HEARTBEAT_MS,
});

export const toDatabase = (env: StorageEnvironment) => ({
  url: env.DATABASE_URL,
  poolSize: env.DATABASE_POOL_SIZE,
  timeoutMs: env.DATABASE_TIMEOUT_MS,
});
