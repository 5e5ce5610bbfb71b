/**
 * A notification to everyone: 10,000 inboxes that no request waits for, each filled exactly once,
 * whoever dies meanwhile.
 */
import { sql } from "drizzle-orm";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createNotificationLogTable } from "../../src/db/notification/event-log.js";
import { createOutboxTable } from "../../src/db/outbox.js";
import { type SignedIn, signUp } from "../support/accounts.js";
import { type AppProcess, seededDatabase, startProcess } from "../support/app.js";
import { type Follower, follow, inbox, send } from "../support/notifications.js";
import type { TestDatabase } from "../support/postgres.js";
import { type PrivateRedis, startRedis } from "../support/redis-topology.js";
import { until } from "../support/until.js";

const USERS = 10_000;

let database: TestDatabase;
let redis: PrivateRedis;
let api: AppProcess;
let env: Record<string, string>;
let account: SignedIn;
let device: Follower;

beforeAll(async () => {
  [database, redis] = await Promise.all([seededDatabase(10), startRedis()]);
  env = { DATABASE_URL: database.url, REDIS_URL: redis.url, OUTBOX_POLL_MS: "100" };
  api = await startProcess(["dist/main.js", "--api"], env);
  await database.database.query(sql`
    INSERT INTO users (tag, email, name, role, password_hash)
    SELECT 'tag-' || n, n || '@many.example', 'Many', 'CUSTOMER', 'x'
    FROM generate_series(1, ${USERS - 1}::integer) n`);
  // The last to get it.
  account = await signUp(api.url);
  device = await follow(api.wsUrl, account.token, "");
});
afterAll(async () => {
  await api?.end();
  await redis?.stop();
  await database?.close();
});

const counts = async () => {
  const [row] = await database.database.query<{
    broadcasts: number;
    most: number;
    users: number;
  }>(sql`
    SELECT (SELECT count(*) FROM notification_broadcast_parts) AS broadcasts,
      coalesce(max(n), 0) AS most, count(*) AS users
    FROM (SELECT count(*) AS n FROM notifications GROUP BY user_id) each`);
  return row!;
};

it("A broadcast is answered first, and reaches each once though workers are killed.", async () => {
  const sendToAll = () => send(api.url, { everyone: true, title: "to all", operationId: "all" });
  expect(await sendToAll()).toEqual({ recipients: USERS, delivered: false, errors: [] });
  expect(await sendToAll()).toEqual({ recipients: USERS, delivered: false, errors: [] });
  expect(await counts()).toMatchObject({ broadcasts: 1, users: 0 });

  for (let killed = 0, done = 0; killed < 3; killed++) {
    const worker = await startProcess(["dist/worker.js"], env);
    await until("a step", async () => (await counts()).users > done);
    await worker.end("SIGKILL");
    done = (await counts()).users;
  }
  const workers = await Promise.all([1, 2].map(() => startProcess(["dist/worker.js"], env)));
  expect((await device.next()).notification.title).toBe("to all");
  await until("the broadcast to be done", async () => (await counts()).broadcasts === 0);
  expect(await counts()).toMatchObject({ most: 1, users: USERS });
  // An account that is made meanwhile is no recipient.
  await signUp(api.url);
  expect(await sendToAll()).toEqual({ recipients: USERS, delivered: true, errors: [] });
  expect((await inbox(api.url, account.token)).unreadCount).toBe(1);

  await until(
    "the outbox to be empty",
    async () => !(await createOutboxTable(database.database).hasUnsent()),
  );
  await send(api.url, { userIds: [account.id], title: "to one" });
  expect((await device.next()).notification.title).toBe("to one");
  expect(await Promise.all(workers.map((worker) => worker.end()))).toEqual([0, 0]);
});

it("Broadcasts to the same users in any order cause no deadlock.", async () => {
  const logs = createNotificationLogTable(database.database);
  const [{ id: contentId }] = (await database.database.query<{ id: number }>(
    sql`SELECT id FROM notification_contents LIMIT 1`,
  )) as [{ id: number }];
  const ids = (
    await database.database.query<{ id: number }>(sql`SELECT id FROM users ORDER BY id LIMIT 200`)
  ).map(({ id }) => id);
  const before = await Promise.all(ids.map((id) => logs.last(id)));
  const orders = [ids, [...ids].reverse(), [...ids.slice(100), ...ids.slice(0, 100)], ids];
  await Promise.all(
    orders.map((some) => database.database.transaction((tx) => logs.deliver(tx, contentId, some))),
  );
  expect(await Promise.all(ids.map((id) => logs.last(id)))).toEqual(
    before.map((sequence) => sequence + orders.length),
  );
});
