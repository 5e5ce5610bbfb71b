/** A use with a fallback has a breaker of its own: what trips it keeps no other call back. */
import { expect, onTestFinished, test } from "vitest";
import { createCallers } from "../../src/redis/client/call.js";
import { connectRedis, whenReady } from "../../src/redis/client/connect.js";
import { createEventLogTail } from "../../src/redis/event-log/tail.js";
import {
  createNotificationSource,
  notificationTopic,
} from "../../src/services/notification/event-log.js";
import { testLog } from "../support/log.js";
import { testRedis } from "../support/redis.js";

const POISONED = 1;
const DEADLINE_MS = 10_000;

test("A user whose log Redis refuses to read keeps no entry of another from being added.", async () => {
  const { url, keys } = testRedis();
  const connection = connectRedis({ url, role: "requests", log: testLog() });
  onTestFinished(() => connection.disconnect());
  await whenReady(connection, 30_000);
  const callers = createCallers({ connection });
  onTestFinished(() => callers.close());
  const caller = callers.of("event-log", { deadlineMs: DEADLINE_MS });
  const tail = createEventLogTail(caller, keys, { entries: 10, keepMs: 60_000 });
  await connection.set(keys.eventLogState("notification", POISONED), "not a hash");
  const breaker = callers.breaker({ deadlineMs: DEADLINE_MS });
  const table = { read: async () => ({ last: 0, entries: [] }), last: async () => 0 };
  const source = createNotificationSource(POISONED, { tail, table, breaker });
  await source.end();
  expect(breaker.isOpen()).toBe(true);
  expect(caller.isOpen()).toBe(false);
  await tail.append(notificationTopic(2), 1, "{}");
});
