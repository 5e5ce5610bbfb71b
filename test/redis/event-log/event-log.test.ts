/**
 * The two kinds of logs in Redis: what they keep, what they announce, and that they never say
 * "nothing is newer" when they cannot know.
 */
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { createKeys, type Keys } from "../../../src/redis/client/keys.js";
import { startRedisCluster, startRedisServer, testRedis } from "../../support/redis.js";
import type { RedisCluster } from "../../support/redis-cluster.js";
import { until } from "../../support/until.js";
import { hearing, openLogs, topic } from "./event-log.fixture.js";

const NAMES = (count: number, from = 1): string[] =>
  Array.from({ length: count }, (_, index) => `entry ${from + index}`);

describe.each(["one server", "a Cluster"])("on %s", (place) => {
  let cluster: RedisCluster | null = null;
  beforeAll(async () => {
    if (place === "a Cluster") cluster = await startRedisCluster();
  });
  afterAll(() => cluster?.stop());

  /** A server or Cluster with keys of the test's own, and a node to listen on. */
  function there(): { url: string; nodeUrl: string; keys: Keys } {
    if (cluster)
      return {
        url: cluster.url,
        nodeUrl: cluster.nodes[0]!.url,
        keys: createKeys(`${performance.now()}:`),
      };
    const { url, keys } = testRedis();
    return { url, nodeUrl: url, keys };
  }

  describe("a log that lives in Redis alone", () => {
    it("keeps entries in order, and answers what follows a position, page by page", async () => {
      const { log } = await openLogs(there());
      const start = await log.end(topic(1));
      for (const name of NAMES(5)) await log.append(topic(1), name, name);
      const page = await log.read(topic(1), start, 3);
      expect(page).toMatchObject({
        more: true,
        next: { sequence: 3 },
        entries: NAMES(3).map((event) => ({ event })),
      });
      if ("reason" in page) throw new Error(page.reason);
      expect(await log.read(topic(1), page.next, 3)).toMatchObject({
        more: false,
        entries: NAMES(2, 4).map((event) => ({ event })),
      });
      expect(await log.end(topic(1))).toEqual({ epoch: start.epoch, sequence: 5 });
    });

    it("It appends once per operation, however many connections repeat it.", async () => {
      const at = there();
      const [a, b] = [await openLogs(at), await openLogs(at)];
      const places = await Promise.all(
        [a, b, a, b].map(({ log }) => log.append(topic(1), "once", "operation")),
      );
      expect(new Set(places.map(({ sequence }) => sequence))).toEqual(new Set([1]));
      expect((await a.log.append(topic(1), "again", "another")).sequence).toBe(2);
    });

    it("announces each entry with its position, on the channel of its topic", async () => {
      const at = there();
      const { log } = await openLogs(at);
      const heard = await hearing(at.nodeUrl, at.keys, 1);
      const { epoch } = await log.append(topic(1), "a", "1");
      await log.append(topic(1), "a", "1");
      await log.append(topic(1), "b", "2");
      await until("both to be heard", () => heard.length === 2);
      expect(heard.map((text) => JSON.parse(text) as unknown)).toEqual(
        [1, 2].map((sequence) => ({ epoch, sequence })),
      );
    });

    it("is bounded in count, and says TRIMMED where the rest would begin", async () => {
      const { log } = await openLogs({ ...there(), entries: 3 });
      const start = await log.end(topic(1));
      for (const name of NAMES(10)) await log.append(topic(1), name, name);
      expect(await log.read(topic(1), start, 10)).toEqual({
        reason: "TRIMMED",
        resumeFrom: { ...start, sequence: 7 },
      });
      expect(await log.read(topic(1), { ...start, sequence: 7 }, 10)).toMatchObject({
        entries: NAMES(3, 8).map((event) => ({ event })),
      });
    });

    it("is bounded in age", async () => {
      const at = there();
      const { log, connection } = await openLogs({ ...at, keepMs: 200 });
      const start = await log.end(topic(1));
      for (const name of NAMES(40)) await log.append(topic(1), name, name);
      // Kept alive by what is appended meanwhile; each append takes up to fifteen that are too old
      // along.
      await until("the old ones to go", async () => {
        await log.append(topic(1), "young", `${performance.now()}`);
        const page = await log.read(topic(1), start, 100);
        return "reason" in page && page.reason === "TRIMMED" && page.resumeFrom.sequence >= 40;
      });
      expect(await connection.xlen(at.keys.log("notification", 1))).toBeGreaterThan(0);
    });

    it("It says EPOCH_CHANGED and where to go on after a flush, or CURSOR_INVALID.", async () => {
      const at = there();
      const { log, connection } = await openLogs(at);
      const old = await log.append(topic(1), "lost", "1");
      expect(await log.read(topic(1), { ...old, sequence: 99 }, 10)).toEqual({
        reason: "CURSOR_INVALID",
        resumeFrom: old,
      });
      await connection.unlink(at.keys.log("notification", 1), at.keys.logState("notification", 1));
      const next = await log.append(topic(1), "new", "2");
      const gap = await log.read(topic(1), old, 10);
      expect(gap).toEqual({
        reason: "EPOCH_CHANGED",
        resumeFrom: { epoch: next.epoch, sequence: 0 },
      });
      if (!("reason" in gap)) throw new Error("no gap");
      expect(await log.read(topic(1), gap.resumeFrom, 10)).toMatchObject({
        entries: [{ event: "new" }],
      });
    });
  });

  describe("the tail of a durable log", () => {
    it("It is empty until loaded; then it keeps what is appended, and knows its end.", async () => {
      const { tail } = await openLogs(there());
      await tail.append(topic(1), 1, "before");
      expect(await tail.read(topic(1), 0, 10, "me")).toBe("not-loaded");
      expect(await tail.load(topic(1), "me", 1)).toBe(true);
      expect(await tail.read(topic(1), 1, 10, "me")).toMatchObject({ last: 1, entries: [] });
      await tail.append(topic(1), 2, "a");
      await tail.append(topic(1), 3, "b");
      await tail.append(topic(1), 3, "b");
      expect(await tail.read(topic(1), 1, 10, "me")).toMatchObject({
        last: 3,
        entries: [
          { sequence: 2, text: "a" },
          { sequence: 3, text: "b" },
        ],
      });
    });

    it("It is not loaded by a look older than an entry, a flush or another loader.", async () => {
      const at = there();
      const { tail, connection } = await openLogs(at);
      const interruptions = [
        () => tail.append(topic(1), 7, "meanwhile"),
        () => connection.unlink(at.keys.logState("notification", 1)),
        () => tail.read(topic(1), 0, 10, "another"),
      ];
      for (const interrupt of interruptions) {
        expect(await tail.read(topic(1), 0, 10, "me")).toBe("not-loaded");
        await interrupt();
        expect(await tail.load(topic(1), "me", 6)).toBe(false);
        expect(await tail.end(topic(1), "me")).toBe("not-loaded");
      }
    });

    it("It shows a hole where an entry came out of order, yet announces that entry.", async () => {
      const at = there();
      const { tail } = await openLogs(at);
      const heard = await hearing(at.nodeUrl, at.keys, 1);
      await tail.end(topic(1), "me");
      await tail.load(topic(1), "me", 0);
      for (const sequence of [1, 3, 2]) await tail.append(topic(1), sequence, `entry ${sequence}`);
      const found = await tail.read(topic(1), 0, 10, "me");
      expect(found).toMatchObject({ last: 3, entries: [{ sequence: 1 }, { sequence: 3 }] });
      await until("three to be heard", () => heard.length === 3);
      expect(heard.map((text) => (JSON.parse(text) as { sequence: number }).sequence)).toEqual([
        1, 3, 2,
      ]);
    });

    it("is bounded in count", async () => {
      const { tail } = await openLogs({ ...there(), entries: 5 });
      await tail.end(topic(1), "me");
      await tail.load(topic(1), "me", 0);
      for (let sequence = 1; sequence <= 20; sequence++)
        await tail.append(topic(1), sequence, `entry ${sequence}`);
      const found = await tail.read(topic(1), 0, 100, "me");
      expect(found).toMatchObject({
        last: 20,
        entries: [16, 17, 18, 19, 20].map((sequence) => ({ sequence })),
      });
    });
  });
});

