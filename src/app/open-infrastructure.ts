/**
 * Opens what every role stands on: connections, the structures over them, and what is said between
 * processes.
 */
import type { Logger } from "pino";
import type { Config } from "../config/config.js";
import { createAuditTable } from "../db/account/audit.js";
import { createRevocationTable } from "../db/account/revocations.js";
import { readDatabaseClock } from "../db/client/clock.js";
import type { Database } from "../db/client/database.js";
import { migrate } from "../db/client/migrate.js";
import { openDatabase } from "../db/client/open.js";
import { createOutboxTable } from "../db/outbox.js";
import { createOutboxOperating } from "../db/outbox-operating.js";
import { createWorkerTable } from "../db/workers.js";
import { RedisUnavailable } from "../domain/errors.js";
import { VALUE_TOPICS } from "../domain/events/events.js";
import type { Degradations } from "../domain/telemetry/degradations.js";
import { createAttempts } from "../redis/attempts/attempts.js";
import { type OpenCache, openCache } from "../redis/cache/open.js";
import { createCallers } from "../redis/client/call.js";
import { openRedisClock } from "../redis/client/clock.js";
import {
  type ConnectOptions,
  connectRedis,
  type RedisConnection,
} from "../redis/client/connect.js";
import { withinDeadline } from "../redis/client/deadline.js";
import { createKeys } from "../redis/client/keys.js";
import { waitForRedis } from "../redis/client/start.js";
import { createPubSub } from "../redis/pubsub/pubsub.js";
import { createSessionStore } from "../redis/session/session.js";
import { createFailClosed } from "../services/account/fail-closed.js";
import { createRevocationKind } from "../services/account/revocation-kind.js";
import { type ApplyRevocation, createApplyRevocation } from "../services/account/revocations.js";
import { createScoreKind } from "../services/leaderboard/score-kind.js";
import type { ApplyNotifications } from "../services/notification/log.js";
import { createNotificationKind } from "../services/notification/notification-kind.js";
import { createChangeKind } from "../services/outbox/change-kind.js";
import { createOutbox } from "../services/outbox/outbox.js";
import { createMetrics, type Metrics } from "../telemetry/metrics.js";
import { createConditions, watchDegradations } from "./degradations.js";
import type { Closing } from "./disposer.js";
import type { ComposeOptions, Floor } from "./infrastructure.js";
import { openBoards } from "./leaderboard.js";
import { openLogTail } from "./notification.js";

/**
 * Longest wait for a reply about a session: what needs one answers within a second that it cannot
 * be told.
 */
const SESSION_DEADLINE_MS = 500;
/**
 * Beats of the invalidation link: a silent one keeps stale values in process for three of them at
 * most.
 */
const INVALIDATION_BEAT_MS = 500;

/** Opens the floor: the database first, migrated and prepared, then Redis. */
export async function openFloor(options: ComposeOptions, closing: Closing): Promise<Floor> {
  const { config, redisUrl, cacheUrl, log, prepare, keyPrefix } = options;
  const { metrics, degradations } = openTelemetry(log, closing);
  const database = await openMigrated({ config, log, telemetry: metrics }, closing);
  await prepare?.(database);

  const redis = { url: redisUrl, caFile: config.redis.caFile, log };
  const databaseClock = () => readDatabaseClock(database);
  const opening = { keyPrefix, ...config.redis, databaseClock, telemetry: metrics, degradations };
  const opened = await openRedis(redis, opening, closing);
  const { requests, callers, keys, pubsub, clock } = opened;
  const [outboxTable, outboxOperating] = [
    createOutboxTable(database),
    createOutboxOperating(database),
  ];
  metrics.readOutboxFrom(outboxOperating.state);
  const cache = openCacheFor(options, { keys, outboxTable, metrics, degradations });
  closing.add(() => cache.close());
  const conditions = createConditions(degradations, closing);
  conditions.watch("redis", requests);
  if (cacheUrl !== redisUrl) conditions.watch("cacheRedis", cache.link.connection);
  const stores = openSessionStores({ database, callers, keys, pubsub }, config);
  const { tail, tailCaller, notify } = openLogTail(callers, keys, config.logs);
  const boards = openBoards(
    { database, callers, keys, pubsub, clock, metrics },
    { config, log },
    closing,
  );
  const { record: score } = boards.shopBoards;
  const failClosed = createFailClosed({
    database,
    outboxTable,
    revocations: stores.revocationTable,
  });
  const outbox = createOutbox({
    table: outboxTable,
    cache,
    kinds: outboxKinds({ cache, pubsub, failClosed, apply: stores.applyRevocation, score, notify }),
    probe: () => probe(requests, cache),
    ...config.outbox,
    log,
  });
  const auditTable = createAuditTable(database, config.audit);
  return {
    database,
    outboxTable,
    outboxOperating,
    workers: createWorkerTable(database),
    ...opened,
    cache,
    outbox,
    boards,
    tail,
    tailCaller,
    ...stores,
    auditTable,
    failClosed,
    metrics,
    degradations,
    conditions,
  };
}

