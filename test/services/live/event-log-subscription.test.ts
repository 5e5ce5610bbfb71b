/**
 * The driver of log subscriptions over real servers: live and history in one order, whatever fails
 * in between.
 */

import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import {
  BEGINNING,
  type EventLogItem,
  type EventLogPosition,
  type EventLogStart,
} from "../../../src/domain/events/event-log.js";
import type { NotificationEvent } from "../../../src/domain/notification.js";
import { createKeys } from "../../../src/redis/client/keys.js";
import { numsub } from "../../support/numsub.js";
import { type TestDatabase, testDatabase } from "../../support/postgres.js";
import { startRedisCluster, startRedisServer } from "../../support/redis.js";
import type { RedisServer } from "../../support/redis-server.js";
import { until } from "../../support/until.js";
import { commit, type LogProcess, makeUsers, testProcess } from "./event-log.fixture.js";
import { MemoryLog } from "./memory-log.js";

let database: TestDatabase;
let server: RedisServer;
beforeAll(async () => {
  [database, server] = await Promise.all([testDatabase(), startRedisServer()]);
});
afterAll(async () => {
  await server?.stop();
  await database?.close();
});

const place = (extra: object = {}) => ({
  database,
  port: server.port,
  keys: createKeys(`${performance.now()}:`),
  ...extra,
});
const one = async (): Promise<number> => (await makeUsers(database, 1))[0] ?? 0;

/** Commits and announces, as a sender does. */
async function send(
  { outbox, outboxTable }: LogProcess,
  userId: number,
  ...names: string[]
): Promise<void> {
  for (const name of names)
    await outbox.dispatch(await commit(database, outboxTable, [userId], name));
}

async function take<Event>(
  reader: AsyncIterator<EventLogItem<Event>>,
  count: number,
): Promise<EventLogItem<Event>[]> {
  const items: EventLogItem<Event>[] = [];
  while (items.length < count) {
    const { done, value } = await reader.next();
    if (done) throw new Error(`ended after ${items.length} of ${count}`);
    items.push(value);
  }
  return items;
}

const told = (items: readonly EventLogItem<NotificationEvent>[]): string[] =>
  items.map((item) =>
    "reason" in item
      ? item.reason
      : item.event.type === "delivered"
        ? item.event.notification.title
        : "read",
  );
const positionOf = (item: EventLogItem<unknown> | undefined): EventLogPosition => {
  if (!item || "reason" in item) throw new Error("no entry");
  return item.position;
};

async function redisAdmin(): Promise<Redis> {
  const admin = new Redis(server.url);
  onTestFinished(() => admin.disconnect());
  return admin;
}

