/**
 * Builds everything, once, from the bottom up: connections, structures, services, schema, server. Only entry points and tests come
 * here; nothing else knows how the parts are made. Whatever opens is closed by {@link App.close}, in the opposite order.
 */
import { randomBytes } from "node:crypto";
import type { Logger } from "pino";
import { openCounters, startCounterJobs } from "./compose-counters.js";
import { composeNotifications, openLogTail, startNotificationJobs } from "./compose-notifications.js";
import type { Config } from "./config.js";
import { createActivityTable } from "./db/activity.js";
import { type AuditTable, createAuditTable } from "./db/audit.js";
import { createBrandTable } from "./db/brands.js";
import { createCategoryTable } from "./db/categories.js";
import { createCounterTable } from "./db/counters.js";
import { type Database, openDatabase } from "./db/database.js";
import { createLikeTable } from "./db/likes.js";
import { migrate } from "./db/migrate.js";
import { createNotificationTable } from "./db/notifications.js";
import { createOperationTable } from "./db/operations.js";
import { createOutboxTable, type OutboxTable } from "./db/outbox.js";
import { createProductTable } from "./db/products.js";
import { createReviewTable } from "./db/reviews.js";
import { createRevocationTable, type RevocationTable } from "./db/revocations.js";
import { ensureSecret } from "./db/secrets.js";
import { createUserTable } from "./db/users.js";
import { CATALOGUE_TOPIC } from "./domain/events.js";
import { Reading } from "./domain/reading.js";
import { SECOND } from "./domain/time.js";
import { startBoardUpkeep } from "./jobs/board-upkeep.js";
import { startOutboxRelay } from "./jobs/outbox-relay.js";
import { startPruning } from "./jobs/prune.js";
import { createLoaders, type LoaderSources } from "./loaders/loaders.js";
import { type Attempts, createAttempts } from "./redis/attempts.js";
import { createCartStore } from "./redis/cart.js";
import { type ConnectOptions, connectRedis, inOneTurn, type RedisConnection } from "./redis/client.js";
import { createDocumentStore } from "./redis/documents.js";
import type { EventLogTail } from "./redis/event-log-tail.js";
import { readRedisInfo } from "./redis/info.js";
import { createKeys, type Keys } from "./redis/keys.js";
import { createBoardStore } from "./redis/leaderboard.js";
import { createLimiter, type Limiter } from "./redis/limiter.js";
import { type OpenCache, openCache } from "./redis/open-cache.js";
import { createPubSub, type PubSub } from "./redis/pubsub.js";
import { createSessionStore, type SessionStore } from "./redis/session.js";
import { waitForRedis } from "./redis/start.js";
import { createRequestContext } from "./resolvers/context.js";
import { createEvents } from "./resolvers/events.js";
import { boardsExist } from "./resolvers/leaderboard-changed.js";
import { createContainer, resolverClasses } from "./resolvers/resolvers.js";
import { buildSoukSchema } from "./schema/build-schema.js";
import type { Readiness } from "./server/health.js";
import { readManifest } from "./server/manifest.js";
import { createMetrics, type Metrics } from "./server/metrics.js";
import { createServer } from "./server/server.js";
import { createAccounts } from "./services/accounts.js";
import { type Admission, createAdmission } from "./services/admission.js";
import { createAuthenticate, createServiceCheck } from "./services/authenticate.js";
import { type Boards, createBoards } from "./services/boards.js";
import { createCartMoves } from "./services/cart-move.js";
import { type Carts, createCarts } from "./services/carts.js";
import { createGuests } from "./services/guests.js";
import { createLikes } from "./services/likes.js";
import { createLimits } from "./services/limits.js";
import { createLive } from "./services/live.js";
import { createOutbox, type Outbox } from "./services/outbox.js";
import { createPasswords } from "./services/passwords.js";
import { createPersistedDocuments, type PersistedDocuments } from "./services/persisted-documents.js";
import { createProducts } from "./services/products.js";
import { createRefusedSignIns } from "./services/refused-sign-ins.js";
import { createReviews } from "./services/reviews.js";
import { type ApplyRevocation, createApplyRevocation, createRevocations } from "./services/revocations.js";
import { hearSessionEnds } from "./services/session-ends.js";
import { createSessionTrust } from "./services/session-trust.js";
import { createSessions, type Sessions } from "./services/sessions.js";
import { createSignInGuard } from "./services/sign-in-guard.js";

/** What a process does: answer clients, do the work behind them, or both. */
export interface Roles {
  readonly api: boolean;
  readonly worker: boolean;
}

