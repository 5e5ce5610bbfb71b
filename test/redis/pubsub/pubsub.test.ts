/**
 * Live messages between processes, on a real Redis: what is confirmed, what is given back, and what
 * a broken link costs.
 */

import fc from "fast-check";
import { Redis } from "ioredis";
import { describe, expect, onTestFinished, test } from "vitest";
import { RedisUnavailable } from "../../../src/domain/errors.js";
import type { Topic } from "../../../src/domain/events/events.js";
import { silentTelemetry } from "../../../src/domain/telemetry/telemetry.js";
import { connectRedis, whenReady } from "../../../src/redis/client/connect.js";
import { createPubSub, type PubSub } from "../../../src/redis/pubsub/pubsub.js";
import { createProxy, type FaultyProxy } from "../../support/faults.js";
import { rememberingLog, testLog } from "../../support/log.js";
import { numsub } from "../../support/numsub.js";
import { startRedisCluster, startRedisServer, testRedis } from "../../support/redis.js";
import { until } from "../../support/until.js";

const product = (id: number): Topic<"productChanged"> => ({ kind: "productChanged", id });
const change = (id: number, version: number) => ({ id, version, seen: version });

interface Setup {
  readonly url?: string;
  readonly subscriberUrl?: string;
  readonly heartbeatMs?: number;
  readonly deadlineMs?: number;
  /** Whether Redis is up: its connection is waited for. */
  readonly ready?: boolean;
  /** Whether the subscriber's link is up before anything is asked of it. */
  readonly linked?: boolean;
}

/** Pub/sub over connections as the product opens them, under the test's own prefix. */
async function setUp({
  url,
  subscriberUrl,
  heartbeatMs = 200,
  deadlineMs = 1_000,
  ready = true,
  linked = false,
}: Setup = {}) {
  const redis = testRedis();
  const { log, lines } = rememberingLog();
  const publisher = connectRedis({ url: url ?? redis.url, role: "requests", log });
  const subscriber = connectRedis({
    url: subscriberUrl ?? url ?? redis.url,
    role: "subscriber",
    log,
  });
  if (linked) await whenReady(subscriber, 10_000);
  const pubsub = createPubSub({
    publisher,
    subscriber,
    keys: redis.keys,
    heartbeatMs,
    telemetry: silentTelemetry,
    deadlineMs,
    log,
  });
  onTestFinished(async () => {
    await pubsub.close();
    publisher.disconnect();
    subscriber.disconnect();
  });
  if (ready) await whenReady(publisher, 10_000);
  const listening = (...topics: Topic[]) =>
    numsub(
      publisher,
      topics.map(({ kind, id }) => redis.keys.topic(kind, id)),
    );
  return { ...redis, pubsub, publisher, subscriber, lines, listening };
}

/** What arrives on a topic, and the moments at which it does. */
async function listen(pubsub: PubSub, id: number) {
  const versions: number[] = [];
  const release = await pubsub.subscribe(product(id), ({ version }) => void versions.push(version));
  return {
    versions,
    release,
    has: (version: number) => until(`version ${version}`, () => versions.includes(version)),
  };
}

const resynced = (pubsub: PubSub): Promise<Topic | undefined> =>
  new Promise((resolve) => onTestFinished(pubsub.onResync(resolve)));

async function proxied(port: number): Promise<FaultyProxy & { url: string }> {
  const proxy = await createProxy({ target: { host: "127.0.0.1", port } });
  onTestFinished(() => proxy.close());
  return Object.assign(proxy, { url: `redis://127.0.0.1:${proxy.port}` });
}

async function privateServer() {
  const server = await startRedisServer();
  onTestFinished(() => server.stop());
  return server;
}

interface Step {
  readonly topic: number;
  readonly act: "take" | "release" | "breathe";
}

/**
 * Takes and releases subscriptions without waiting for one another; resolves to those still held,
 * by topic.
 */
