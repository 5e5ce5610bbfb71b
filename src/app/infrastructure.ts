/**
 * What every role stands on: connections, the structures over them, and what is said between
 * processes.
 */
import type { Logger } from "pino";
import type { Config } from "../config/config.js";
import type { AuditTable } from "../db/account/audit.js";
import type { RevocationTable } from "../db/account/revocations.js";
import type { Database } from "../db/client/database.js";
import type { OutboxTable } from "../db/outbox.js";
import type { OutboxOperating } from "../db/outbox-operating.js";
import type { WorkerTable } from "../db/workers.js";
import type { Degradations } from "../domain/telemetry/degradations.js";
import type { Attempts } from "../redis/attempts/attempts.js";
import type { OpenCache } from "../redis/cache/open.js";
import type { RedisCaller, RedisCallers } from "../redis/client/call.js";
import type { RedisClock } from "../redis/client/clock.js";
import type { RedisConnection } from "../redis/client/connect.js";
import type { Keys } from "../redis/client/keys.js";
import type { EventLogTail } from "../redis/event-log/tail.js";
import type { PubSub } from "../redis/pubsub/pubsub.js";
import type { SessionStore } from "../redis/session/session.js";
import type { FailClosed } from "../services/account/fail-closed.js";
import type { ApplyRevocation } from "../services/account/revocations.js";
import type { Boards } from "../services/leaderboard/boards.js";
import type { Outbox } from "../services/outbox/outbox.js";
import type { Metrics } from "../telemetry/metrics.js";
import type { Conditions } from "./degradations.js";

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

/** What every role stands on. */
export interface Floor {
  readonly database: Database;
  readonly outboxTable: OutboxTable;
  readonly outboxOperating: OutboxOperating;
  readonly workers: WorkerTable;
  readonly requests: RedisConnection;
  /** Calls over `requests`. */
  readonly callers: RedisCallers;
  readonly keys: Keys;
  readonly pubsub: PubSub;
  readonly clock: RedisClock;
  readonly cache: OpenCache;
  readonly outbox: Outbox;
  readonly boards: Boards;
  readonly tail: EventLogTail;
  readonly tailCaller: RedisCaller;
  readonly revocationTable: RevocationTable;
  readonly auditTable: AuditTable;
  readonly sessionStore: SessionStore;
  readonly applyRevocation: ApplyRevocation;
  readonly failClosed: FailClosed;
  readonly attempts: Attempts;
  readonly metrics: Metrics;
  readonly degradations: Degradations;
  /** The condition of each Redis this process uses, by its role. */
  readonly conditions: Conditions;
}
