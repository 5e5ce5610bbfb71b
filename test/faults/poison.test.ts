/**
 * Loops over items of which one is poisoned: it hurts itself alone. Each row names a loop, and a
 * runner that poisons one item, lets the loop work, and answers what became of the healthy ones and
 * of the poisoned one. Add a row to add a loop.
 */

import { isDeepStrictEqual } from "node:util";
import { sql } from "drizzle-orm";
import fc from "fast-check";
import type { Logger } from "pino";
import { describe, expect, onTestFinished, test } from "vitest";
import { Disposer } from "../../src/app/disposer.js";
import type { Tx } from "../../src/db/client/database.js";
import { createBroadcastOperating } from "../../src/db/notification/broadcast-operating.js";
import { createBroadcastTable } from "../../src/db/notification/broadcasts.js";
import { createNotificationLogTable } from "../../src/db/notification/event-log.js";
import { createNotificationTable } from "../../src/db/notification/inbox.js";
import { createOperationTable } from "../../src/db/operations.js";
import { createOutboxTable } from "../../src/db/outbox.js";
import { SERVICE } from "../../src/domain/account/principal.js";
import { DatabaseUnavailable } from "../../src/domain/errors.js";
import { SESSIONS_TOPIC } from "../../src/domain/events/events.js";
import { silentTelemetry } from "../../src/domain/telemetry/telemetry.js";
import { createJobHealth } from "../../src/jobs/health.js";
import { pruneJob } from "../../src/jobs/prune.js";
import { startJob } from "../../src/jobs/runner.js";
import { connectRedis, whenReady } from "../../src/redis/client/connect.js";
import { createEventLogTail } from "../../src/redis/event-log/tail.js";
import { createPubSub } from "../../src/redis/pubsub/pubsub.js";
import { bisect } from "../../src/services/bisect.js";
import { createPopularity } from "../../src/services/counters/popularity.js";
import { createBroadcasts } from "../../src/services/notification/broadcasts.js";
import {
  createApplyNotifications,
  notificationTopic,
} from "../../src/services/notification/event-log.js";
import { createNotificationSending } from "../../src/services/notification/sending.js";
import { openCounterKit, stockProducts } from "../redis/counters/counters.fixture.js";
import { boardDraft, openBoards } from "../services/leaderboard/leaderboard.fixture.js";
import { testCaller } from "../support/caller.js";
import { rememberingLog, testLog } from "../support/log.js";
import { type TestDatabase, testDatabase } from "../support/postgres.js";
import { testRedis } from "../support/redis.js";
import { until } from "../support/until.js";

const POISONED = 5;
const HEALTHY = [1, 2, 3, 4, 6, 7, 8, 9];

/**
 * What became of the items: ids of healthy ones that were done, and whether the poisoned one was.
 */
interface Outcome {
  readonly done: readonly number[];
  readonly poisoned: boolean;
}

async function database(): Promise<TestDatabase> {
  const opened = await testDatabase();
  onTestFinished(() => opened.close());
  return opened;
}