async function runSteps(pubsub: PubSub, ids: readonly number[], steps: readonly Step[]) {
  const held: ReturnType<typeof listen>[][] = ids.map(() => []);
  const releases: Promise<void>[] = [];
  for (const { topic, act } of steps) {
    const listeners = held[topic] ?? [];
    if (act === "take") listeners.push(listen(pubsub, ids[topic] ?? 0));
    if (act === "release")
      releases.push(Promise.resolve(listeners.shift()).then((taken) => taken?.release()));
    if (act === "breathe") await new Promise((resolve) => setImmediate(resolve));
  }
  await Promise.all(releases);
  return Promise.all(held.map((listeners) => Promise.all(listeners)));
}

describe("a subscription", () => {
  test("A subscription gets everything published after its confirmation.", async () => {
    const { pubsub, connect, keys } = await setUp();
    const { versions, has } = await listen(pubsub, 1);
    // From another connection, so nothing but Redis can put it behind the SUBSCRIBE.
    await connect().publish(keys.topic("productChanged", 1), JSON.stringify(change(1, 1)));
    await pubsub.publish(product(1), change(1, 2));
    await has(2);
    expect(versions).toEqual([1, 2]);
  });

  test("A subscription is one SUBSCRIBE for all listeners, and ends with the last.", async () => {
    const { url } = await privateServer();
    const { pubsub, listening } = await setUp({ url, heartbeatMs: 60_000 });
    const redis = new Redis(url);
    onTestFinished(() => redis.disconnect());
    const calls = async () =>
      Number(/cmdstat_subscribe:calls=(\d+)/.exec(await redis.info("commandstats"))?.[1] ?? 0);
    await until("the heartbeat's own SUBSCRIBE", async () => (await calls()) === 1);
    const listeners = await Promise.all(Array.from({ length: 100 }, () => listen(pubsub, 7)));
    expect(await calls()).toBe(2);
    await pubsub.publish(product(7), change(7, 1));
    await Promise.all(listeners.map(({ has }) => has(1)));
    await Promise.all(listeners.slice(1).map(({ release }) => release()));
    expect(await listening(product(7))).toEqual([1]);
    await listeners[0]?.release();
    expect(await listening(product(7))).toEqual([0]);
  });

  test("Subscriptions are counted over all processes.", async () => {
    const { pubsub, url, keys, listening } = await setUp();
    const publisher = connectRedis({ url, role: "requests", log: testLog() });
    const subscriber = connectRedis({ url, role: "subscriber", log: testLog() });
    const other = createPubSub({
      publisher,
      subscriber,
      keys,
      heartbeatMs: 200,
      telemetry: silentTelemetry,
      log: testLog(),
    });
    onTestFinished(async () => {
      await other.close();
      publisher.disconnect();
      subscriber.disconnect();
    });
    await Promise.all([listen(pubsub, 1), listen(pubsub, 2), listen(other, 2)]);
    expect(await listening(product(1), product(2), product(3))).toEqual([1, 2, 0]);
  });

  test("A subscription drops and logs foreign messages and goes on.", async () => {
    const { pubsub, connect, keys, lines } = await setUp();
    const { versions, has } = await listen(pubsub, 3);
    const redis = connect();
    for (const junk of [
      "",
      "{",
      "null",
      "[1]",
      '{"id":3}',
      '{"id":3,"version":"2","seen":0}',
      '{"__proto__":{"id":3}}',
      "\0\ufffd",
    ]) {
      await redis.publish(keys.topic("productChanged", 3), junk);
    }
    await pubsub.publish(product(3), change(3, 1));
    await has(1);
    expect(versions).toEqual([1]);
    expect(lines.filter((line) => line.includes("not one of ours"))).toHaveLength(8);
  });

  test("A listener that throws does not end its subscription.", async () => {
    const { pubsub } = await setUp();
    await pubsub.subscribe(product(4), () => {
      throw new Error("a broken listener");
    });
    const { has } = await listen(pubsub, 4);
    await pubsub.publish(product(4), change(4, 1));
    await has(1);
  });

  test("A subscription hears exactly while held, in any order of holds and releases.", async () => {
    const { pubsub, listening } = await setUp();
    let next = 100;
    const step = fc.record({
      topic: fc.integer({ min: 0, max: 2 }),
      act: fc.constantFrom("take" as const, "release" as const, "breathe" as const),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const ids = [next++, next++, next++];
        const countsOf = () => listening(...ids.map(product));
        const held = await runSteps(pubsub, ids, steps);
        expect(await countsOf()).toEqual(held.map((listeners) => Math.min(1, listeners.length)));
        await Promise.all(ids.map((id) => pubsub.publish(product(id), change(id, 1))));
        await Promise.all(held.flat().map(({ has }) => has(1)));
        await Promise.all(held.flat().map(({ release }) => release()));
        expect(await countsOf()).toEqual([0, 0, 0]);
      }),
      { numRuns: 100, seed: 42 },
    );
  });

  test("A subscription that Redis refuses to this user is an error.", async () => {
    const server = await privateServer();
    const admin = new Redis(server.url);
    onTestFinished(() => admin.disconnect());
    await admin.acl(
      "SETUSER",
      "narrow",
      "on",
      ">secret",
      "+@all",
      "~*",
      "resetchannels",
      "&*heartbeat*",
    );
    const { pubsub } = await setUp({ url: server.url.replace("//", "//narrow:secret@") });
    await expect(listen(pubsub, 1)).rejects.toThrow(RedisUnavailable);
    await expect(Promise.all([listen(pubsub, 1), listen(pubsub, 1)])).rejects.toThrow(
      RedisUnavailable,
    );
    await admin.acl("SETUSER", "narrow", "allchannels");
    const { has } = await listen(pubsub, 1);
    await pubsub.publish(product(1), change(1, 1));
    await has(1);
  });
});

