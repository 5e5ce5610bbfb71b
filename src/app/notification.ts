/**
 * Notifications: inboxes, the logs that clients follow, and
 * broadcasts.
 */
import { notificationConfig } from "../config/notification.js";
import { createBroadcastTable } from "../db/notification/broadcasts.js";
import { createNotificationLogTable } from "../db/notification/event-log.js";
import { createNotificationTable } from "../db/notification/inbox.js";
import { createOperationTable } from "../db/operations.js";
import { SECOND } from "../domain/time/time.js";
import { broadcastJob } from "../jobs/broadcasts.js";
import { pruneJob } from "../jobs/prune.js";
import { createNotificationLoaders } from "../loaders/notification.js";
import { createEventLogTail, type EventLogTail } from "../redis/event-log/tail.js";
import {
  InboxCountResolver,
  InboxResolver,
  NotificationConnectionResolver,
} from "../resolvers/notification.js";
import { NotificationMutations } from "../resolvers/notification-change.js";
import {
  NotificationSubscriptions,
  notificationStream,
} from "../resolvers/notification-received.js";
import { createEventLogSubscriptions } from "../services/live/event-log-subscription.js";
import { createBroadcasts } from "../services/notification/broadcasts.js";
import {
  createApplyNotifications,
  createNotificationSource,
} from "../services/notification/event-log.js";
import { createNotifications } from "../services/notification/notifications.js";
import { createNotificationKind } from "../services/notification/outbox-kind.js";
import { createNotificationSending } from "../services/notification/sending.js";
import type { GaugeSource } from "../telemetry/metrics-sources.js";
import type { Infrastructure } from "./infrastructure.js";
import { defineSubject, type OpenOptions } from "./module.js";
import { type Check, STATE_UNKNOWN } from "./readiness.js";

/**
 * Longest wait for a log. Readers then ask Postgres; writers
 * leave it to the relay.
 */
const LOG_DEADLINE_MS = 500;

const broadcasts = createBroadcastTable();

export const notification = defineSubject({
  name: "notification",
  config: notificationConfig,
  resolvers: [
    InboxResolver,
    InboxCountResolver,
    NotificationConnectionResolver,
    NotificationMutations,
    NotificationSubscriptions,
  ],
  open(options) {
    const { infrastructure, config, settings } = options;
    const { database, callers, keys } = infrastructure;
    const inboxes = createNotificationTable(database);
    const caller = callers.of("event-log", { deadlineMs: LOG_DEADLINE_MS });
    const tail = createEventLogTail(caller, keys, settings.eventLogs);
    return {
      outbox: [createNotificationKind(createApplyNotifications(tail))],
      checks: [broadcastCheck(infrastructure)],
      gauges: [broadcastGauges(infrastructure)],
      jobs: () => [
        broadcastJob(openBroadcasts(options), config.outbox.pollMs),
        pruneJob("notifications", inboxes),
      ],
      serve() {
        const { notifications, sending } = serveNotifications(options, tail);
        return {
          services: { notifications },
          loaders: (reading) => createNotificationLoaders({ notifications: inboxes }, reading),
          streams: { notification: notificationStream(notifications) },
          resolvers: [
            new InboxResolver(notifications),
            new InboxCountResolver(notifications),
            new NotificationConnectionResolver(notifications),
            new NotificationMutations(notifications, sending),
            new NotificationSubscriptions(),
          ],
        };
      },
    };
  },
});

function serveNotifications({ infrastructure, log, disposer }: OpenOptions, tail: EventLogTail) {
  const { database, callers, pubsub, clock } = infrastructure;
  const eventLogs = createNotificationLogTable(database);
  const subscriptions = createEventLogSubscriptions({ pubsub, log });
  disposer.add(() => subscriptions.close());
  const breaker = callers.breaker({
    deadlineMs: LOG_DEADLINE_MS,
    degraded: { part: "notifications", instead: "history is read from Postgres" },
  });
  const sourceOf = (userId: number) =>
    createNotificationSource(userId, { tail, table: eventLogs, breaker });
  const inboxes = createNotificationTable(database);
  const writing = { ...infrastructure, inboxes, eventLogs };
  return {
    notifications: createNotifications({ ...writing, subscriptions, sourceOf }),
    sending: createNotificationSending({
      ...writing,
      broadcasts,
      operations: createOperationTable(database),
      clock,
    }),
  };
}

function openBroadcasts({ infrastructure, config: { outbox: retry }, log }: OpenOptions) {
  const eventLogs = createNotificationLogTable(infrastructure.database);
  return createBroadcasts({ ...infrastructure, eventLogs, broadcasts, retry, log });
}

const broadcastCheck = ({ database }: Infrastructure): Check => ({
  async look() {
    const { setAside } = await broadcasts.state(database);
    const isOk = setAside === 0;
    return {
      broadcasts: isOk ? "ok" : `${setAside} parts are set aside: npm run outbox -- list`,
    };
  },
  unanswered: { broadcasts: STATE_UNKNOWN },
});

const broadcastGauges = ({ database }: Infrastructure): GaugeSource => ({
  helps: {
    souk_broadcasts_open: "Notifications to everyone that are not in every inbox yet.",
    souk_broadcasts_set_aside: "Parts of notifications to everyone that were given up.",
    souk_broadcasts_oldest_seconds: "Age of the oldest open one.",
  },
  async read() {
    const { open, setAside, oldestMs } = await broadcasts.state(database);
    return {
      souk_broadcasts_open: open,
      souk_broadcasts_set_aside: setAside,
      souk_broadcasts_oldest_seconds: oldestMs / SECOND,
    };
  },
});