describe("a durable log", () => {
  it("A durable log hands history over to live events in one order, to all.", async () => {
    const [at, user] = [place(), await one()];
    const [a, b] = [await testProcess(at), await testProcess(at)];
    await send(a, user, "1", "2");
    const readers = [
      a.follow(user, BEGINNING),
      b.follow(user, BEGINNING),
      b.follow(user, BEGINNING),
    ];
    const first = await Promise.all(readers.map((reader) => take(reader, 2)));
    await send(b, user, "3");
    await send(a, user, "4");
    const rest = await Promise.all(readers.map((reader) => take(reader, 2)));
    for (const items of first.map((items, index) => [...items, ...(rest[index] ?? [])]))
      expect(told(items)).toEqual(["1", "2", "3", "4"]);
  });

  it("A log is one SUBSCRIBE per process, given back at once with the last reader.", async () => {
    const [at, user] = [place(), await one()];
    const process = await testProcess(at);
    const admin = await redisAdmin();
    const count = async () => (await numsub(admin, [at.keys.topic("notification", user)]))[0];
    const readers = Array.from({ length: 10 }, () => process.follow(user, "now"));
    const waiting = readers.map((reader) => reader.next());
    await until("the subscription", async () => (await count()) === 1);
    expect([process.subscriptions.eventLogs(), process.subscriptions.readers()]).toEqual([1, 10]);
    await Promise.all(readers.map((reader) => reader.return?.()));
    expect(await Promise.all(waiting)).toEqual(Array(10).fill({ done: true, value: undefined }));
    expect([process.subscriptions.eventLogs(), process.subscriptions.readers()]).toEqual([0, 0]);
    await until("its end", async () => (await count()) === 0);
  });

  it("A durable log reads an entry once for all readers of a process.", async () => {
    const [at, user] = [place(), await one()];
    const process = await testProcess(at);
    const readers = Array.from({ length: 20 }, () => process.follow(user, BEGINNING));
    await send(process, user, "first");
    await Promise.all(readers.map((reader) => take(reader, 1)));
    const waiting = readers.map((reader) => take(reader, 1));
    let reads = 0;
    const original = process.tail.read;
    Object.assign(process.tail, {
      read: (...args: Parameters<typeof original>) => {
        reads += 1;
        return original(...args);
      },
    });
    await send(process, user, "second");
    for (const items of await Promise.all(waiting)) expect(told(items)).toEqual(["second"]);
    expect(reads).toBe(1);
  });

  it("A hole of the tail is filled from Postgres, and nothing is skipped.", async () => {
    const [at, user] = [place(), await one()];
    const process = await testProcess(at);
    const reader = process.follow(user, BEGINNING);
    await send(process, user, "1");
    await take(reader, 1);
    const late = await commit(database, process.outboxTable, [user], "2");
    await send(process, user, "3");
    expect(told(await take(reader, 2))).toEqual(["2", "3"]);
    await process.outbox.dispatch(late);
    await send(process, user, "4");
    expect(told(await take(reader, 1))).toEqual(["4"]);
  });

  it("A log continues in Postgres where the tail is trimmed, flushed or out of reach.", async () => {
    const [at, user] = [place({ bounds: { entries: 3 } }), await one()];
    const [writer, process] = [await testProcess(at), await testProcess(at)];
    const names = Array.from({ length: 60 }, (_, index) => `${index}`);
    await take(process.follow(user, BEGINNING), 0);
    await send(writer, user, ...names);
    const [first] = await take(process.follow(user, BEGINNING), 1);
    const after = positionOf(first);
    expect(told(await take(process.follow(user, after), 59))).toEqual(names.slice(1));
    await (await redisAdmin()).unlink(
      at.keys.eventLog("notification", user),
      at.keys.eventLogState("notification", user),
    );
    expect(told(await take(process.follow(user, after), 59))).toEqual(names.slice(1));
    await process.proxy.cut();
    expect(told(await take(process.follow(user, after), 59))).toEqual(names.slice(1));
    await process.proxy.restore();
  });

  it("A log makes up for messages lost while cut off, hung up on, or in a black hole.", async () => {
    const [at, user] = [place(), await one()];
    const [writer, process] = [await testProcess(at), await testProcess(at)];
    const reader = process.follow(user, BEGINNING);
    await send(writer, user, "0");
    await take(reader, 1);
    const faults: [string, () => unknown, () => unknown][] = [
      ["cut", () => process.proxy.cut(), () => process.proxy.restore()],
      ["hung up", () => process.proxy.hangUp(), () => {}],
      ["black hole", () => process.proxy.blackHole(), () => process.proxy.restore()],
    ];
    for (const [name, begin, end] of faults) {
      const waiting = take(reader, 2);
      await begin();
      await send(writer, user, `${name} 1`, `${name} 2`);
      await end();
      expect(told(await waiting)).toEqual([`${name} 1`, `${name} 2`]);
    }
  });

  it("A source that fails is asked again by the same position.", async () => {
    const [at, user] = [place(), await one()];
    const process = await testProcess(at);
    let asked = 0;
    const source = {
      end: async () => BEGINNING,
      async read() {
        asked += 1;
        if (asked < 4) throw new Error("away");
        return {
          entries: [{ position: { epoch: "", sequence: 1 }, event: "at last" }],
          next: { epoch: "", sequence: 1 },
          more: false,
        };
      },
    };
    const reader = process.subscriptions.follow(
      { kind: "notification", id: user },
      source,
      BEGINNING,
    );
    expect(await reader.next()).toMatchObject({ value: { event: "at last" } });
    expect(asked).toBe(4);
  });

  it("A slow reader gets no gap, and reads on where it stopped, a page at a time.", async () => {
    const [at, user] = [place({ bounds: { entries: 5 } }), await one()];
    const process = await testProcess(at);
    const slow = process.follow(user, BEGINNING);
    await send(process, user, "0");
    await take(slow, 1);
    const names = Array.from({ length: 80 }, (_, index) => `${index + 1}`);
    await send(process, user, ...names);
    expect(told(await take(slow, 80))).toEqual(names);
  });

  it("A future or foreign position is CURSOR_INVALID, and the log goes on.", async () => {
    const [at, user] = [place(), await one()];
    const process = await testProcess(at);
    await send(process, user, "1");
    for (const start of [
      "invalid",
      { epoch: "", sequence: 99 },
      { epoch: "7", sequence: 1 },
    ] as const) {
      const reader = process.follow(user, start);
      expect(await take(reader, 1)).toMatchObject([{ reason: "CURSOR_INVALID" }]);
      await send(process, user, "next");
      expect(told(await take(reader, 1))).toEqual(["next"]);
    }
  });

  it("A closing process ends all readers of a log, and none begins after that.", async () => {
    const [at, user] = [place(), await one()];
    const process = await testProcess(at);
    const reader = process.follow(user, "now");
    const waiting = reader.next();
    await process.subscriptions.close();
    expect(await waiting).toEqual({ done: true, value: undefined });
    expect(await process.follow(user, "now").next()).toEqual({ done: true, value: undefined });
  });
});

