/**
 * The hub over a real Redis: what is due when, how little is sent, and that nothing is left behind.
 */

import fc from "fast-check";
import { Redis } from "ioredis";
import { describe, expect, onTestFinished, test } from "vitest";
import { NEWEST } from "../../../src/domain/reading/consistency-token.js";
import { silentTelemetry } from "../../../src/domain/telemetry/telemetry.js";
import {
  connectRedis,
  type RedisConnection,
  whenReady,
} from "../../../src/redis/client/connect.js";
import { createPubSub } from "../../../src/redis/pubsub/pubsub.js";
import { createLive, type Due, type Live } from "../../../src/services/live/live.js";
import { drillSize } from "../../support/drill.js";
import { createProxy, type FaultyProxy } from "../../support/faults.js";
import { testLog } from "../../support/log.js";
import { numsub } from "../../support/numsub.js";
import { startRedisServer, testRedis } from "../../support/redis.js";
import { until } from "../../support/until.js";

interface Setup {
  readonly url?: string;
  readonly subscriberUrl?: string;
  readonly conflationMs?: number;
  readonly heartbeatMs?: number;
  readonly deadlineMs?: number;
  /** Whether Redis is up: its connection is waited for. */
  readonly ready?: boolean;
}

/** A hub over connections as the product opens them, under the test's own prefix. */
async function setUp({
  url,
  subscriberUrl,
  conflationMs = 20,
  heartbeatMs = 200,
  deadlineMs = 1_000,
  ready = true,
}: Setup = {}) {
  const redis = testRedis();
  const log = testLog();
  const publisher = connectRedis({ url: url ?? redis.url, role: "requests", log });
  const subscriber = connectRedis({
    url: subscriberUrl ?? url ?? redis.url,
    role: "subscriber",
    log,
  });
  const pubsub = createPubSub({
    publisher,
    subscriber,
    keys: redis.keys,
    heartbeatMs,
    telemetry: silentTelemetry,
    deadlineMs,
    log,
  });
  const live = createLive({ pubsub, conflationMs, log });
  onTestFinished(async () => {
    await live.close();
    await pubsub.close();
    publisher.disconnect();
    subscriber.disconnect();
  });
  if (ready) await whenReady(publisher, 10_000);
  const publish = (id: number, version: number) =>
    pubsub.publish({ kind: "productChanged", id }, { id, version, seen: version });
  const countOf = async (id: number): Promise<number> =>
    (await numsub(publisher, [redis.keys.topic("productChanged", id)]))[0] ?? -1;
  return { ...redis, live, pubsub, publisher, publish, countOf };
}

/** The default at full size. */
const HEARTBEAT_MS = drillSize({ sample: 100, full: 2_000 });

/** A hub whose links all lead through the proxy, and a writer of product 2 that goes around it. */
async function setUpBehind({ port }: FaultyProxy, url: string) {
  const hub = await setUp({ url: `redis://127.0.0.1:${port}`, heartbeatMs: HEARTBEAT_MS });
  const writer = new Redis(url);
  onTestFinished(() => writer.disconnect());
  let version = 0;
  const write = async () => {
    version += 1;
    await writer.publish(
      hub.keys.topic("productChanged", 2),
      JSON.stringify({ id: 2, version, seen: version }),
    );
  };
  return { live: hub.live, write };
}

async function take(iterator: AsyncIterator<Due>, count: number): Promise<Due[]> {
  const taken: Due[] = [];
  while (taken.length < count) {
    const { done, value } = await iterator.next();
    if (done) throw new Error(`ended after ${taken.length} of ${count}`);
    taken.push(value);
  }
  return taken;
}

/** Takes whatever is due until it ends. */
function consume(iterator: AsyncIterableIterator<Due>) {
  const taken: Due[] = [];
  const ended = (async () => {
    for await (const due of iterator) taken.push(due);
  })();
  return {
    taken,
    ended,
    has: (version: number, id?: number) =>
      until(`version ${version}`, () =>
        taken.some((due) => due.version === version && (id ?? due.id) === due.id),
      ),
  };
}

const idle = (live: Live): void => expect([live.topics(), live.watchers()]).toEqual([0, 0]);

async function commandCount(redis: RedisConnection, command: string): Promise<number> {
  return Number(
    new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(await redis.info("commandstats"))?.[1] ?? 0,
  );
}

