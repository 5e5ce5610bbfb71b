/**
 * What a session store promises: dead is dead, whatever order things come in, and whatever Redis
 * remembers.
 */
import { copyFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { Redis } from "ioredis";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Revocation } from "../../../src/domain/account/session.js";
import { RedisUnavailable } from "../../../src/domain/errors.js";
import { createKeys } from "../../../src/redis/client/keys.js";
import type { FoundSession } from "../../../src/redis/session/session.js";
import { startRedisCluster, testRedis } from "../../support/redis.js";
import { startRedisServer } from "../../support/redis-server.js";
import { until } from "../../support/until.js";
import { listedIds, newSession, readyStore } from "./session.fixture.js";

const user = (epoch: number, keptId: string | null = null): Revocation => ({
  kind: "user",
  userId: 7,
  userTag: "tag",
  epoch,
  keptId,
});

const expiryOf = (found: FoundSession): number =>
  typeof found === "object" ? found.session.expiresMs : 0;

/** A store that was told of a user at epoch 1. */
async function knowingStore(options = {}) {
  const place = testRedis();
  const opened = await readyStore({ ...place, ...options });
  await opened.store.load("tag", { epoch: 1, revokedIds: [] });
  await opened.store.loadRevokedBefore(0);
  return { ...place, ...opened };
}

describe("a session", () => {
  it("Only its digest finds a session, with the values of its creation.", async () => {
    const { store } = await knowingStore();
    expect(await store.create(newSession("tag", "one"))).toEqual({
      leftMs: 600_000,
      madeRoom: false,
    });
    expect(await store.find("tag", "one")).toMatchObject({
      session: { id: "one", userId: 7, role: "CUSTOMER", device: "a test" },
    });
    expect([await store.find("tag", "other"), await store.find("stranger", "one")]).toEqual([
      "none",
      "none",
    ]);
  });

  it("A session of a lower level than required today is not found.", async () => {
    const { store, connection, keys } = await knowingStore();
    await store.create({ ...newSession("tag", "weak"), authLevel: 0 });
    await store.create(newSession("tag", "old"));
    await connection.hdel(keys.session("tag", "old"), "level");
    expect([
      await store.find("tag", "weak"),
      await store.find("tag", "old"),
      await store.list("tag"),
    ]).toEqual(["none", "none", []]);
  });

  it("A used session lives on, never beyond its cap.", async () => {
    const { store, connection, keys } = await knowingStore({ idleMs: 5_000, capMs: 8_000 });
    await store.create(newSession("tag", "one"));
    const created = Number(await connection.hget(keys.session("tag", "one"), "created"));
    // As if made six seconds ago.
    await connection.hset(keys.session("tag", "one"), "created", created - 6_000);
    const later = await store.touch("tag", "one");
    expect(later).toBe(created + 2_000);
    expect(await connection.pexpiretime(keys.session("tag", "one"))).toBe(later);
  });

  it("An expired session is dead before its key is gone.", async () => {
    const { store, connection, keys } = await knowingStore();
    await store.create(newSession("tag", "one"));
    await connection.zadd(keys.sessions("tag"), Date.now() - 1_000, "one");
    expect([await store.find("tag", "one"), await store.touch("tag", "one")]).toEqual([
      "none",
      null,
    ]);
  });

  it("Of too many sessions, the one that would end first goes.", async () => {
    const { store } = await knowingStore({ maxSessions: 3 });
    for (const id of ["a", "b", "c"]) await store.create(newSession("tag", id));
    await until(
      "the clock to move",
      async () => (await store.touch("tag", "a")) !== (await store.touch("tag", "b")),
    );
    await until("b to be older than a", async () => {
      const [a, b] = [await store.touch("tag", "a"), expiryOf(await store.find("tag", "b"))];
      return a !== null && a > b;
    });
    await store.touch("tag", "c");
    expect(await store.create(newSession("tag", "d"))).toMatchObject({ madeRoom: true });
    expect(await listedIds(store, "tag")).toEqual(["a", "c", "d"]);
    expect(await store.find("tag", "b")).toBe("none");
  });
});

describe("twenty sessions that are made at once", () => {
  it("Twenty sessions made at once leave as many as a user may have.", async () => {
    const { store } = await knowingStore({ maxSessions: 10 });
    await Promise.all(
      Array.from({ length: 20 }, (_, at) => store.create(newSession("tag", `s${at}`))),
    );
    expect(await store.list("tag")).toHaveLength(10);
  });
});

