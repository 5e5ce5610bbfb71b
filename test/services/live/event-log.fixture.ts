/**
 * Logs of tests with everything they need: Postgres, Redis (through proxies that fail on command),
 * and a driver per process.
 */

import { onTestFinished } from "vitest";
import { createUserTable } from "../../../src/db/account/users.js";
import { createNotificationLogTable } from "../../../src/db/notification/event-log.js";
import { createNotificationTable } from "../../../src/db/notification/inbox.js";
import { createOutboxTable, type OutboxTable } from "../../../src/db/outbox.js";
import type { EventLogItem, EventLogStart } from "../../../src/domain/events/event-log.js";
import type { NotificationEvent } from "../../../src/domain/notification.js";
import { silentTelemetry } from "../../../src/domain/telemetry/telemetry.js";
import { connectRedis, whenReady } from "../../../src/redis/client/connect.js";
import { createDirectCaller } from "../../../src/redis/client/direct-call.js";
import type { Keys } from "../../../src/redis/client/keys.js";
import { createEventLogTail, type EventLogBounds } from "../../../src/redis/event-log/tail.js";
import { createPubSub } from "../../../src/redis/pubsub/pubsub.js";
import { createEventLogSubscriptions } from "../../../src/services/live/event-log-subscription.js";
import {
  createApplyNotifications,
  createNotificationSource,
  notificationTopic,
} from "../../../src/services/notification/event-log.js";
import {
  createNotificationKind,
  notificationEntry,
} from "../../../src/services/notification/outbox-kind.js";
import { createOutbox } from "../../../src/services/outbox/outbox.js";
import { testCaller } from "../../support/caller.js";
import { createProxy, type FaultyProxy } from "../../support/faults.js";
import { testLog } from "../../support/log.js";
import type { TestDatabase } from "../../support/postgres.js";

/** Where a process lives. */
export interface Place {
  readonly database: TestDatabase;
  readonly port: number;
  readonly keys: Keys;
  readonly bounds?: Partial<EventLogBounds>;
  readonly heartbeatMs?: number;
  /** In place of the proxy: a Cluster. */
  readonly url?: string;
}

/** A process, as far as logs are concerned. */
export type LogProcess = Awaited<ReturnType<typeof openProcess>>;

/** Opens connections as the product does, each process behind a proxy of its own. */
export async function openProcess({
  database: { database },
  port,
  keys,
  bounds,
  heartbeatMs = 50,
  ...place
}: Place) {
  const proxy: FaultyProxy = await createProxy({ target: { host: "127.0.0.1", port } });
  const log = testLog();
  const url = place.url ?? `redis://${proxy.host}:${proxy.port}`;
  const requests = connectRedis({ url, role: "requests", log });
  const subscriber = connectRedis({ url, role: "subscriber", log });
  const all = { entries: 20, keepMs: 3_600_000, deadlineMs: 300, ...bounds };
  const pubsub = createPubSub({
    publisher: requests,
    subscriber,
    keys,
    heartbeatMs,
    telemetry: silentTelemetry,
    log,
  });
  const breaker = testCaller(requests, all);
  const tail = createEventLogTail(breaker, keys, all);
  const [table, outboxTable] = [createNotificationLogTable(database), createOutboxTable(database)];
  const subscriptions = createEventLogSubscriptions({ pubsub, log });
  await whenReady(requests, 30_000);
  const notify = createApplyNotifications(tail);
  const probe = createDirectCaller(silentTelemetry, "outbox");
  const outbox = createOutbox({
    table: outboxTable,
    cache: { nowMs: Date.now },
    kinds: [createNotificationKind(notify)],
    probe: () => probe.sendWithin(300, "ping", () => requests.ping()),
    drainMs: 250,
    retryMs: 10,
    attemptsMax: 1_000,
    log,
  });
  return {
    proxy,
    subscriptions,
    outbox,
    outboxTable,
    pubsub,
    tail,
    follow: (
      userId: number,
      start: EventLogStart,
    ): AsyncIterableIterator<EventLogItem<NotificationEvent>> =>
      subscriptions.follow(
        notificationTopic(userId),
        createNotificationSource(userId, { tail, table, breaker }),
        start,
      ),
    async close() {
      breaker.close();
      await subscriptions.close();
      await pubsub.close();
      requests.disconnect();
      subscriber.disconnect();
      await proxy.close();
    },
  };
}

/** A process that goes with the test. */
export async function testProcess(place: Place): Promise<LogProcess> {
  const opened = await openProcess(place);
  onTestFinished(() => opened.close());
  return opened;
}

/** Users who get notifications. */
export async function makeUsers({ database }: TestDatabase, count: number): Promise<number[]> {
  const users = createUserTable(database);
  const made: number[] = [];
  for (let number = 0; number < count; number++) {
    const unique = `${performance.now()}-${number}`;
    const user = await users.create(database, {
      tag: unique,
      email: `${unique}@test.example`,
      name: "Tess",
      role: "CUSTOMER",
      passwordHash: "x",
    });
    if (user) made.push(user.id);
  }
  return made;
}

/**
 * Commits a notification as the product does, and leaves it to the outbox to tell of it. Resolves
 * to the outbox rows.
 */
export async function commit(
  { database }: TestDatabase,
  outboxTable: OutboxTable,
  userIds: readonly number[],
  title: string,
): Promise<Parameters<LogProcess["outbox"]["dispatch"]>[0]> {
  return database.transaction(async (tx) => {
    const content = { kind: "test", title, body: "", url: null, expiresAt: null };
    const { id, createdAt } = await createNotificationTable(database).write(tx, content);
    const to = await createNotificationLogTable(database).deliver(tx, id, userIds);
    return outboxTable.append(tx, [
      notificationEntry({ type: "delivered", content, createdAt, to }),
    ]);
  });
}