/** Has Postgres refuse any change of a table that names the poisoned item in a column. */
async function refuse(
  { database }: TestDatabase,
  table: string,
  column: string,
  value = POISONED,
): Promise<void> {
  await database.query(
    sql.raw(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN
      IF NEW.${column}::text = '${value}' THEN RAISE EXCEPTION 'poisoned'; END IF;
      RETURN NEW;
    END $$`),
  );
  await database.query(
    sql.raw(
      `CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON ${table} FOR EACH ROW EXECUTE ` +
        "FUNCTION refuse()",
    ),
  );
}

async function makeUsers({ database }: TestDatabase): Promise<void> {
  await database.query(sql`INSERT INTO users (id, tag, email, name, password_hash, role)
    SELECT n, 'tag-' || n, n || '@test.example', 'Somebody', 'x', 'CUSTOMER'
    FROM generate_series(1, 9) n`);
}

const outcomeOf = (ids: readonly number[]): Outcome => ({
  done: HEALTHY.filter((id) => ids.includes(id)),
  poisoned: ids.includes(POISONED),
});

const LOOPS: readonly { readonly loop: string; readonly run: () => Promise<Outcome> }[] = [
  {
    loop: "group commit of scores",
    async run() {
      const db = await database();
      const redis = testRedis();
      const { pipeline, boards } = await openBoards({
        database: db.database,
        url: redis.url,
        keys: redis.keys,
      });
      const draft = {
        slug: "b",
        title: "B",
        operator: "BEST",
        order: "DESC",
        tieRule: "COMPETITION",
        periods: ["ALL_TIME"],
        timeZone: "UTC",
      };
      const board = await boards.create(
        draft as unknown as Parameters<typeof boards.create>[0],
        "CLIENTS",
        {},
      );
      if (!board) throw new Error("no board");
      await refuse(db, "score_submissions", "owner");
      const ids = Array.from({ length: 9 }, (_, at) => at + 1);
      const submitted = ids.map((id) =>
        pipeline.submit({
          board,
          submission: { owner: String(id), score: id, metadata: null, operationId: null },
        }),
      );
      const outcomes = await Promise.allSettled(submitted.map(({ committed }) => committed));
      await Promise.allSettled(submitted.map(({ ranked }) => ranked));
      const rows = await db.database.query<{ owner: string }>(
        sql`SELECT owner FROM score_submissions`,
      );
      // Each is in the ledger once, though groups were tried several times.
      expect(rows).toHaveLength(HEALTHY.length);
      return outcomeOf(ids.filter((_, at) => outcomes[at]?.status === "fulfilled"));
    },
  },
  {
    loop: "flush of counters, with a shard whose row another session holds",
    async run() {
      const db = await database();
      await stockProducts(db.database, 9);
      const redis = testRedis();
      const kit = await openCounterKit({ url: redis.url, keys: redis.keys, database: db.database });
      const all = [...HEALTHY, POISONED];
      for (const id of all) await kit.share(id);
      await kit.flush();
      for (const id of all) await kit.share(id);
      const sharesOf = async (id: number) => (await kit.stored(id)).shares;
      const outcome = await db.database.transaction(
        async (tx) => {
          await tx.query(
            sql`SELECT FROM product_tallies WHERE product_id = ${POISONED}::bigint FOR UPDATE`,
          );
          await expect(kit.flush()).rejects.toBeInstanceOf(DatabaseUnavailable);
          const shares = await Promise.all(all.map(sharesOf));
          return outcomeOf(all.filter((_, at) => shares[at] === 2));
        },
        { patient: true },
      );
      await kit.flush();
      expect(await sharesOf(POISONED)).toBe(2);
      return outcome;
    },
  },
  {
    loop: "flush of counters, with a shard that Postgres refuses",
    async run() {
      const db = await database();
      await stockProducts(db.database, 9);
      await refuse(db, "product_tallies", "product_id");
      const redis = testRedis();
      const kit = await openCounterKit({ url: redis.url, keys: redis.keys, database: db.database });
      for (let id = 1; id <= 9; id++) await kit.share(id);
      await expect(kit.flush()).rejects.toThrow("poisoned");
      const rows = await db.database.query<{ product_id: number }>(
        sql`SELECT product_id FROM product_tallies WHERE period = 'all'`,
      );
      await db.database.query(sql`DROP TRIGGER refuse ON product_tallies`);
      await kit.flush();
      expect(await kit.stored(POISONED)).toMatchObject({ shares: 1 });
      return outcomeOf(rows.map((row) => row.product_id));
    },
  },
  {
    loop: "flush of counters, with a tally that Redis refuses to read",
    async run() {
      const db = await database();
      await stockProducts(db.database, 9);
      const redis = testRedis();
      const kit = await openCounterKit({ url: redis.url, keys: redis.keys, database: db.database });
      for (let id = 1; id <= 9; id++) await kit.share(id);
      const batches = (await kit.connection.keys(`${redis.prefix}*`)).filter((key) =>
        key.includes("counter"),
      );
      const [pending] = batches.filter((key) => key.endsWith("pending"));
      if (pending)
        await kit.connection.hset(
          pending,
          `nonsense:all:views`,
          "1",
          `${POISONED}:all:views`,
          "many",
        );
      await kit.flush();
      const rows = await db.database.query<{ product_id: number }>(
        sql`SELECT product_id FROM product_tallies WHERE period = 'all'`,
      );
      return { ...outcomeOf(rows.map((row) => row.product_id)), poisoned: false };
    },
  },
  {
    loop: "popularity of products",
    async run() {
      const db = await database();
      await stockDue(db);
      await refuse(db, "products", "id");
      const { log, lines } = rememberingLog();
      await openPopularity(db, log).refresh();
      expect(
        lines.filter(
          (line) => line.includes('"level":50') && line.includes(`"productId":${POISONED}`),
        ),
      ).toHaveLength(1);
      const rows = await db.database.query<{ id: number }>(
        sql`SELECT id FROM products WHERE popularity > 0`,
      );
      return outcomeOf(rows.map(({ id }) => id));
    },
  },
  {
    loop: "popularity of products, one of which another session holds and one is refused",
    async run() {
      const db = await database();
      await stockDue(db);
      await refuse(db, "products", "id", 7);
      const popularity = openPopularity(db, testLog());
      const popular = () =>
        db.database.query<{ id: number }>(
          sql`SELECT id FROM products WHERE popularity > 0 ORDER BY id`,
        );
      const before = await db.database.transaction(async (tx) => {
        await tx.query(sql`SELECT FROM products WHERE id = ${POISONED} FOR UPDATE`);
        expect(await popularity.refresh()).toBe(HEALTHY.length - 1);
        return popular();
      });
      expect(await popularity.refresh()).toBe(1);
      expect((await popular()).map(({ id }) => id)).toEqual([1, 2, 3, 4, 5, 6, 8, 9]);
      return outcomeOf([...before.map(({ id }) => id), 7]);
    },
  },
  {
    loop: "broadcast to users",
    async run() {
      const db = await database();
      await makeUsers(db);
      await refuse(db, "notifications", "user_id");
      const { sending, broadcasts } = openSending(db);
      await sending.send(SERVICE, { content: CONTENT, to: "everyone" });
      await until("the user to be alone, and set aside", async () => {
        while (await broadcasts.step());
        return isDeepStrictEqual(await partsOf(db), [
          { from: POISONED, to: POISONED, attempts: 2, waits: 0, setAside: true },
        ]);
      });
      const rows = await db.database.query<{ user_id: number }>(
        sql`SELECT user_id FROM notifications`,
      );
      expect(rows).toHaveLength(HEALTHY.length);
      return outcomeOf(rows.map((row) => row.user_id));
    },
  },
  {
    loop: "broadcast to users, one of whom another session holds",
    run: () =>
      broadcastBeside((tx) =>
        tx.query(sql`SELECT FROM notification_logs WHERE user_id = ${POISONED} FOR UPDATE`),
      ),
  },
  {
    loop: "broadcast to users, one of whom an administrator holds",
    run: () =>
      broadcastBeside((tx) => tx.query(sql`SELECT FROM users WHERE id = ${POISONED} FOR UPDATE`)),
  },
  {
    loop: "broadcasts one behind the other",
    async run() {
      const db = await database();
      await makeUsers(db);
      await refuse(db, "notifications", "content_id");
      const { sending, broadcasts } = openSending(db);
      await db.database.query(
        sql`SELECT setval(pg_get_serial_sequence('notification_contents', 'id'), 1, false)`,
      );
      for (let sent = 1; sent <= 9; sent++)
        await sending.send(SERVICE, { content: CONTENT, to: "everyone" });
      await until(
        "the poisoned broadcast to be alone, and set aside with the users that it was tried for",
        async () => {
          while (await broadcasts.step());
          const parts = await partsOf(db);
          return isDeepStrictEqual(
            parts.map(({ from, to, setAside }) => [from, to, setAside]),
            [
              [3, 9, true],
              [1, 1, true],
              [2, 2, true],
            ],
          );
        },
      );
      const rows = await db.database.query<{ content_id: number }>(
        sql`SELECT DISTINCT content_id FROM notifications`,
      );
      return outcomeOf(rows.map((row) => row.content_id));
    },
  },
  {
    loop: "entries of the logs of many users",
    async run() {
      const redis = testRedis();
      const connection = connectRedis({ url: redis.url, role: "requests", log: testLog() });
      onTestFinished(() => connection.disconnect());
      await whenReady(connection, 30_000);
      const tail = createEventLogTail(testCaller(connection), redis.keys, {
        entries: 10,
        keepMs: 60_000,
      });
      for (let id = 1; id <= 9; id++) {
        await tail.end(notificationTopic(id), "caller");
        await tail.load(notificationTopic(id), "caller", 0);
      }
      await connection.set(redis.keys.eventLogState("notification", POISONED), "not a hash");
      const to = Array.from({ length: 9 }, (_, at) => ({
        userId: at + 1,
        sequence: 1,
        id: at + 1,
        unread: 1,
      }));
      const apply = createApplyNotifications(tail)({
        type: "delivered",
        content: CONTENT,
        createdAt: "",
        to,
      });
      await expect(apply).rejects.toThrow();
      const found = await Promise.all(
        to.map(async ({ userId }) => {
          const read = await tail
            .read(notificationTopic(userId), 0, 5, "caller")
            .catch(() => "refused" as const);
          return typeof read === "object" && read.entries.length === 1 ? [userId] : [];
        }),
      );
      return outcomeOf(found.flat());
    },
  },
  {
    loop: "listeners of a topic and of a resync",
    async run() {
      const redis = testRedis();
      const [publisher, subscriber] = (["requests", "subscriber"] as const).map((role) =>
        connectRedis({ url: redis.url, role, log: testLog() }),
      );
      if (!publisher || !subscriber) throw new Error("no connection");
      onTestFinished(() => {
        publisher.disconnect();
        subscriber.disconnect();
      });
      const pubsub = createPubSub({
        publisher,
        subscriber,
        keys: redis.keys,
        heartbeatMs: 50,
        telemetry: silentTelemetry,
        log: testLog(),
      });
      onTestFinished(() => pubsub.close());
      const [heard, resynced]: [Set<number>, Set<number>] = [new Set(), new Set()];
      const throwing = (into: Set<number>, id: number) => () => {
        if (id === POISONED) throw new Error("a listener that fails");
        into.add(id);
      };
      for (let id = 1; id <= 9; id++) {
        pubsub.onResync(throwing(resynced, id));
        await pubsub.subscribe(SESSIONS_TOPIC, throwing(heard, id));
      }
      await publisher.publish(redis.keys.topic("sessionsEnded", 0), "no JSON {");
      await pubsub.publish(SESSIONS_TOPIC, { userId: 1 });
      subscriber.disconnect(true);
      await until(
        "all healthy listeners to hear",
        () => heard.size === HEALTHY.length && resynced.size === HEALTHY.length,
      );
      return outcomeOf([...heard]);
    },
  },
  {
    loop: "pruning of tables",
    async run() {
      const pruned = new Set<number>();
      const prune = (id: number) => async () => {
        if (id === POISONED) throw new Error("a table that fails");
        pruned.add(id);
      };
      const tables = Object.fromEntries(
        Array.from({ length: 9 }, (_, at) => [`table ${at + 1}`, { prune: prune(at + 1) }]),
      );
      const { log, lines } = rememberingLog();
      const database = { listen: () => Promise.reject(new Error("pruning is not woken")) };
      const runner = { database, health: createJobHealth(log) };
      const jobs = await Promise.all(
        Object.entries(tables).map(([name, table]) => startJob(runner, pruneJob(name, table, 1))),
      );
      await until("a run of each", () => lines.length > 0 && pruned.size === HEALTHY.length);
      await Promise.all(jobs.map((job) => job.close()));
      expect(lines[0]).toContain(`table ${POISONED}`);
      return outcomeOf([...pruned]);
    },
  },
  {
    loop: "closing of what was opened",
    async run() {
      const closed: number[] = [];
      const closing = new Disposer();
      for (let id = 1; id <= 9; id++)
        closing.add(() => {
          if (id === POISONED) throw new Error("a step that fails");
          closed.push(id);
        });
      await expect(closing.run()).rejects.toThrow("a step that fails");
      return outcomeOf(closed);
    },
  },
];

const CONTENT = { kind: "news", title: "t", body: "b", url: null, expiresAt: null };

/** Products whose popularity is to be computed anew. */
async function stockDue({ database }: TestDatabase): Promise<void> {
  await stockProducts(database, 9);
  await database.query(
    sql`INSERT INTO product_tallies (product_id, period, views)
      SELECT n, 'all', 50 FROM generate_series(1, 9) n`,
  );
  await database.query(sql`INSERT INTO popularity_due (product_id) SELECT generate_series(1, 9)`);
}

const openPopularity = ({ database }: TestDatabase, log: Logger) =>
  createPopularity({
    database,
    outboxTable: createOutboxTable(database),
    outbox: NOTHING_TO_SETTLE,
    log,
  });

/** Announces nothing. */
const NOTHING_TO_SETTLE = { dispatch: async () => ({ count: 0, bypassUntilMs: 0 }) };

function openSending({ database }: TestDatabase, retryMs = 1) {
  const [outboxTable, eventLogs, table] = [
    createOutboxTable(database),
    createNotificationLogTable(database),
    createBroadcastTable(),
  ];
  const parts = { database, outboxTable, outbox: NOTHING_TO_SETTLE, eventLogs, broadcasts: table };
  return {
    sending: createNotificationSending({
      ...parts,
      inboxes: createNotificationTable(database),
      operations: createOperationTable(database),
      clock: { nowMs: () => Date.now() },
    }),
    broadcasts: createBroadcasts({ ...parts, retry: { retryMs, attemptsMax: 2 }, log: testLog() }),
  };
}

/**
 * A broadcast beside a session that holds something of the poisoned user, who gets theirs when it
 * has ended.
 */
async function broadcastBeside(hold: (tx: Tx) => Promise<unknown>): Promise<Outcome> {
  const db = await database();
  await makeUsers(db);
  const { sending, broadcasts } = openSending(db);
  await sending.send(SERVICE, { content: CONTENT, to: HEALTHY.concat(POISONED) });
  await sending.send(SERVICE, { content: CONTENT, to: "everyone" });
  const received = () =>
    db.database.query<{ user_id: number }>(
      sql`SELECT user_id FROM notifications WHERE content_id = 2`,
    );
  const before = await db.database.transaction(async (tx) => {
    await hold(tx);
    await until("all other users to have theirs, and the last to be tried again", async () => {
      while (await broadcasts.step());
      const [part, ...more] = await partsOf(db);
      return part?.from === POISONED && part.to === POISONED && part.waits > 2 && more.length === 0;
    });
    expect(await partsOf(db)).toMatchObject([{ attempts: 0, setAside: false }]);
    return received();
  });
  await until("the last user to have theirs", async () => {
    while (await broadcasts.step());
    return (await partsOf(db)).length === 0;
  });
  expect((await received()).map((row) => row.user_id).sort()).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  return outcomeOf(before.map((row) => row.user_id));
}

/** What is left of broadcasts: each part with its users. */
const partsOf = ({ database }: TestDatabase) =>
  database.query<{
    from: number;
    to: number;
    attempts: number;
    waits: number;
    setAside: boolean;
  }>(sql`
    SELECT done_to + 1 AS from, last_user AS to, attempts, waits,
      set_aside_at IS NOT NULL AS "setAside"
    FROM notification_broadcast_parts ORDER BY id`);

describe("a loop with one poisoned item", () => {
  test.each(LOOPS)(
    "In the $loop, every healthy item is done and the poisoned one is not.",
    async ({ run }) => {
      expect(await run()).toEqual({ done: HEALTHY, poisoned: false });
    },
  );
});

test("Sessions that lock users delay no others and no broadcasts; all get each once.", async () => {
  const db = await database();
  await db.database.query(sql`INSERT INTO users (id, tag, email, name, password_hash, role)
    SELECT n, 'tag-' || n, n || '@test.example', 'Somebody', 'x', 'CUSTOMER'
    FROM generate_series(1, 1200) n`);
  const { sending, broadcasts } = openSending(db, 3_600_000);
  await db.database.query(
    sql`INSERT INTO notification_logs (user_id, sequence, unread) SELECT id, 0, 0 FROM users`,
  );
  for (let sent = 0; sent < 2; sent++)
    await sending.send(SERVICE, { content: CONTENT, to: "everyone" });
  const received = async () => {
    const [row] = await db.database.query<{ rows: number; pairs: number; users: number }>(
      sql`SELECT count(*)::int AS rows, count(DISTINCT (user_id, content_id))::int AS pairs,
        count(DISTINCT user_id)::int AS users
        FROM notifications`,
    );
    return row;
  };
  const isHeld = sql`(user_id <= 600 OR user_id % 100 = 0)`;
  await db.database.transaction(async (tx) => {
    await tx.query(sql`SELECT FROM notification_logs WHERE ${isHeld} FOR UPDATE`);
    // Three steps of 500 users and the last one, for each broadcast.
    for (let steps = 0; steps < 8; steps++) await broadcasts.step();
    expect(await received()).toEqual({ rows: 2 * 594, pairs: 2 * 594, users: 594 });
    // Users 1 to 500, 501 to 600, and the six hundredth ones behind them.
    expect(await partsOf(db)).toHaveLength(2 * 8);
  });
  await createBroadcastOperating(db.database).retry("all");
  while (await broadcasts.step());
  expect(await partsOf(db)).toEqual([]);
  expect(await received()).toEqual({ rows: 2400, pairs: 2400, users: 1200 });
});

test("A broadcast waits for long work on a table, unharmed, and others go on.", async () => {
  const db = await database();
  await makeUsers(db);
  const { sending, broadcasts } = openSending(db);
  await sending.send(SERVICE, { content: CONTENT, to: "everyone" });
  await db.database.transaction(async (tx) => {
    await tx.query(sql`LOCK TABLE notifications IN ACCESS EXCLUSIVE MODE`);
    await until("three tries", async () => {
      await broadcasts.step();
      return (await partsOf(db))[0]?.waits === 3;
    });
    expect(await partsOf(db)).toEqual([{ from: 1, to: 9, attempts: 0, waits: 3, setAside: false }]);
  });
  await until("the broadcast to be done", async () => {
    while (await broadcasts.step());
    return (await partsOf(db)).length === 0;
  });
  expect(await db.database.query(sql`SELECT FROM notifications`)).toHaveLength(9);
});

test("A broadcast whose last step is refused is retried with backoff, and set aside.", async () => {
  const db = await database();
  await makeUsers(db);
  const { sending, broadcasts } = openSending(db);
  await db.database.query(
    sql`CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql
      AS $$ BEGIN RAISE EXCEPTION 'no'; END $$`,
  );
  await db.database.query(
    sql`CREATE TRIGGER keep BEFORE DELETE ON notification_broadcast_parts
      FOR EACH ROW EXECUTE FUNCTION keep()`,
  );
  await sending.send(SERVICE, { content: CONTENT, to: "everyone" });
  await until("it to be set aside", async () => {
    while (await broadcasts.step());
    return (await partsOf(db))[0]?.setAside;
  });
  expect(await partsOf(db)).toMatchObject([{ attempts: 2, setAside: true }]);
  expect(await db.database.query(sql`SELECT FROM notifications`)).toHaveLength(9);
});

test("Halving finds exactly the poisoned items, and does every other one once.", async () => {
  const items = fc.uniqueArray(fc.nat(200), { maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(items, fc.func(fc.boolean()), async (all, isPoisoned) => {
      const [done, poisoned]: [number[], number[]] = [[], []];
      const work = async (some: readonly number[]) => {
        if (some.some((item) => isPoisoned(item))) throw new Error("poisoned");
        done.push(...some);
      };
      if (all.length > 0) await bisect(all, work, (item) => void poisoned.push(item));
      expect([done, poisoned]).toEqual([
        all.filter((item) => !isPoisoned(item)),
        all.filter((item) => isPoisoned(item)),
      ]);
    }),
    { seed: 9, numRuns: 200 },
  );
});

test("A server that is away is no item's fault: the work is tried once, and rejects.", async () => {
  let tried = 0;
  const work = async () => {
    tried += 1;
    throw new DatabaseUnavailable();
  };
  await expect(bisect([1, 2, 3, 4], work, () => {})).rejects.toBeInstanceOf(DatabaseUnavailable);
  expect(tried).toBe(1);
});

test("A look at all boards ends early without Redis, and later reaches them all.", async () => {
  const [db, redis] = [await database(), testRedis()];
  const open = () => openBoards({ database: db.database, url: redis.url, keys: redis.keys });
  const kit = await open();
  for (const _ of HEALTHY) await kit.leaderboards.create(SERVICE, boardDraft());
  kit.connection.disconnect();
  await expect(kit.upkeep.run()).rejects.toThrow("3 leaderboards need another look");
  await (await open()).upkeep.run();
});