describe("with Redis down", () => {
  test("Publishing rejects with RedisUnavailable while Redis is down.", async () => {
    const server = await privateServer();
    const { pubsub } = await setUp({ url: server.url });
    await pubsub.publish(product(1), change(1, 1));
    await server.kill();
    await expect(pubsub.publish(product(1), change(1, 2))).rejects.toThrow(RedisUnavailable);
  });

  test("Subscriptions begun before and during an outage both hear after a resync.", async () => {
    const server = await privateServer();
    const { pubsub, lines, listening } = await setUp({
      url: server.url,
      heartbeatMs: 50,
      deadlineMs: 100,
    });
    const before = await listen(pubsub, 1);
    await server.kill();
    const meanwhile = await listen(pubsub, 2);
    const given = await listen(pubsub, 3);
    await given.release();
    const resync = resynced(pubsub);
    await server.restart();
    expect(await resync).toBeUndefined();
    await until("a publisher", () => pubsub.publish(product(1), change(1, 9)).then(() => true));
    await pubsub.publish(product(2), change(2, 9));
    await Promise.all([before.has(9), meanwhile.has(9)]);
    expect(await listening(product(1), product(2), product(3))).toEqual([1, 1, 0]);
    expect(lines.filter((line) => line.includes("Unhandled"))).toEqual([]);
  });

  test("A thousand subscriptions without Redis leave nothing behind.", async () => {
    const server = await privateServer();
    const { pubsub, listening } = await setUp({ url: server.url, heartbeatMs: 50, deadlineMs: 50 });
    const kept = await listen(pubsub, 1);
    await server.kill();
    for (let round = 0; round < 10; round += 1) {
      const listeners = await Promise.all(
        Array.from({ length: 100 }, (_, index) => listen(pubsub, 10 + index)),
      );
      await Promise.all(listeners.map(({ release }) => release()));
    }
    const resync = resynced(pubsub);
    await server.restart();
    await resync;
    const topics = Array.from({ length: 100 }, (_, index) => product(10 + index));
    await until("a publisher", () =>
      listening(...topics).then((counts) => counts.every((count) => count === 0)),
    );
    await pubsub.publish(product(1), change(1, 2));
    await kept.has(2);
  });

  test("A subscription at the start works although Redis is down.", async () => {
    const server = await privateServer();
    await server.kill();
    const { pubsub } = await setUp({
      url: server.url,
      heartbeatMs: 50,
      deadlineMs: 50,
      ready: false,
    });
    const { has } = await listen(pubsub, 1);
    const resync = resynced(pubsub);
    await server.restart();
    await resync;
    await until("a publisher", () => pubsub.publish(product(1), change(1, 1)).then(() => true));
    await has(1);
  });
});

