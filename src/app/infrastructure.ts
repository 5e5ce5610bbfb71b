/** What every subject stands on: connections, the structures that all share, and telemetry. */
import type { Logger } from "pino";
import type { Config } from "../config/config.js";
import type { Database } from "../db/client/database.js";
import type { OutboxTable } from "../db/outbox.js";
import type { OutboxOperating } from "../db/outbox-operating.js";
import type { WorkerTable } from "../db/workers.js";
import type { Degradations } from "../domain/telemetry/degradations.js";
import { SECOND } from "../domain/time/time.js";
import type { OpenCache } from "../redis/cache/open.js";
import type { RedisCallers } from "../redis/client/call.js";
import type { RedisClock } from "../redis/client/clock.js";
import type { RedisConnection } from "../redis/client/connect.js";
import type { Keys } from "../redis/client/keys.js";
import type { PubSub } from "../redis/pubsub/pubsub.js";
import type { Outbox } from "../services/outbox/outbox.js";
import type { Metrics } from "../telemetry/metrics.js";
import type { Conditions } from "./degradations.js";

/** What a process does: answer clients, do the work behind them, or both. */
export interface Roles {
  readonly api: boolean;
  readonly worker: boolean;
}

/** What a process stands on and does. */
export interface InfrastructureOptions {
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

export interface Infrastructure {
  readonly database: Database;
  readonly outboxTable: OutboxTable;
  readonly outboxOperating: OutboxOperating;
  /** Sends rows of every kind that an opened subject has registered. */
  readonly outbox: Outbox;
  readonly workers: WorkerTable;
  readonly requests: RedisConnection;
  /** Calls over `requests`, by structure. */
  readonly callers: RedisCallers;
  readonly keys: Keys;
  /** Put before every key; empty but in tests. */
  readonly keyPrefix: string;
  readonly pubsub: PubSub;
  readonly clock: RedisClock;
  readonly cache: OpenCache;
  readonly metrics: Metrics;
  readonly degradations: Degradations;
  /** The condition of each Redis this process uses, by its role. */
  readonly conditions: Conditions;
}

/**
 * Longest wait for a reply about a session: what needs one answers within a second that it cannot
 * be told.
 */
export const SESSION_DEADLINE_MS = 500;

/** Longest wait for a number of a scrape, which is answered without it rather than late. */
export const SCRAPE_DEADLINE_MS = SECOND / 2;