/** What building takes besides the configuration. */
export interface ComposeOptions {
  /** With both URLs filled in, or PGlite for the database. */
  readonly config: Config;
  readonly redisUrl: string;
  readonly cacheUrl: string;
  readonly roles: Roles;
  readonly log: Logger;
  /** Runs between the migrations and the first request, e.g. the first seed. */
  readonly prepare?: (database: Database) => Promise<void>;
  /** Put before every Redis key; empty but in tests. */
  readonly keyPrefix?: string;
}

/** A running process. */
export interface App {
  /** Where the API listens; null for a worker. */
  readonly url: string | null;
  /** Drains and closes everything. Resolves within the shutdown window. */
  close(): Promise<void>;
}

/** Longest wait for a reply about a session: what needs one answers within a second that it cannot be told. */
const SESSION_DEADLINE_MS = 500;
/** Longest wait for a document that was named by its hash; then the client is asked for it. */
const DOCUMENT_DEADLINE_MS = 100;
/** Longest wait for a reply about a leaderboard. */
const BOARD_DEADLINE_MS = SECOND;
/** A limiter that is late is done without: a request waits for it this long, once. */
const LIMITER_DEADLINE_MS = 200;
/** An operation that ran out of time still settles. */
const HOLD_GRACE_MS = 5 * SECOND;
/** 256 bits: as much as the signatures that are made with it. */
const SECRET_BYTES = 32;
/** Beats of the invalidation link: a silent one keeps stale values in process for three of them at most. */
const INVALIDATION_BEAT_MS = 500;

/** What every role stands on. */
interface Floor {
  readonly database: Database;
  readonly outboxTable: OutboxTable;
  readonly requests: RedisConnection;
  readonly keys: Keys;
  readonly pubsub: PubSub;
  readonly cache: OpenCache;
  readonly outbox: Outbox;
  readonly boards: Boards;
  readonly tail: EventLogTail;
  readonly revocationTable: RevocationTable;
  readonly auditTable: AuditTable;
  readonly sessionStore: SessionStore;
  readonly applyRevocation: ApplyRevocation;
  readonly attempts: Attempts;
  readonly metrics: Metrics;
}

/** Undoes what has been opened, last first. */
class Closing {
  private readonly steps: (() => unknown)[] = [];
  add(step: () => unknown): void {
    this.steps.unshift(step);
  }
  async run(): Promise<void> {
    for (const step of this.steps.splice(0)) await step();
  }
}

/**
 * Builds and starts a process.
 * @throws StartupError when something it cannot do without is missing; what was opened by then is closed again
 */
export async function startApp(options: ComposeOptions): Promise<App> {
  const closing = new Closing();
  try {
    const floor = await openFloor(options, closing);
    if (options.roles.worker) await startWorker(floor, options, closing);
    const url = options.roles.api ? await startApi(floor, options, closing) : null;
    return { url, close: () => closing.run() };
  } catch (error) {
    await closing.run();
    throw error;
  }
}

async function openFloor({ config, redisUrl, cacheUrl, roles, log, prepare, keyPrefix }: ComposeOptions, closing: Closing): Promise<Floor> {
  const metrics = createMetrics();
  closing.add(() => metrics.close());
  log.info(config.database.url ? "waiting for PostgreSQL" : "opening the embedded database (PGlite)");
  const database = await openDatabase({ ...config.database, dataDir: `${config.dataDir}/postgres`, telemetry: metrics, log });
  closing.add(() => database.close());
  await migrate(database);
  await prepare?.(database);

  const redis = { caFile: config.redis.caFile, log };
  const { requests, keys, pubsub } = await openRedis({ ...redis, url: redisUrl }, { keyPrefix, ...config.redis }, closing);
  const outboxTable = createOutboxTable(database);
  const cache = openCache({
    ...redis,
    ...config.cache,
    url: cacheUrl,
    keys,
    localBytes: roles.api ? config.cache.localBytes : 0,
    beatMs: INVALIDATION_BEAT_MS,
    hasUnsentInvalidations: () => outboxTable.hasUnsent(config.outbox.drainMs),
    telemetry: metrics,
  });
  closing.add(() => cache.close());
  const sessionStore = createSessionStore(requests, keys, { ...config.sessions, deadlineMs: SESSION_DEADLINE_MS });
  const attempts = createAttempts(requests, keys, { ...config.attempts, deadlineMs: SESSION_DEADLINE_MS });
  const applyRevocation = createApplyRevocation(sessionStore, pubsub);
  const { tail, notify } = openLogTail(requests, keys, config.logs);
  const boards = openBoards({ database, requests, keys, pubsub, metrics }, { config, log }, closing);
  const { record: score } = boards.shopBoards;
  const outbox = createOutbox({ table: outboxTable, cache, pubsub, revoke: applyRevocation, score, notify, ...config.outbox, log });
  const revocationTable = createRevocationTable(database);
  const auditTable = createAuditTable(database, config.audit);
  return {
    database,
    outboxTable,
    requests,
    keys,
    pubsub,
    cache,
    outbox,
    boards,
    tail,
    revocationTable,
    auditTable,
    sessionStore,
    applyRevocation,
    attempts,
    metrics,
  };
}

