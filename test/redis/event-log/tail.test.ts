/**
 * The tails of logs: what they keep, what they announce, and that they never say "nothing is newer"
 * when they cannot know.
 */
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { createKeys, type Keys } from "../../../src/redis/client/keys.js";
import { startRedisCluster, startRedisServer, testRedis } from "../../support/redis.js";
import type { RedisCluster } from "../../support/redis-cluster.js";
import { until } from "../../support/until.js";
import { hearing, openTails, topic } from "./tail.fixture.js";

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

  describe("the tail of a durable log", () => {
    it("A tail is empty until loaded, then keeps what is appended and knows its end.", async () => {
      const { tail } = await openTails(there());
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

    it("A look older than an entry, a flush or another loader loads no tail.", async () => {
      const at = there();
      const { tail, connection } = await openTails(at);
      const interruptions = [
        () => tail.append(topic(1), 7, "meanwhile"),
        () => connection.unlink(at.keys.eventLogState("notification", 1)),
        () => tail.read(topic(1), 0, 10, "another"),
      ];
      for (const interrupt of interruptions) {
        expect(await tail.read(topic(1), 0, 10, "me")).toBe("not-loaded");
        await interrupt();
        expect(await tail.load(topic(1), "me", 6)).toBe(false);
        expect(await tail.end(topic(1), "me")).toBe("not-loaded");
      }
    });

    it("A tail shows a hole for an entry out of order, yet announces that entry.", async () => {
      const at = there();
      const { tail } = await openTails(at);
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

    it("The tail of a log is bounded in count.", async () => {
      const { tail } = await openTails({ ...there(), entries: 5 });
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

    it("The tail of a log is bounded in age.", async () => {
      const at = there();
      const { tail, connection } = await openTails({ ...at, keepMs: 200 });
      await tail.end(topic(1), "me");
      await tail.load(topic(1), "me", 0);
      let sequence = 0;
      const append = () => tail.append(topic(1), ++sequence, `entry ${sequence}`);
      while (sequence < 40) await append();
      // Kept alive by what is appended meanwhile; each append takes up to fifteen that are too old
      // along.
      await until("the old ones to go", async () => {
        await append();
        const found = await tail.read(topic(1), 0, 100, "me");
        return found !== "not-loaded" && (found.entries[0]?.sequence ?? 0) > 40;
      });
      expect(await connection.xlen(at.keys.eventLog("notification", 1))).toBeGreaterThan(0);
    });
  });
});

describe("on a server of its own", () => {
  async function privateServer(args: string[] = []) {
    const server = await startRedisServer({ args });
    onTestFinished(() => server.stop());
    return { server, at: { url: server.url, keys: createKeys() } };
  }

  it("A tail does not go on as if a server that came back had lost nothing.", async () => {
    const { server, at } = await privateServer(["--appendonly", "yes", "--appendfsync", "always"]);
    const { tail } = await openTails(at);
    await tail.end(topic(2), "me");
    await tail.load(topic(2), "me", 5);
    await server.restart();
    await until("an answer", async () => (await tail.end(topic(2), "me")) === "not-loaded");
  });

  it("A full server announces entries and gives their tail up.", async () => {
    const { server, at } = await privateServer();
    const { tail } = await openTails(at);
    await tail.end(topic(1), "me");
    await tail.load(topic(1), "me", 0);
    const admin = new Redis(server.url);
    onTestFinished(() => admin.disconnect());
    const heard = await hearing(server.url, at.keys, 1);
    await admin.config("SET", "maxmemory", "1");
    await tail.append(topic(1), 1, "a");
    await until("it to be heard", () => heard.length === 1);
    expect(await tail.read(topic(1), 0, 10, "me")).toBe("not-loaded");
  });
});