it("Logs are followed through a Cluster, whichever node restarts.", async () => {
  const cluster = await startRedisCluster();
  onTestFinished(() => cluster.stop());
  const at = { ...place(), url: cluster.url };
  const [a, b] = [await testProcess(at), await testProcess(at)];
  const users = await makeUsers(database, 6);
  const readers = users.map((user) => b.follow(user, BEGINNING));
  const sendAll = async (name: string) => {
    for (const user of users)
      await a.outbox.dispatch(await commit(database, a.outboxTable, [user], name));
  };
  await sendAll("before");
  for (const reader of readers) expect(told(await take(reader, 1))).toEqual(["before"]);
  for (const [index, node] of cluster.nodes.entries()) {
    await node.restart();
    await sendAll(`restart ${index}`);
    await until("the outbox to be empty", async () => {
      await a.outbox.sendWaiting();
      return !(await a.outboxTable.hasUnsent());
    });
    for (const reader of readers) expect(told(await take(reader, 1))).toEqual([`restart ${index}`]);
  }
});

describe("a log that can lose history", () => {
  const topic = { kind: "notification", id: 1 } as const;
  const names = (items: readonly EventLogItem<string>[]): string[] =>
    items.map((item) => ("reason" in item ? item.reason : item.event));
  const append = ({ pubsub }: LogProcess, log: MemoryLog, event: string) =>
    pubsub.publish(topic, log.append(event));
  const follow = ({ subscriptions }: LogProcess, log: MemoryLog, start: EventLogStart) =>
    subscriptions.follow(topic, log, start);

  it("Every entry is delivered once and in order, and another process resumes.", async () => {
    const at = place();
    const [a, b] = [await testProcess(at), await testProcess(at)];
    const log = new MemoryLog(20);
    const reader = follow(a, log, await log.end());
    for (const name of ["1", "2", "3"]) await append(b, log, name);
    const items = await take(reader, 3);
    expect(names(items)).toEqual(["1", "2", "3"]);
    expect(names(await take(follow(b, log, positionOf(items[0])), 2))).toEqual(["2", "3"]);
  });

  it("Late readers get TRIMMED, slow ones SLOW_CONSUMER, and the log goes on.", async () => {
    const process = await testProcess(place());
    const log = new MemoryLog(5);
    const start = await log.end();
    const slow = follow(process, log, start);
    await append(process, log, "0");
    await take(slow, 1);
    // Asked for what is there, so that it knows that it has been told everything.
    const first = slow.next();
    await append(process, log, "1");
    await first;
    await until("it to be listening", () => process.subscriptions.readers() === 1);
    for (let count = 2; count <= 40; count++) await append(process, log, `${count}`);
    const witness = follow(process, log, await log.end());
    const heard = witness.next();
    await append(process, log, "41");
    await heard;
    const [gap, ...rest] = await take(slow, 6);
    expect(gap).toMatchObject({ reason: "SLOW_CONSUMER", resumeFrom: { sequence: 37 } });
    expect(names(rest)).toEqual(["37", "38", "39", "40", "41"]);
    const [trimmed] = await take(follow(process, log, start), 1);
    expect(trimmed).toMatchObject({ reason: "TRIMMED" });
  });

  it("After a loss every reader gets EPOCH_CHANGED, and then later entries.", async () => {
    const at = place();
    const [a, b] = [await testProcess(at), await testProcess(at)];
    const log = new MemoryLog(20);
    const start = await log.end();
    const readers = Array.from({ length: 20 }, (_, index) => follow(index % 2 ? a : b, log, start));
    await append(a, log, "old");
    const before = await Promise.all(readers.map((reader) => take(reader, 1)));
    log.lose();
    const waiting = readers.map((reader) => take(reader, 2));
    await append(b, log, "new");
    for (const items of await Promise.all(waiting))
      expect(names(items)).toEqual(["EPOCH_CHANGED", "new"]);
    expect(names(await take(follow(a, log, positionOf(before[0]?.[0])), 2))).toEqual([
      "EPOCH_CHANGED",
      "new",
    ]);
  });
});