describe("a revocation", () => {
  it("A revocation of one session ends that one, and a repetition nothing.", async () => {
    const { store } = await knowingStore();
    for (const id of ["a", "b"]) await store.create(newSession("tag", id));
    const one: Revocation = { kind: "session", userId: 7, userTag: "tag", sessionId: "a" };
    expect([await store.revoke(one), await store.revoke(one)]).toEqual([1, 0]);
    expect(await listedIds(store, "tag")).toEqual(["b"]);
  });

  it("A revocation of a user ends all sessions but the kept one.", async () => {
    const { store } = await knowingStore();
    for (const id of ["a", "b", "c"]) await store.create(newSession("tag", id));
    expect(await store.revoke(user(2, "b"))).toBe(2);
    expect(await listedIds(store, "tag")).toEqual(["b"]);
    expect(await store.touch("tag", "b")).not.toBeNull();
  });

  it("After a revocation no touch and no session of the old epoch is written.", async () => {
    const { store, connection, keys } = await knowingStore();
    await store.create(newSession("tag", "a"));
    await store.revoke(user(2));
    const left = await connection.hgetall(keys.session("tag", "a"));
    expect([
      await store.touch("tag", "a"),
      await store.create(newSession("tag", "b", 1)),
      await store.find("tag", "b"),
    ]).toEqual([null, "ended", "none"]);
    expect(await connection.hgetall(keys.session("tag", "a"))).toEqual(left);
  });

  it("A revocation cannot keep a session that an earlier one ended.", async () => {
    const { store } = await knowingStore();
    for (const id of ["a", "b"]) await store.create(newSession("tag", id));
    await store.revoke(user(2, "b"));
    await store.revoke(user(3, "a"));
    expect(await store.list("tag")).toEqual([]);
  });

  it("A late revocation changes nothing.", async () => {
    const { store } = await knowingStore();
    await store.revoke(user(3));
    await store.create(newSession("tag", "a", 3));
    expect(await store.revoke(user(2))).toBe(0);
    expect(await store.load("tag", { epoch: 2, revokedIds: [] })).toBe(3);
    expect(await store.find("tag", "a")).toMatchObject({ session: { id: "a" } });
  });

  it("A revocation of all users ends earlier sessions and spares later ones.", async () => {
    const { store, connection, keys } = await knowingStore();
    await store.create(newSession("tag", "a"));
    const created = Number(await connection.hget(keys.session("tag", "a"), "created"));
    await store.revoke({ kind: "everyone", beforeMs: created });
    expect(await store.find("tag", "a")).toMatchObject({ session: { id: "a" } });
    await store.revoke({ kind: "everyone", beforeMs: created + 1 });
    expect(await store.find("tag", "a")).toBe("none");
    await store.revoke({ kind: "everyone", beforeMs: created - 1 });
    expect(await store.find("tag", "a")).toBe("none");
  });

  it("A revocation costs as many commands for 10,000 sessions as for 10.", async () => {
    const server = await startRedisServer();
    onTestFinished(() => server.stop());
    const { keys } = testRedis();
    const { store, connection } = await readyStore({ url: server.url, keys, maxSessions: 20_000 });
    const admin = connection as Redis;
    const commandsOf = async (revocation: Revocation): Promise<Record<string, number>> => {
      await admin.config("RESETSTAT");
      await store.revoke(revocation);
      const stats = (await admin.info("commandstats")).matchAll(/cmdstat_([\w|]+):calls=(\d+)/g);
      return Object.fromEntries(
        [...stats]
          .map(([, name, calls]) => [name, Number(calls)])
          .filter(([name]) => name !== "config|resetstat"),
      );
    };
    await store.loadRevokedBefore(0);
    await store.load("tag", { epoch: 1, revokedIds: [] });
    // Both scripts are known to the server from here on.
    await commandsOf(user(2));
    await commandsOf({ kind: "everyone", beforeMs: 1 });
    const costs = [];
    for (const [round, sessions] of [10, 10_000].entries()) {
      const epoch = round + 2;
      for (let from = 0; from < sessions; from += 500) {
        await Promise.all(
          Array.from({ length: Math.min(500, sessions - from) }, (_, at) =>
            store.create(newSession("tag", `${round}-${from + at}`, epoch)),
          ),
        );
      }
      expect(await admin.zcard(keys.sessions("tag"))).toBe(sessions);
      costs.push({
        user: await commandsOf(user(epoch + 1)),
        global: await commandsOf({ kind: "everyone", beforeMs: round + 2 }),
      });
      expect(await store.find("tag", `${round}-0`)).toBe("none");
    }
    expect(costs[1]).toEqual(costs[0]);
    expect(costs[0]?.user).toMatchObject({ evalsha: 1, unlink: 1 });
  });
});

