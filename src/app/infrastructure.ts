/**
 * What all subjects use: connections, shared structures,
 * telemetry.
 */
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

/** Whether a process answers clients, works behind them, or both. */
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
  /** Runs between migrations and the first request, e.g. the seed. */
  readonly prepare?: (database: Database) => Promise<void>;
  /** Prefix of every Redis key; empty outside tests. */
  readonly keyPrefix?: string;
}

export interface Infrastructure {
  readonly database: Database;
  readonly outboxTable: OutboxTable;
  readonly outboxOperating: OutboxOperating;
  /** Dispatches rows of every registered kind. */
  readonly outbox: Outbox;
  readonly workers: WorkerTable;
  readonly requests: RedisConnection;
  /** Calls over `requests`, by structure. */
  readonly callers: RedisCallers;
  readonly keys: Keys;
  /** Prefix of every key; empty outside tests. */
  readonly keyPrefix: string;
  readonly pubsub: PubSub;
  readonly clock: RedisClock;
  readonly cache: OpenCache;
  readonly metrics: Metrics;
  readonly degradations: Degradations;
  /** The condition of each Redis of this process, by role. */
  readonly conditions: Conditions;
}

/**
 * Longest wait for a session, so that SERVICE_UNAVAILABLE comes
 * within a second.
 */
export const SESSION_DEADLINE_MS = 500;

/**
 * Longest wait for a number of a scrape, which leaves a late one
 * out.
 */
export const SCRAPE_DEADLINE_MS = SECOND / 2;