async function privateServer() {
  const server = await startRedisServer();
  onTestFinished(() => server.stop());
  return server;
}

describe("watching", () => {
  test("A watch begins with every id once, in order, after Redis has confirmed all.", async () => {
    const { live, countOf } = await setUp();
    const watcher = live.watch("productChanged", [3, 1, 2, 3]);
    const first = await watcher.next();
    expect(await Promise.all([1, 2, 3].map(countOf))).toEqual([1, 1, 1]);
    const rest = await take(watcher, 2);
    expect([first.value, ...rest]).toEqual(
      [3, 1, 2].map((id) => ({ id, version: 0, seen: NEWEST })),
    );
  });

  test("A watcher misses nothing that is published after its first value.", async () => {
    const { live, connect, keys } = await setUp();
    const watcher = live.watch("productChanged", [1]);
    await watcher.next();
    // From another connection, so nothing but Redis can put it behind the SUBSCRIBE.
    await connect().publish(
      keys.topic("productChanged", 1),
      JSON.stringify({ id: 1, version: 2, seen: 5 }),
    );
    expect((await watcher.next()).value).toEqual({ id: 1, version: 2, seen: 5 });
  });

  test("A hundred watchers are one SUBSCRIBE per topic, given back with the last.", async () => {
    const { url } = await privateServer();
    const { live, publisher, countOf } = await setUp({ url, heartbeatMs: 60_000 });
    await until(
      "the heartbeat's own SUBSCRIBE",
      async () => (await commandCount(publisher, "subscribe")) === 1,
    );
    const watchers = Array.from({ length: 100 }, () => live.watch("productChanged", [1, 2]));
    await Promise.all(watchers.map((watcher) => take(watcher, 2)));
    expect(await commandCount(publisher, "subscribe")).toBe(3);
    expect([live.topics(), live.watchers()]).toEqual([2, 100]);
    await Promise.all(watchers.slice(1).map((watcher) => watcher.return?.()));
    expect(await Promise.all([countOf(1), countOf(2)])).toEqual([1, 1]);
    await watchers[0]?.return?.();
    idle(live);
    await until("NUMSUB 0", async () => (await countOf(1)) + (await countOf(2)) === 0);
  });

  test("A watch that ends while subscribing, or awaiting a value, lets go at once.", async () => {
    const { live, countOf } = await setUp();
    const early = live.watch("productChanged", [1]);
    const unanswered = early.next();
    await early.return?.();
    expect(await unanswered).toEqual({ done: true, value: undefined });
    idle(live);
    const late = live.watch("productChanged", [1]);
    await late.next();
    const pending = late.next();
    await late.return?.();
    expect(await pending).toEqual({ done: true, value: undefined });
    expect(await late.next()).toEqual({ done: true, value: undefined });
    idle(live);
    await until("NUMSUB 0", async () => (await countOf(1)) === 0);
  });

  test("A closing hub ends all watchers, and none begins after that.", async () => {
    const { live, countOf } = await setUp();
    const watchers = [live.watch("productChanged", [1]), live.watch("productChanged", [1, 2])].map(
      consume,
    );
    await until("first values", () => watchers.every(({ taken }) => taken.length > 0));
    await live.close();
    await Promise.all(watchers.map(({ ended }) => ended));
    expect(await Promise.all([countOf(1), countOf(2)])).toEqual([0, 0]);
    expect(await live.watch("productChanged", [1]).next()).toEqual({
      done: true,
      value: undefined,
    });
    idle(live);
  });

  test("A watcher fails when Redis refuses the topic, and leaves nothing behind.", async () => {
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
    const { live } = await setUp({ url: server.url.replace("//", "//narrow:secret@") });
    const watcher = live.watch("productChanged", [1, 2]);
    await expect(watcher.next()).rejects.toMatchObject({ code: "SERVICE_UNAVAILABLE" });
    expect(await watcher.next()).toEqual({ done: true, value: undefined });
    idle(live);
  });
});