describe("on a server that", () => {
  async function privateServer(args: string[] = []) {
    const server = await startRedisServer({ args });
    onTestFinished(() => server.stop());
    return { server, at: { url: server.url, keys: createKeys() } };
  }

  it("came back with its memory, neither kind goes on as if it had lost nothing", async () => {
    const { server, at } = await privateServer(["--appendonly", "yes", "--appendfsync", "always"]);
    const { log, tail } = await openLogs(at);
    const old = await log.append(topic(1), "a", "1");
    await tail.end(topic(2), "me");
    await tail.load(topic(2), "me", 5);
    await server.restart();
    await until("an answer", async () => (await tail.end(topic(2), "me")) === "not-loaded");
    expect(await log.read(topic(1), old, 10)).toMatchObject({ reason: "EPOCH_CHANGED" });
  });

  it("is full, durable entries are announced and a log of Redis alone refuses", async () => {
    const { server, at } = await privateServer();
    const { log, tail } = await openLogs(at);
    await tail.end(topic(1), "me");
    await tail.load(topic(1), "me", 0);
    const admin = new Redis(server.url);
    onTestFinished(() => admin.disconnect());
    const heard = await hearing(server.url, at.keys, 1);
    await admin.config("SET", "maxmemory", "1");
    await tail.append(topic(1), 1, "a");
    await until("it to be heard", () => heard.length === 1);
    expect(await tail.read(topic(1), 0, 10, "me")).toBe("not-loaded");
    await expect(log.append(topic(2), "a", "1")).rejects.toMatchObject({
      code: "SERVICE_UNAVAILABLE",
    });
    await admin.config("SET", "maxmemory", "0");
    expect((await log.append(topic(2), "a", "1")).sequence).toBe(1);
  });
});