/** One handler for each kind of outbox row. */
function outboxKinds({ cache, pubsub, apply, failClosed, score, notify }: OutboxKindDeps) {
  return [
    createChangeKind({ cache, pubsub, topics: VALUE_TOPICS }),
    createRevocationKind({ apply, failClosed }),
    createScoreKind(score),
    createNotificationKind(notify),
  ];
}

interface OutboxKindDeps extends Pick<Floor, "cache" | "pubsub" | "failClosed"> {
  readonly apply: ApplyRevocation;
  readonly score: Parameters<typeof createScoreKind>[0];
  readonly notify: ApplyNotifications;
}

function openCacheFor(
  { config, cacheUrl, roles, log }: ComposeOptions,
  {
    keys,
    outboxTable,
    metrics,
    degradations,
  }: Pick<Floor, "keys" | "outboxTable" | "metrics" | "degradations">,
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

/** What parts report to. */
function openTelemetry(log: Logger, closing: Closing): Pick<Floor, "metrics" | "degradations"> {
  const metrics = createMetrics();
  closing.add(() => metrics.close());
  return { metrics, degradations: watchDegradations(metrics, log) };
}

interface Opening extends Pick<ComposeOptions, "config" | "log"> {
  readonly telemetry: Metrics;
}

/** The database with its present schema. */
async function openMigrated(
  { config, log, telemetry }: Opening,
  closing: Closing,
): Promise<Database> {
  log.info(
    config.database.url ? "waiting for PostgreSQL" : "opening the embedded database (PGlite)",
  );
  const database = await openDatabase({
    ...config.database,
    dataDir: `${config.dataDir}/postgres`,
    telemetry,
    log,
  });
  closing.add(() => database.close());
  await migrate(database, log);
  return database;
}

/** Where sessions and attempts to sign in live, and what ends them. */
function openSessionStores(
  { database, callers, keys, pubsub }: Pick<Floor, "database" | "callers" | "keys" | "pubsub">,
  config: Config,
) {
  const sessionCaller = callers.of("session", {
    deadlineMs: SESSION_DEADLINE_MS,
    degraded: { part: "sessions", instead: "requests with a session are refused" },
  });
  const attemptsCaller = callers.of("attempts", {
    deadlineMs: SESSION_DEADLINE_MS,
    degraded: { part: "signIns", instead: "sign-ins are refused" },
  });
  const sessionStore = createSessionStore(sessionCaller, keys, config.sessions);
  const attempts = createAttempts(attemptsCaller, keys, config.attempts);
  const applyRevocation = createApplyRevocation(sessionStore, pubsub);
  return {
    sessionStore,
    attempts,
    applyRevocation,
    revocationTable: createRevocationTable(database),
  };
}

/** Rejects while a Redis that the outbox sends to cannot be used. */
async function probe(requests: RedisConnection, { link }: OpenCache): Promise<void> {
  await withinDeadline(requests.ping(), SESSION_DEADLINE_MS);
  if (!link.usable()) throw new RedisUnavailable(new Error("the cache cannot be used"));
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
  closing: Closing,
): Promise<Pick<Floor, "requests" | "callers" | "keys" | "pubsub" | "clock">> {
  const requests = connectRedis({ ...redis, role: "requests" });
  closing.add(() => requests.disconnect());
  const subscriber = connectRedis({ ...redis, role: "subscriber" });
  closing.add(() => subscriber.disconnect());
  await waitForRedis(requests, redis.url, redis.log);
  const callers = createCallers({ connection: requests, telemetry, degradations });
  closing.add(() => callers.close());
  const clock = await openRedisClock(requests, databaseClock);
  closing.add(() => clock.close());
  const keys = createKeys(keyPrefix);
  const pubsub = createPubSub({
    publisher: requests,
    subscriber,
    keys,
    heartbeatMs,
    log: redis.log,
  });
  closing.add(() => pubsub.close());
  return { requests, callers, keys, pubsub, clock };
}