describe("a Redis that may remember wrongly", () => {
  it("A restarted Redis judges no session until loaded, and revoked ones stay dead.", async () => {
    const server = await startRedisServer({
      args: ["--appendonly", "yes", "--appendfsync", "always"],
    });
    onTestFinished(() => server.stop());
    const { store, connection } = await readyStore({ url: server.url, keys: testRedis().keys });
    await store.load("tag", { epoch: 1, revokedIds: [] });
    await store.loadRevokedBefore(0);
    for (const id of ["a", "b"]) await store.create(newSession("tag", id));
    await server.kill();
    await server.restart();
    await until("the connection to be back", async () => (await connection.ping()) === "PONG");
    expect([
      await store.find("tag", "a"),
      await store.touch("tag", "a"),
      await store.create(newSession("tag", "c")),
      await listedIds(store, "tag"),
    ]).toEqual(["not-loaded", null, "not-loaded", "not-loaded"]);
    await store.load("tag", { epoch: 1, revokedIds: ["a"] });
    await store.loadRevokedBefore(0);
    expect([await store.find("tag", "a"), await store.find("tag", "b")]).toMatchObject([
      "none",
      { session: { id: "b" } },
    ]);
  });

  it("A restored older RDB revives no revoked session.", async () => {
    const server = await startRedisServer();
    onTestFinished(() => server.stop());
    const { keys } = testRedis();
    const { store, connection } = await readyStore({ url: server.url, keys });
    await store.load("tag", { epoch: 1, revokedIds: [] });
    await store.loadRevokedBefore(0);
    for (const id of ["a", "b", "c"]) await store.create(newSession("tag", id));
    await (connection as Redis).save();
    await copyFile(join(server.dir, "dump.rdb"), join(server.dir, "older.rdb"));
    await store.revoke({ kind: "session", userId: 7, userTag: "tag", sessionId: "a" });
    expect(await store.find("tag", "a")).toBe("none");
    await server.kill();
    await rm(join(server.dir, "dump.rdb"));
    await copyFile(join(server.dir, "older.rdb"), join(server.dir, "dump.rdb"));
    await server.restart();
    const reader = new Redis(server.url);
    onTestFinished(() => reader.disconnect());
    expect(await reader.zscore(keys.sessions("tag"), "a")).not.toBeNull();
    await until("the connection to be back", async () => (await connection.ping()) === "PONG");
    expect(await store.find("tag", "a")).toBe("not-loaded");
    await store.load("tag", { epoch: 1, revokedIds: ["a"] });
    await store.loadRevokedBefore(0);
    expect([await store.find("tag", "a"), await store.find("tag", "b")]).toMatchObject([
      "none",
      { session: { id: "b" } },
    ]);
    await store.revoke(user(2, "b"));
    expect([await store.find("tag", "c"), await store.find("tag", "b")]).toMatchObject([
      "none",
      { session: { id: "b" } },
    ]);
  });

  it("An epoch that was read before a revocation cannot undo it.", async () => {
    const { store, connection, keys } = await knowingStore();
    await store.create(newSession("tag", "a"));
    // As on another server: nothing here was loaded on this one.
    await connection.set(keys.sessionEpoch("tag"), "1@abc");
    await store.revoke(user(2));
    expect(await store.find("tag", "a")).toBe("not-loaded");
    await store.load("tag", { epoch: 1, revokedIds: [] });
    expect(await store.find("tag", "a")).toBe("none");
    await connection.set(keys.sessionsRevokedBefore(), "0@abc");
    await store.revoke({ kind: "everyone", beforeMs: 5 });
    expect(await store.loadRevokedBefore(0)).toBe("5");
  });
});

describe("in a Cluster", () => {
  it("Every script of sessions keeps to one slot of a Cluster.", async () => {
    const cluster = await startRedisCluster();
    onTestFinished(() => cluster.stop());
    const { store } = await readyStore({ url: cluster.url, keys: createKeys() });
    await store.loadRevokedBefore(0);
    for (const userTag of ["one", "two", "three", "four"]) {
      await store.load(userTag, { epoch: 1, revokedIds: [] });
      for (const id of ["a", "b", "c"]) await store.create(newSession(userTag, `${userTag}-${id}`));
      expect(await store.touch(userTag, `${userTag}-a`)).not.toBeNull();
      expect(await store.list(userTag)).toHaveLength(3);
      expect(
        await store.revoke({ kind: "session", userId: 7, userTag, sessionId: `${userTag}-a` }),
      ).toBe(1);
      expect(await store.revoke({ ...user(2, `${userTag}-b`), userTag } as Revocation)).toBe(1);
      expect(await listedIds(store, userTag)).toEqual([`${userTag}-b`]);
    }
    await store.revoke({ kind: "everyone", beforeMs: 1e13 });
    expect(await store.find("one", "one-b")).toBe("none");
  });
});

describe("without Redis", () => {
  it("Without Redis every call of sessions rejects within its deadline.", async () => {
    const server = await startRedisServer();
    const { store } = await readyStore({
      url: server.url,
      keys: testRedis().keys,
      deadlineMs: 100,
    });
    await server.kill("SIGSTOP");
    await expect(store.find("tag", "a")).rejects.toBeInstanceOf(RedisUnavailable);
    await expect(store.create(newSession("tag", "a"))).rejects.toBeInstanceOf(RedisUnavailable);
    await server.kill("SIGCONT");
    await server.stop();
    await expect(store.revoke(user(2))).rejects.toBeInstanceOf(RedisUnavailable);
  });
});