describe("conflation", () => {
  test("A burst of 1,000 publications becomes few values, the last included.", async () => {
    const { live, publish } = await setUp({ conflationMs: 100 });
    const { taken, has } = consume(live.watch("productChanged", [1]));
    await has(0);
    const began = performance.now();
    // A busy machine answers some of a thousand late; told twice, a version is told once.
    const tell = (version: number) => until("a reply", () => publish(1, version).then(() => true));
    await Promise.all(Array.from({ length: 1_000 }, (_, index) => tell(index + 1)));
    await has(1_000);
    const windows = Math.ceil((performance.now() - began) / 100);
    expect(taken.length).toBeLessThanOrEqual(windows + 2);
    expect(taken.at(-1)).toEqual({ id: 1, version: 1_000, seen: 1_000 });
  });

  test("No id is due twice within its window, and none delays others.", async () => {
    const { live, publish } = await setUp({ conflationMs: 50 });
    const watcher = live.watch("productChanged", [1, 2]);
    const began = performance.now();
    await take(watcher, 2);
    await publish(1, 1);
    expect((await take(watcher, 1))[0]).toMatchObject({ id: 1, version: 1 });
    await Promise.all([publish(1, 2), publish(2, 1)]);
    const [second, third] = await take(watcher, 2);
    expect([second, third].map((due) => due?.id).sort()).toEqual([1, 2]);
    // The first value, then one after each of two windows.
    expect(performance.now() - began).toBeGreaterThanOrEqual(100);
  });

  test("A consumer that takes no values has one kept per id, the latest.", async () => {
    const { live, publish } = await setUp({ conflationMs: 0 });
    const slow = live.watch("productChanged", [1, 2]);
    const witness = consume(live.watch("productChanged", [1, 2]));
    await until("first values", () => witness.taken.length === 2);
    for (let version = 1; version <= 500; version += 1)
      await Promise.all([publish(1, version), publish(2, version)]);
    await Promise.all([witness.has(500, 1), witness.has(500, 2)]);
    expect((await take(slow, 2)).map(({ id, version }) => [id, version])).toEqual([
      [1, 500],
      [2, 500],
    ]);
    await publish(2, 501);
    expect((await slow.next()).value).toEqual({ id: 2, version: 501, seen: 501 });
  });

  test("All watchers get the last version of every id, in any schedule.", async () => {
    const { live, publish, countOf } = await setUp({ conflationMs: 3 });
    let next = 1_000;
    const step = fc.record({
      topic: fc.integer({ min: 0, max: 2 }),
      act: fc.constantFrom(...ACTS),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60 }), async (steps) => {
        const ids = [next++, next++, next++];
        const schedule = new Schedule(live, publish, ids);
        for (const { topic, act } of steps) await schedule.run(act, ids[topic] ?? 0);
        await schedule.settle();
        schedule.expectLastVersions();
        await schedule.leaveAll();
        await until("NUMSUB 0", async () =>
          (await Promise.all(ids.map(countOf))).every((count) => count === 0),
        );
        idle(live);
      }),
      { numRuns: 60, seed: 7 },
    );
  });
});

const ACTS = ["publish", "join", "leave", "breathe", "settled"] as const;

/** Publications, watchers that come and go, and what each of them got. */
class Schedule {
  private readonly versions: Map<number, number>;
  private readonly sent: Promise<void>[] = [];
  private readonly watching: {
    readonly watcher: AsyncIterableIterator<Due>;
    readonly got: ReturnType<typeof consume>;
    readonly ids: readonly number[];
  }[] = [];

  /** Begins with a watcher of all topics that stays. */
  constructor(
    private readonly live: Live,
    private readonly publish: (id: number, version: number) => Promise<void>,
    private readonly ids: readonly number[],
  ) {
    this.versions = new Map(ids.map((id) => [id, 0]));
    this.join(ids);
  }

  async run(act: (typeof ACTS)[number], id: number): Promise<void> {
    if (act === "publish") this.send(id);
    if (act === "join") this.join([id]);
    if (act === "leave" && this.watching.length > 1) await this.watching.pop()?.watcher.return?.();
    if (act === "breathe") await new Promise((resolve) => setImmediate(resolve));
    if (act === "settled") await Promise.all(this.sent);
  }

  /** Once all are confirmed, the contract owes one more publication of each topic to everybody. */
  async settle(): Promise<void> {
    await Promise.all(
      this.watching.map(({ got, ids }) =>
        until("first values", () => got.taken.length >= ids.length),
      ),
    );
    for (const id of this.ids) this.send(id);
    await Promise.all(this.sent);
    await Promise.all(
      this.watching.flatMap(({ got, ids }) =>
        ids.map((id) => got.has(this.versions.get(id) ?? 0, id)),
      ),
    );
  }