/** The connections that hold state, and what is said over them. */
async function openRedis(
  redis: Omit<ConnectOptions, "role">,
  { keyPrefix, heartbeatMs }: { readonly keyPrefix: string | undefined; readonly heartbeatMs: number },
  closing: Closing,
): Promise<Pick<Floor, "requests" | "keys" | "pubsub">> {
  const requests = connectRedis({ ...redis, role: "requests" });
  closing.add(() => requests.disconnect());
  const subscriber = connectRedis({ ...redis, role: "subscriber" });
  closing.add(() => subscriber.disconnect());
  await waitForRedis(requests, redis.url, redis.log);
  const keys = createKeys(keyPrefix);
  const pubsub = createPubSub({ publisher: requests, subscriber, keys, heartbeatMs, log: redis.log });
  closing.add(() => pubsub.close());
  return { requests, keys, pubsub };
}

function openBoards(
  {
    database,
    requests: connection,
    keys,
    pubsub,
    metrics: telemetry,
  }: Pick<Floor, "database" | "requests" | "keys" | "pubsub" | "metrics">,
  { config, log }: Pick<ComposeOptions, "config" | "log">,
  closing: Closing,
): Boards {
  const store = createBoardStore({ connection, keys, deadlineMs: BOARD_DEADLINE_MS, telemetry });
  const labels = { users: createUserTable(database), products: createProductTable(database) };
  const boards = createBoards({ database, store, pubsub, labels, everyMs: config.live.conflationMs, telemetry, log });
  closing.add(() => boards.close());
  return boards;
}

async function startWorker(floor: Floor, { config, log }: ComposeOptions, closing: Closing): Promise<void> {
  const { database, outbox, boards, revocationTable, auditTable } = floor;
  const relay = await startOutboxRelay({ database, outbox, ...config.outbox, log });
  closing.add(() => relay.close());
  const broadcasts = await startNotificationJobs(floor, config.outbox, log);
  closing.add(() => broadcasts.close());
  const pruning = startPruning({
    tables: [
      createOperationTable(database),
      revocationTable,
      auditTable,
      createCounterTable(database),
      createActivityTable(database),
      createNotificationTable(database),
    ],
    log,
  });
  closing.add(() => pruning.close());
  const upkeep = startBoardUpkeep({ upkeep: boards.upkeep, everyMs: config.boards.upkeepMs, log });
  closing.add(() => upkeep.close());
  const jobs = startCounterJobs(floor, config, log);
  closing.add(() => jobs.close());
}

async function startApi(floor: Floor, { config, log }: ComposeOptions, closing: Closing): Promise<string> {
  const { database, outboxTable, pubsub, outbox, boards, metrics } = floor;
  const live = createLive({ pubsub, conflationMs: config.live.conflationMs, log });
  closing.add(() => live.close());
  closing.add(await pubsub.subscribe(CATALOGUE_TOPIC, () => live.refresh()));
  const users = createUserTable(database);
  const counting = openCounters(floor, config, log);
  closing.add(() => counting.close());
  const sources: LoaderSources = { ...openTables(floor), users, tallies: counting.counters };
  const writing = { database, outboxTable, outbox };
  const products = createProducts({ ...writing, products: sources.products, operations: createOperationTable(database) });
  const reviews = createReviews({ ...writing, products: sources.products, reviews: sources.reviews });
  const likes = createLikes({ ...writing, likes: sources.likes });
  const passwords = createPasswords(config.passwords);
  const { sessions, revocations, ends } = await openSessions(floor, config, { closing, onUsed: counting.activity.used });
  const refused = createRefusedSignIns({ table: floor.auditTable, log });
  closing.add(() => refused.close());
  const guard = createSignInGuard(floor.attempts, metrics);
  const accounts = createAccounts({ database, users, passwords, sessions, revocations, guard, audit: floor.auditTable, refused });
  const carts = openCarts(floor, config, log);
  await boards.shopBoards.provide();
  const signing = { accounts, sessions, revocations };
  const told = composeNotifications(floor, log, (close) => closing.add(close));
  const catalogue = { products, reviews, ...counting, likes };
  const container = createContainer({ ...boards, ...catalogue, ...signing, carts, ...told, currency: config.currency });
  const events = createEvents(live, told.notifications, boardsExist(boards.leaderboards));
  const guests = createGuests(await ensureSecret(database, "guests", randomBytes(SECRET_BYTES).toString("base64url")));
  const server = await createServer({
    config,
    schema: buildSoukSchema({ resolvers: resolverClasses, container, pubSub: events }),
    admission: openAdmission(floor, { config, sessions, log }, closing),
    admitGuest: guests.admit,
    sessions: { confirm: sessions.confirm, onEnded: ends.onEnded },
    documents: openDocuments(floor, config),
    createOperation: ({ seen, bypass, principal, client, guest, buckets, requestId }) =>
      createRequestContext({
        requestId,
        buckets,
        principal,
        client,
        guest,
        reading: new Reading({ seen, bypass }),
        makeLoaders: (reading) => createLoaders(sources, reading),
      }),
    readiness: () => readiness(floor),
    metrics,
    log,
  });
  metrics.readRedisFrom(() => readRedisInfo(floor.requests));
  closing.add(() => server.close());
  return (await server.listen()).url;
}

