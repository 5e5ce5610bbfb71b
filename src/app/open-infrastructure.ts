/**
 * Opens connections and what all subjects share. The database
 * comes first, migrated and prepared.
 */
import type { Logger } from "pino";
import { readDatabaseClock } from "../db/client/clock.js";
import type { Database } from "../db/client/database.js";
import { migrate } from "../db/client/migrate.js";
import { openDatabase } from "../db/client/open.js";
import { createOutboxTable } from "../db/outbox.js";
import { createOutboxOperating } from "../db/outbox-operating.js";
import { createWorkerTable } from "../db/workers.js";
import { RedisUnavailable } from "../domain/errors.js";
import type { Degradations } from "../domain/telemetry/degradations.js";
import { SECOND } from "../domain/time/time.js";
import { type OpenCache, openCache } from "../redis/cache/open.js";
import { createCallers } from "../redis/client/call.js";
import { openRedisClock } from "../redis/client/clock.js";
import {
  type ConnectOptions,
  connectRedis,
  type RedisConnection,
} from "../redis/client/connect.js";
import { createDirectCaller } from "../redis/client/direct-call.js";
import { createKeys } from "../redis/client/keys.js";
import { waitForRedis } from "../redis/client/start.js";
import { createPubSub } from "../redis/pubsub/pubsub.js";
import { createOutbox } from "../services/outbox/outbox.js";
import { createMetrics, type Metrics } from "../telemetry/metrics.js";
import { createConditions, watchDegradations } from "./degradations.js";
import type { Disposer } from "./disposer.js";
import {
  type Infrastructure,
  type InfrastructureOptions,
  SESSION_DEADLINE_MS,
} from "./infrastructure.js";

/**
 * Interval of heartbeats on the invalidation link. A silent link
 * keeps stale values in process for at most three of them.
 */
const INVALIDATION_BEAT_MS = 500;

export async function openInfrastructure(
  options: InfrastructureOptions,
  disposer: Disposer,
): Promise<Infrastructure> {
  const { config, redisUrl, cacheUrl, log, prepare, keyPrefix } = options;
  const { metrics, degradations } = openTelemetry(log, disposer);
  const database = await openMigrated({ config, log, telemetry: metrics }, disposer);
  await prepare?.(database);
  const redis = await openRedis(
    { caFile: config.redis.caFile, log, url: redisUrl },
    {
      keyPrefix,
      ...config.redis,
      databaseClock: () => readDatabaseClock(database),
      telemetry: metrics,
      degradations,
    },
    disposer,
  );
  const { requests, keys } = redis;
  const outboxTable = createOutboxTable(database);
  const outboxOperating = createOutboxOperating(database);
  metrics.readOutboxFrom(outboxOperating.state);
  const cache = openCacheFor(options, { keys, outboxTable, metrics, degradations });
  disposer.add(() => cache.close());
  const conditions = createConditions({ degradations, telemetry: metrics }, disposer);
  conditions.watch("redis", requests);
  if (cacheUrl !== redisUrl) conditions.watch("cacheRedis", cache.link.connection);
  const outbox = createOutbox({
    table: outboxTable,
    cache,
    probe: createOutboxProbe(requests, cache, metrics),
    ...config.outbox,
    log,
  });
  const workers = createWorkerTable(database);
  return {
    ...redis,
    keyPrefix: keyPrefix ?? "",
    database,
    outboxTable,
    outboxOperating,
    outbox,
    workers,
    cache,
    metrics,
    degradations,
    conditions,
  };
}

function openCacheFor(
  { config, cacheUrl, roles, log }: InfrastructureOptions,
  {
    keys,
    outboxTable,
    metrics,
    degradations,
  }: Pick<Infrastructure, "keys" | "outboxTable" | "metrics" | "degradations">,
): OpenCache {
  return openCache({
    ...config.cache,
    caFile: config.redis.caFile,
    log,
    url: cacheUrl,
    keys,
    localBytes: roles.api ? config.cache.localBytes : 0,
    beatMs: INVALIDATION_BEAT_MS,
    hasUnsentInvalidations: () => outboxTable.hasUnsent(config.outbox.drainMs),
    telemetry: metrics,
    degradations,
  });
}

/** Receivers of what parts report. */
function openTelemetry(
  log: Logger,
  disposer: Disposer,
): Pick<Infrastructure, "metrics" | "degradations"> {
  const metrics = createMetrics();
  disposer.add(() => metrics.close());
  return { metrics, degradations: watchDegradations(metrics, log) };
}

interface Opening extends Pick<InfrastructureOptions, "config" | "log"> {
  readonly telemetry: Metrics;
}

/** The database, migrated to its present schema. */
async function openMigrated(
  { config, log, telemetry }: Opening,
  disposer: Disposer,
): Promise<Database> {
  const isOurs = config.database.url === undefined;
  // Ours takes a second; another server may take long.
  if (!isOurs) log.info("waiting for PostgreSQL");
  const fromMs = performance.now();
  const database = await openDatabase({
    ...config.database,
    dataDir: `${config.dataDir}/postgres`,
    telemetry,
    log,
  });
  disposer.add(() => database.close());
  await migrate(database, log);
  const seconds = Number(((performance.now() - fromMs) / SECOND).toFixed(1));
  log.info({ seconds }, isOurs ? "the embedded database (PGlite) is open" : "PostgreSQL is open");
  return database;
}

/** Rejects while a Redis that the outbox sends to cannot be used. */
function createOutboxProbe(requests: RedisConnection, { link }: OpenCache, metrics: Metrics) {
  const direct = createDirectCaller(metrics, "outbox");
  return async (): Promise<void> => {
    await direct.sendWithin(SESSION_DEADLINE_MS, "ping", () => requests.ping());
    if (!link.usable()) throw new RedisUnavailable(new Error("the cache cannot be used"));
  };
}

interface RedisOpening {
  readonly keyPrefix: string | undefined;
  readonly heartbeatMs: number;
  /** Read where Redis does not answer at the start. */
  readonly databaseClock: () => Promise<number>;
  readonly telemetry: Metrics;
  readonly degradations: Degradations;
}

/** The connections that hold state, and what is said over them. */
async function openRedis(
  redis: Omit<ConnectOptions, "role">,
  { keyPrefix, heartbeatMs, databaseClock, telemetry, degradations }: RedisOpening,
  disposer: Disposer,
): Promise<Pick<Infrastructure, "requests" | "callers" | "keys" | "pubsub" | "clock">> {
  const requests = connectRedis({ ...redis, role: "requests" });
  disposer.add(() => requests.disconnect());
  const subscriber = connectRedis({ ...redis, role: "subscriber" });
  disposer.add(() => subscriber.disconnect());
  await waitForRedis(requests, redis.url, redis.log);
  const callers = createCallers({ connection: requests, telemetry, degradations });
  disposer.add(() => callers.close());
  const clock = await openRedisClock({ connection: requests, telemetry, instead: databaseClock });
  disposer.add(() => clock.close());
  const keys = createKeys(keyPrefix);
  const pubsub = createPubSub({
    publisher: requests,
    subscriber,
    keys,
    heartbeatMs,
    telemetry,
    log: redis.log,
  });
  disposer.add(() => pubsub.close());
  return { requests, callers, keys, pubsub, clock };
}