describe("a link that dies in silence", () => {
  test("A subscriber notices a silent link by its heartbeat, reconnects and resyncs.", async () => {
    const server = await privateServer();
    const proxy = await proxied(server.port);
    const { pubsub, lines } = await setUp({
      url: server.url,
      subscriberUrl: proxy.url,
      heartbeatMs: 100,
    });
    const { has, versions } = await listen(pubsub, 1);
    const accepted = proxy.accepted();
    const resync = resynced(pubsub);
    proxy.blackHole();
    await pubsub.publish(product(1), change(1, 2));
    await until("a new link", () => proxy.accepted() > accepted);
    expect(versions).toEqual([]);
    await proxy.restore();
    await resync;
    await pubsub.publish(product(1), change(1, 3));
    await has(3);
    expect(
      lines.some((line) => line.includes("deaf") && line.includes('"role":"subscriber"')),
    ).toBe(true);
    expect(lines.some((line) => line.includes("deaf") && line.includes('"role":"publisher"'))).toBe(
      false,
    );
  });

  test("A silent link of the publisher is noticed without closing the subscriber's.", async () => {
    const server = await privateServer();
    const proxy = await proxied(server.port);
    const { pubsub, keys, lines } = await setUp({
      url: proxy.url,
      subscriberUrl: server.url,
      heartbeatMs: 100,
      deadlineMs: 200,
    });
    const { has } = await listen(pubsub, 1);
    const accepted = proxy.accepted();
    proxy.blackHole();
    await expect(pubsub.publish(product(1), change(1, 1))).rejects.toThrow(RedisUnavailable);
    await until("a new link", () => proxy.accepted() > accepted);
    const other = new Redis(server.url);
    onTestFinished(() => other.disconnect());
    await other.publish(keys.topic("productChanged", 1), JSON.stringify(change(1, 7)));
    await has(7);
    await proxy.restore();
    await until("a publisher", () => pubsub.publish(product(1), change(1, 2)).then(() => true));
    await has(2);
    expect(
      lines.some((line) => line.includes("deaf") && line.includes('"role":"subscriber"')),
    ).toBe(false);
  });

  test("Two silent links return with a resync and the right value.", async () => {
    const server = await privateServer();
    const proxy = await proxied(server.port);
    const { pubsub } = await setUp({ url: proxy.url, heartbeatMs: 100, deadlineMs: 200 });
    const { has } = await listen(pubsub, 1);
    const accepted = proxy.accepted();
    proxy.blackHole();
    // Both links are given up, and at least one attempt at each falls into the hole.
    await until("new links", () => proxy.accepted() >= accepted + 2);
    const resync = resynced(pubsub);
    await proxy.restore();
    await resync;
    await until("a publisher", () => pubsub.publish(product(1), change(1, 2)).then(() => true));
    await has(2);
  });

  test("A silent link does not let publications pile up.", async () => {
    const server = await privateServer();
    const proxy = await proxied(server.port);
    const { pubsub } = await setUp({
      url: proxy.url,
      subscriberUrl: server.url,
      heartbeatMs: 60_000,
      deadlineMs: 500,
    });
    await pubsub.publish(product(1), change(1, 1));
    proxy.blackHole();
    const attempts = await Promise.allSettled(
      Array.from({ length: 5_000 }, (_, version) => pubsub.publish(product(1), change(1, version))),
    );
    const reasons = attempts.map((attempt) =>
      attempt.status === "rejected" ? `${(attempt.reason as Error).cause}` : "sent",
    );
    expect(reasons.filter((reason) => reason.includes("no reply within"))).toHaveLength(1_000);
    expect(reasons.filter((reason) => reason.includes("wait for a reply"))).toHaveLength(4_000);
  });

  test("A link that dies during resubscription loses no channel.", async () => {
    const server = await privateServer();
    const proxy = await proxied(server.port);
    const { pubsub } = await setUp({ url: server.url, subscriberUrl: proxy.url, heartbeatMs: 100 });
    const listeners = await Promise.all([1, 2, 3].map((id) => listen(pubsub, id)));
    // The first link after the cut takes the SUBSCRIBE and never confirms it.
    const { dropped } = proxy.dropReplies((chunk) => chunk.includes("subscribe"));
    proxy.hangUp();
    await dropped;
    const resync = resynced(pubsub);
    await proxy.cut();
    await proxy.restore();
    await resync;
    await Promise.all([1, 2, 3].map((id) => pubsub.publish(product(id), change(id, 5))));
    await Promise.all(listeners.map(({ has }) => has(5)));
  });
});