/** What loaders read besides the counters. */
function openTables({ cache, database }: Floor) {
  return {
    cache,
    products: createProductTable(database),
    categories: createCategoryTable(database),
    brands: createBrandTable(database),
    reviews: createReviewTable(database),
    likes: createLikeTable(database),
    notifications: createNotificationTable(database),
  };
}

function openCarts({ requests, keys }: Floor, { carts }: Config, log: Logger): Carts {
  const store = createCartStore(requests, keys, carts);
  return createCarts({ store, moves: createCartMoves(store, log) });
}

interface Admitting {
  readonly config: Config;
  readonly sessions: Sessions;
  readonly log: Logger;
}

function openAdmission(floor: Floor, { config, sessions, log }: Admitting, closing: Closing): Admission {
  const { requests, metrics } = floor;
  const limiter = openLimiter(floor, { config, log }, closing);
  const { rates, processes, cost } = config.limits;
  const limits = createLimits({ limiter, rules: rates, processes, largest: cost, telemetry: metrics });
  closing.add(() => limits.close());
  return createAdmission({
    authenticate: createAuthenticate(config.adminToken, sessions),
    isService: createServiceCheck(config.adminToken),
    limits,
    together: (send) => inOneTurn(requests, send),
  });
}

/** On the connection of the other requests, so that one write asks both, unless it has a Redis of its own. */
function openLimiter({ requests, keys }: Floor, { config, log }: Pick<Admitting, "config" | "log">, closing: Closing): Limiter {
  const { limiterUrl: url, caFile } = config.redis;
  const connection = url === undefined ? requests : connectRedis({ url, caFile, role: "requests", log });
  if (connection !== requests) closing.add(() => connection.disconnect());
  return createLimiter(connection, keys, { keepMs: config.http.requestTimeoutMs + HOLD_GRACE_MS, deadlineMs: LIMITER_DEADLINE_MS });
}

function openDocuments({ requests, keys }: Floor, { documents }: Config): PersistedDocuments {
  const store = createDocumentStore(requests, keys, { ...documents, deadlineMs: DOCUMENT_DEADLINE_MS });
  return createPersistedDocuments({ mode: documents.mode, manifest: readManifest(documents), store });
}

async function openSessions(floor: Floor, config: Config, { closing, onUsed }: { closing: Closing; onUsed: (userId: number) => void }) {
  const { database, outboxTable, pubsub, revocationTable, auditTable, sessionStore, applyRevocation } = floor;
  const trust = createSessionTrust({ store: sessionStore, revocations: revocationTable, outboxTable });
  closing.add(() => trust.close());
  const sessions = createSessions({ store: sessionStore, trust, pubsub, noteEveryMs: config.sessions.noteEveryMs, onUsed });
  const ends = await hearSessionEnds(pubsub);
  closing.add(() => ends.close());
  const revocations = createRevocations({
    database,
    table: revocationTable,
    outboxTable,
    store: sessionStore,
    apply: applyRevocation,
    audit: auditTable,
    capMs: config.sessions.capMs,
  });
  return { sessions, revocations, ends };
}

/** What a probe is told. Either server is enough to answer something: Postgres everything, Redis what is cached. */
async function readiness({ database, requests, cache }: Floor): Promise<Readiness> {
  const answers = (check: Promise<unknown>): Promise<boolean> =>
    check.then(
      () => true,
      () => false,
    );
  const [postgres, redis] = await Promise.all([answers(database.ping()), answers(requests.ping())]);
  const state = (ok: boolean): string => (ok ? "ok" : "does not answer");
  const checks = { postgres: state(postgres), redis: state(redis), cache: cache.link.usable() ? "ok" : "not used: Redis does not answer" };
  return { ready: postgres || cache.link.usable(), checks };
}
