/** Builds what notifications are made of, from what every process stands on. */
import type { Logger } from "pino";
import type { Config } from "../config/config.js";
import type { Database } from "../db/client/database.js";
import { createBroadcastTable } from "../db/notification/broadcasts.js";
import { createNotificationTable } from "../db/notification/inbox.js";
import { createNotificationLogTable } from "../db/notification/log.js";
import { createOperationTable } from "../db/operations.js";
import type { OutboxTable, RetryOptions } from "../db/outbox.js";
import type { Clock } from "../domain/time/clock.js";
import { startBroadcasts } from "../jobs/broadcasts.js";
import type { Job, RunnerDeps } from "../jobs/runner.js";
import type { RedisCaller, RedisCallers } from "../redis/client/call.js";
import type { Keys } from "../redis/client/keys.js";
import { createEventLogTail, type EventLogTail } from "../redis/event-log/tail.js";
import type { PubSub } from "../redis/pubsub/pubsub.js";
import { createLogSubscriptions } from "../services/live/log-subscription.js";
import { createBroadcasts } from "../services/notification/broadcasts.js";
import {
  type ApplyNotifications,
  createApplyNotifications,
  createNotificationSource,
} from "../services/notification/log.js";
import { createNotifications, type Notifications } from "../services/notification/notifications.js";
import {
  createNotificationSending,
  type NotificationSending,
} from "../services/notification/sending.js";
import type { Outbox } from "../services/outbox/outbox.js";

/** What they stand on. */
interface Ground {
  readonly database: Database;
  readonly outboxTable: OutboxTable;
  readonly outbox: Outbox;
  readonly pubsub: PubSub;
  readonly tail: EventLogTail;
  readonly clock: Clock;
  readonly tailCaller: RedisCaller;
}

/**
 * Longest wait for a reply about a log: readers ask Postgres then, writers leave it to the relay.
 */
const LOG_DEADLINE_MS = 500;

/** The tails of logs, and what adds to them. */
export function openLogTail(
  callers: RedisCallers,
  keys: Keys,
  bounds: Config["logs"],
): { tailCaller: RedisCaller; tail: EventLogTail; notify: ApplyNotifications } {
  const tailCaller = callers.of("event-log", {
    deadlineMs: LOG_DEADLINE_MS,
    degraded: { part: "notifications", instead: "history is read from Postgres" },
  });
  const tail = createEventLogTail(tailCaller, keys, bounds);
  return { tailCaller, tail, notify: createApplyNotifications(tail) };
}

/** How broadcasts are tried again, and where failures are told. */
interface Broadcasting {
  readonly retry: RetryOptions;
  readonly pollMs: number;
  readonly log: Logger;
}

/** What a worker does for notifications. */
export function startNotificationJobs(
  { database, outboxTable, outbox }: Ground,
  runner: RunnerDeps,
  { retry, pollMs, log }: Broadcasting,
): Promise<Job> {
  const [logs, table] = [createNotificationLogTable(database), createBroadcastTable()];
  const broadcasts = createBroadcasts({
    database,
    outboxTable,
    outbox,
    logs,
    broadcasts: table,
    retry,
    log,
  });
  return startBroadcasts(runner, { broadcasts, pollMs });
}

/** What shows and sends notifications. Whatever opens is handed to `closeLater`. */
export function composeNotifications(
  ground: Ground,
  log: Logger,
  closeLater: (close: () => unknown) => void,
): { notifications: Notifications; sending: NotificationSending } {
  const { database, outboxTable, outbox, pubsub, tail, clock } = ground;
  const [inboxes, logs] = [createNotificationTable(database), createNotificationLogTable(database)];
  const subscriptions = createLogSubscriptions({ pubsub, log });
  closeLater(() => subscriptions.close());
  const sourceOf = (userId: number) =>
    createNotificationSource(userId, { tail, table: logs, breaker: ground.tailCaller });
  const notifications = createNotifications({
    database,
    outboxTable,
    outbox,
    inboxes,
    logs,
    subscriptions,
    sourceOf,
  });
  const sending = createNotificationSending({
    database,
    outboxTable,
    outbox,
    inboxes,
    logs,
    broadcasts: createBroadcastTable(),
    operations: createOperationTable(database),
    clock,
  });
  return { notifications, sending };
}