/**
 * Pub/sub without patience whose link falls silent before anything is subscribed; and what it tells
 * to read again.
 */
async function unconfirmed() {
  const server = await privateServer();
  const proxy = await proxied(server.port);
  const { pubsub } = await setUp({
    url: server.url,
    subscriberUrl: proxy.url,
    heartbeatMs: 60_000,
    deadlineMs: 50,
    linked: true,
  });
  const again: (Topic | undefined)[] = [];
  onTestFinished(pubsub.onResync((topic) => void again.push(topic)));
  proxy.blackHole();
  return { pubsub, proxy, again };
}

test("A late confirmation is followed by a resync of that topic.", async () => {
  const { pubsub, proxy, again } = await unconfirmed();
  const { has } = await listen(pubsub, 2);
  await proxy.restore();
  await until("a resync", () => again.length > 0);
  expect(again).toEqual([product(2)]);
  await pubsub.publish(product(2), change(2, 1));
  await has(1);
});

test("A confirmation after the last listener left has no effect.", async () => {
  const { pubsub, proxy, again } = await unconfirmed();
  const { release } = await listen(pubsub, 2);
  const released = release();
  await proxy.restore();
  await released;
  expect(again).toEqual([]);
});

test("A subscriber that Redis disconnects is resynced, also in a Cluster.", async () => {
  const cluster = await startRedisCluster();
  onTestFinished(() => cluster.stop());
  // A hang-up needs no heartbeat to be noticed; a short one would take slow nodes for deaf ones and
  // give the publisher up.
  const { pubsub, listening } = await setUp({
    url: cluster.url,
    heartbeatMs: 2_000,
    deadlineMs: 10_000,
  });
  const { has } = await listen(pubsub, 1);
  await pubsub.publish(product(1), change(1, 1));
  await has(1);
  expect(await listening(product(1))).toEqual([1]);
  const resync = resynced(pubsub);
  for (const node of cluster.nodes) {
    const admin = new Redis(node.url);
    await admin.client("KILL", "TYPE", "pubsub");
    admin.disconnect();
  }
  await resync;
  await pubsub.publish(product(1), change(1, 2));
  await has(2);
  expect(await listening(product(1))).toEqual([1]);
});

test("Closing ends every subscription and nothing else.", async () => {
  const { pubsub, publisher, keys } = await setUp();
  await Promise.all([1, 2, 3].map((id) => listen(pubsub, id)));
  await pubsub.close();
  expect(await publisher.pubsub("CHANNELS", `${keys.topic("productChanged", "*")}`)).toEqual([]);
  expect(publisher.status).toBe("ready");
  await expect(listen(pubsub, 1)).rejects.toThrow(RedisUnavailable);
});