  expectLastVersions(): void {
    for (const { got, ids } of this.watching) {
      for (const id of ids) {
        const versions = got.taken.filter((due) => due.id === id).map(({ version }) => version);
        expect(versions.at(-1)).toBe(this.versions.get(id));
        expect(versions).toEqual([...versions].sort((a, b) => a - b));
      }
    }
  }

  async leaveAll(): Promise<void> {
    await Promise.all(this.watching.map(({ watcher }) => watcher.return?.()));
  }

  private send(id: number): void {
    const version = (this.versions.get(id) ?? 0) + 1;
    this.versions.set(id, version);
    this.sent.push(this.publish(id, version));
  }

  private join(ids: readonly number[]): void {
    const watcher = this.live.watch("productChanged", ids);
    this.watching.push({ watcher, got: consume(watcher), ids });
  }
}

describe("after a doubt", () => {
  test("Every id is due again once a black hole ends, and only the newest will do.", async () => {
    const server = await privateServer();
    const proxy = await createProxy({ target: { host: "127.0.0.1", port: server.port } });
    onTestFinished(() => proxy.close());
    const { live, publish } = await setUp({
      url: server.url,
      subscriberUrl: `redis://127.0.0.1:${proxy.port}`,
      heartbeatMs: 100,
    });
    const { taken } = consume(live.watch("productChanged", [1, 2]));
    await until("first values", () => taken.length === 2);
    const accepted = proxy.accepted();
    proxy.blackHole();
    await publish(1, 5);
    await until("a new link", () => proxy.accepted() > accepted);
    expect(taken).toHaveLength(2);
    await proxy.restore();
    await until("a resync", () =>
      [1, 2].every((id) => taken.slice(2).some((due) => due.id === id && due.seen === NEWEST)),
    );
  });

  test("A black hole of any length around a process is made good within 8 s.", async () => {
    const server = await privateServer();
    const proxy = await createProxy({ target: { host: "127.0.0.1", port: server.port } });
    onTestFinished(() => proxy.close());
    const { live, write } = await setUpBehind(proxy, server.url);
    const watchers = Array.from({ length: 20 }, (_, index) =>
      consume(live.watch("productChanged", [(index % 2) + 10, 2])),
    );
    await until("first values", () => watchers.every(({ taken }) => taken.length === 2));
    // From too short to be noticed to well beyond three beats; ten seconds at full size.
    for (const beats of [0.5, 2.5, 3.25, 3.5, 3.75, 4, 5]) {
      const holeMs = beats * HEARTBEAT_MS;
      proxy.blackHole();
      const marks = watchers.map(({ taken }) => taken.length);
      // The hole lasts for a time; that is what is tested, not waited for.
      await new Promise((resolve) => setTimeout(resolve, holeMs));
      await write();
      await proxy.restore();
      const endedMs = performance.now();
      const heard = ({ taken }: { taken: Due[] }, index: number) =>
        taken.slice(marks[index]).some(({ id }) => id === 2);
      await until("the right value", () => watchers.every(heard));
      // The promise is 8 s; a busy machine adds to it.
      expect(performance.now() - endedMs).toBeLessThan(20_000);
    }
  });

  test("Every id is due again when Redis was killed and has come back.", async () => {
    const server = await privateServer();
    const { live, publish } = await setUp({ url: server.url, heartbeatMs: 50 });
    const { taken, has } = consume(live.watch("productChanged", [1]));
    await has(0);
    await server.kill();
    await server.restart();
    await until("a resync", () => taken.length >= 2);
    expect(taken[1]).toEqual({ id: 1, version: 0, seen: NEWEST });
    await until("a publisher", () => publish(1, 3).then(() => true));
    await has(3);
  });

  test("A watcher begun without Redis gets a value at once, and one when it is back.", async () => {
    const server = await privateServer();
    await server.kill();
    const { live, publish } = await setUp({
      url: server.url,
      heartbeatMs: 50,
      deadlineMs: 50,
      ready: false,
    });
    const watcher = live.watch("productChanged", [1]);
    expect((await watcher.next()).value).toEqual({ id: 1, version: 0, seen: NEWEST });
    await server.restart();
    expect((await watcher.next()).value).toEqual({ id: 1, version: 0, seen: NEWEST });
    const { has } = consume(watcher);
    await until("a publisher", () => publish(1, 1).then(() => true));
    await has(1);
  });
});
