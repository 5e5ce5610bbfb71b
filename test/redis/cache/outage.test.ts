/**
 * What readers notice when Redis is down, full, behind, or back from the past: nothing but the
 * source's time.
 */
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { Redis } from "ioredis";
import { expect, it, onTestFinished } from "vitest";
import { freePort } from "../../../scripts/free-port.mjs";
import { RedisUnavailable } from "../../../src/domain/errors.js";
import { NEWEST } from "../../../src/domain/reading/consistency-token.js";
import { ReadContext } from "../../../src/domain/reading/read-context.js";
import { silentTelemetry } from "../../../src/domain/telemetry/telemetry.js";
import { SECOND } from "../../../src/domain/time/time.js";
import { createKeys } from "../../../src/redis/client/keys.js";
import {
  type RedisServer,
  type RedisServerOptions,
  startRedisServer,
} from "../../support/redis-server.js";
import { until } from "../../support/until.js";
import {
  createGate,
  createSource,
  filled,
  openTrusted,
  openUntrusted,
  type Place,
  proxyTo,
  quiet,
  readOne,
  things,
} from "./cache.fixture.js";

/** Ten times the promise of one second. */
const RECOVERY_MS = 10_000;

async function privateServer(
  options?: RedisServerOptions,
): Promise<RedisServer & { readonly admin: Redis; readonly place: Place }> {
  const server = await startRedisServer(options);
  const admin = new Redis(server.url);
  admin.on("error", () => {});
  onTestFinished(async () => {
    admin.disconnect();
    await server.stop();
  });
  return Object.assign(server, { admin, place: { url: server.url, keys: createKeys() } });
}

/** A cache that has lost its Redis, and a source whose loads wait at a gate. */
async function openSevered() {
  const { url, place } = await privateServer();
  const proxy = await proxyTo(url);
  const cache = await openTrusted({ ...place, url: proxy.url }, { localBytes: 0 });
  await proxy.cut();
  await until("the loss to be noticed", () => !cache.link.usable());
  const [source, gate] = [createSource(), createGate()];
  source.gate = gate.pass;
  return { place, cache, source, gate };
}

const statusOf = async (
  read: (reading: ReadContext) => Promise<unknown>,
): Promise<string | undefined> => {
  const reading = new ReadContext();
  await read(reading);
  return reading.outcome?.status;
};

it("One reader pays the deadline when Redis falls silent, and none after it.", async () => {
  const { url, place } = await privateServer();
  const proxy = await proxyTo(url);
  const cache = await openTrusted({ ...place, url: proxy.url }, { deadlineMs: 200, localBytes: 0 });
  const source = createSource();
  await readOne(cache, 1, source);
  cache.trips.length = 0;
  proxy.blackHole();
  for (let id = 1; id <= 50; id += 1) expect((await readOne(cache, id, source))?.id).toBe(id);
  expect(cache.trips.filter((what) => what === "cache read")).toHaveLength(1);
  await proxy.restore();
  await until("Redis to be used again", () => cache.link.usable(), RECOVERY_MS);
  await readOne(cache, 60, source);
  await filled(cache, place.keys, "thing:60");
  expect(await statusOf((reading) => readOne(cache, 60, source, reading))).toBe("HIT");
});

it("One late reply ends the wait for all replies under way.", async () => {
  const { url, place } = await privateServer();
  const proxy = await proxyTo(url);
  const waits: number[] = [];
  const telemetry = {
    ...silentTelemetry,
    redisRoundTrip(what: string, durationMs: number) {
      if (what === "cache read") waits.push(durationMs);
    },
  };
  const cache = await openTrusted(
    { ...place, url: proxy.url },
    { deadlineMs: SECOND, localBytes: 0, telemetry },
  );
  proxy.blackHole();
  const sentAt = performance.now();
  const first = readOne(cache, 1, createSource());
  await until("some of the deadline to pass", () => performance.now() - sentAt > SECOND / 5);
  await Promise.all([first, readOne(cache, 2, createSource())]);
  expect(waits).toHaveLength(2);
  // Alone the second would have waited for as long as the first.
  expect(waits[1]).toBeLessThan((waits[0] ?? 0) - SECOND / 10);
});

it("One load serves all readers of a missing value while Redis is down.", async () => {
  const { cache, source, gate } = await openSevered();
  const reads = Array.from({ length: 100 }, () => readOne(cache, 1, source));
  await gate.reached;
  gate.open();
  expect((await Promise.all(reads)).every((value) => value?.id === 1)).toBe(true);
  expect(source.loads).toEqual([[1]]);
  await quiet(cache);
});

it("While Redis is down, nobody joins a load older than what they have seen written.", async () => {
  const { place, cache, source, gate } = await openSevered();
  const writer = await openTrusted(place);
  const before = readOne(cache, 1, source);
  await gate.reached;
  source.version = 2;
  const count = await writer.invalidate(["thing:1"]);
  const after = readOne(cache, 1, source, new ReadContext({ seen: { count, bypassUntilMs: 0 } }));
  gate.open();
  expect([(await before)?.version, (await after)?.version]).toEqual([1, 2]);
});

it("While Redis is down, readers of the newest value share only loads of their turn.", async () => {
  const { cache, source, gate } = await openSevered();
  const readNewest = () =>
    readOne(cache, 1, source, new ReadContext({ seen: { count: NEWEST, bypassUntilMs: 0 } }));
  const before = [readNewest(), readNewest()];
  await gate.reached;
  // Another process writes; this one is told by an event.
  source.version = 2;
  await new Promise((resolve) => setImmediate(resolve));
  const after = [readNewest(), readNewest()];
  gate.open();
  expect((await Promise.all([...before, ...after])).map((value) => value?.version)).toEqual([
    1, 1, 2, 2,
  ]);
  expect(source.loads).toHaveLength(2);
  await quiet(cache);
});

it("Nobody joins a load older than a write of this process, announced or not.", async () => {
  const { cache, source, gate } = await openSevered();
  const before = readOne(cache, 1, source);
  await gate.reached;
  source.version = 2;
  await expect(cache.invalidate(["thing:1"])).rejects.toThrow(RedisUnavailable);
  const after = readOne(cache, 1, source);
  gate.open();
  expect([(await before)?.version, (await after)?.version]).toEqual([1, 2]);
});

it("The cache reads from the source without a server, and uses one that comes.", async () => {
  const port = await freePort();
  const keys = createKeys();
  const cache = openUntrusted({ url: `redis://127.0.0.1:${port}`, keys });
  const source = createSource();
  expect(await statusOf((reading) => readOne(cache, 1, source, reading))).toBe("BYPASS");
  await expect(cache.invalidate(["thing:1"])).rejects.toThrow(RedisUnavailable);
  await privateServer({ port });
  await until("Redis to be used", () => cache.link.usable() && cache.local.isOn(), RECOVERY_MS);
  await readOne(cache, 1, source);
  await filled(cache, keys, "thing:1");
  expect(await statusOf((reading) => readOne(cache, 1, source, reading))).toBe("HIT");
});

it("A failed invalidation ends older values once, and not again at each new connection.", async () => {
  const { url, place } = await privateServer();
  const proxy = await proxyTo(url);
  const cache = await openTrusted({ ...place, url: proxy.url }, { localBytes: 0 });
  const source = createSource();
  const statusOfOne = () => statusOf((reading) => readOne(cache, 1, source, reading));
  const reconnect = async (): Promise<void> => {
    await proxy.cut();
    await until("the loss to be noticed", () => !cache.link.usable());
    await proxy.restore();
    await until("Redis to be used again", () => cache.link.usable(), RECOVERY_MS);
  };
  await readOne(cache, 1, source);
  await filled(cache, place.keys, "thing:1");
  await proxy.cut();
  await expect(cache.invalidate(["thing:1"])).rejects.toThrow(RedisUnavailable);
  await proxy.restore();
  await until("Redis to be used again", () => cache.link.usable(), RECOVERY_MS);
  expect(await statusOfOne()).toBe("MISS");
  await filled(cache, place.keys, "thing:1");
  await reconnect();
  expect(await statusOfOne()).toBe("HIT");
});

it("The cache closes at once, whatever state the link is in.", async () => {
  const cache = openUntrusted({ url: `redis://127.0.0.1:${await freePort()}`, keys: createKeys() });
  await cache.close();
  const { url, place } = await privateServer();
  const proxy = await proxyTo(url);
  const silent = await openTrusted(
    { ...place, url: proxy.url },
    { hasUnsentInvalidations: () => new Promise(() => {}), deadlineMs: 50 },
  );
  proxy.blackHole();
  await readOne(silent, 1, createSource());
  await silent.close();
});

it("A full Redis drops fills and serves reads, and invalidations still work.", async () => {
  const { admin, place } = await privateServer();
  const [a, b] = [
    await openTrusted(place, { localBytes: 0 }),
    await openTrusted(place, { localBytes: 0 }),
  ];
  const source = createSource();
  await readOne(a, 1, source);
  await filled(a, place.keys, "thing:1");
  await admin.config("SET", "maxmemory", "1mb");
  expect(await statusOf((reading) => readOne(a, 1, source, reading))).toBe("HIT");
  const reads = await Promise.all(
    [a, b].map((cache) => cache.readMany(things, [2, 3], source.load, new ReadContext())),
  );
  expect(reads.flat().map((value) => value?.id)).toEqual([2, 3, 2, 3]);
  source.version = 2;
  await a.invalidate(["thing:1"]);
  expect((await readOne(b, 1, source))?.version).toBe(2);
  expect(await admin.exists(place.keys.cacheEntry("thing:2"))).toBe(0);
  expect(await admin.exists(place.keys.cacheLease("thing:2"))).toBe(0);
  await admin.config("SET", "maxmemory", "0");
  await readOne(a, 2, source);
  await filled(a, place.keys, "thing:2");
});

it("The cache is the first to give up a full Redis it shares, and comes back later.", async () => {
  const { admin, place } = await privateServer({
    args: ["--maxmemory", "20mb", "--maxmemory-policy", "noeviction"],
  });
  const cache = await openTrusted(place, { localBytes: 0, memoryCheckMs: 10 });
  const { load } = createSource();
  const isFilled = async (id: number) => {
    await cache.readMany(things, [id], load, new ReadContext());
    await quiet(cache);
    return (await admin.exists(place.keys.cacheEntry(`thing:${id}`))) === 1;
  };
  expect(await isFilled(0)).toBe(true);
  const state = Array.from({ length: 16 }, (_, index) => `state-${index}`);
  for (const key of state) await admin.set(key, "x".repeat(1_000_000));
  let next = 1;
  await until("fills to be left out", async () => !(await isFilled(next++)));
  await admin.set("more state", "is still accepted");
  await admin.del(...state);
  await until("fills to come back", () => isFilled(next++));
});

it("No reader waits for a load whose fill a full Redis refuses.", async () => {
  const { admin, place } = await privateServer();
  const options = { localBytes: 0, leaseMs: 600_000 };
  const [a, b] = [await openTrusted(place, options), await openTrusted(place, options)];
  const [source, gate] = [createSource(), createGate()];
  source.gate = gate.pass;
  const first = readOne(a, 1, source);
  await gate.reached;
  const waiting = readOne(b, 1, source);
  await until("the other to wait", () => b.underWay().waiting === 1);
  await admin.config("SET", "maxmemory", "1mb");
  gate.open();
  expect([(await first)?.id, (await waiting)?.id]).toEqual([1, 1]);
});

it("A Redis that came back from an older snapshot serves none of its values.", async () => {
  const { admin, place, dir, kill, restart } = await privateServer();
  const caches = [await openTrusted(place), await openTrusted(place, { localBytes: 0 })];
  const [a, b] = caches as [(typeof caches)[0], (typeof caches)[0]];
  const source = createSource();
  const ids = Array.from({ length: 20 }, (_, index) => index);
  const readAll = (cache: typeof a) => cache.readMany(things, ids, source.load, new ReadContext());
  await readAll(a);
  await filled(a, place.keys, ...ids.map((id) => `thing:${id}`));
  await admin.save();
  await copyFile(join(dir, "dump.rdb"), join(dir, "old.rdb"));
  source.version = 2;
  await a.invalidate(["things"]);
  await readAll(b);
  await kill();
  await copyFile(join(dir, "old.rdb"), join(dir, "dump.rdb"));
  await restart();
  await until(
    "Redis to be used again",
    () => caches.every(({ link }) => link.usable()),
    RECOVERY_MS,
  );
  // The snapshot holds the first values beside the versions of their tags.
  await until("the connection of the test", () => admin.status === "ready");
  expect(await admin.get(place.keys.cacheEntry("thing:0"))).toContain('"version":1');
  for (const cache of caches)
    expect(new Set((await readAll(cache)).map((value) => value?.version))).toEqual(new Set([2]));
});

it.each([
  ["waits in the outbox", true],
  ["is known to this process alone", false],
])(
  "The cache serves nothing whose invalidation was lost while Redis was away and %s.",
  async (_, unsent) => {
    const { url, place } = await privateServer();
    const proxy = await proxyTo(url);
    const cache = await openTrusted(
      { ...place, url: proxy.url },
      { hasUnsentInvalidations: async () => unsent },
    );
    const other = await openTrusted(place);
    const source = createSource();
    await readOne(cache, 1, source);
    await filled(cache, place.keys, "thing:1");
    await proxy.cut();
    await until("the loss to be noticed", () => !cache.link.usable());
    source.version = 2;
    await expect(cache.invalidate(["thing:1"])).rejects.toThrow(RedisUnavailable);
    expect((await readOne(cache, 1, source))?.version).toBe(2);
    await proxy.restore();
    await until("Redis to be used again", () => cache.link.usable(), RECOVERY_MS);
    expect((await readOne(cache, 1, source))?.version).toBe(2);
    await until(
      "the new epoch to be heard",
      async () => (await readOne(other, 1, source))?.version === 2,
    );
  },
);

it("The cache keeps its values when the server is back whole, even without Postgres.", async () => {
  const { url, place } = await privateServer();
  const proxy = await proxyTo(url);
  const cache = await openTrusted(
    { ...place, url: proxy.url },
    { hasUnsentInvalidations: () => Promise.reject(new Error("no database")) },
  );
  const source = createSource();
  await readOne(cache, 1, source);
  await filled(cache, place.keys, "thing:1");
  proxy.hangUp();
  await until("the loss to be noticed", () => !cache.link.usable());
  await until("Redis to be used again", () => cache.link.usable(), RECOVERY_MS);
  expect(await statusOf((reading) => readOne(cache, 1, source, reading))).toBe("HIT");
});

it("The cache reads from no server that became a replica, and believes none of it.", async () => {
  const [main, other] = [await privateServer(), await privateServer()];
  const { port } = new URL(other.url);
  const cache = await openTrusted(main.place);
  const source = createSource();
  await readOne(cache, 1, source);
  await filled(cache, main.place.keys, "thing:1");
  source.version = 2;
  await main.admin.replicaof("127.0.0.1", Number(port));
  await expect(cache.invalidate(["thing:1"])).rejects.toThrow(RedisUnavailable);
  expect(await statusOf((reading) => readOne(cache, 1, source, reading))).toBe("BYPASS");
  await main.admin.replicaof("NO", "ONE");
  await until("Redis to be used again", () => cache.link.usable(), RECOVERY_MS);
  expect((await readOne(cache, 1, source))?.version).toBe(2);
});

it("A Redis that refuses invalidations is not read until it takes them again.", async () => {
  const { admin, place } = await privateServer({ args: ["--min-replicas-to-write", "0"] });
  const cache = await openTrusted(place);
  const source = createSource();
  await readOne(cache, 1, source);
  await filled(cache, place.keys, "thing:1");
  await admin.config("SET", "min-replicas-to-write", "1");
  source.version = 2;
  await expect(cache.invalidate(["thing:1"])).rejects.toThrow(RedisUnavailable);
  expect((await readOne(cache, 1, source))?.version).toBe(2);
  await admin.config("SET", "min-replicas-to-write", "0");
  await until("Redis to be used again", () => cache.link.usable(), RECOVERY_MS);
  expect((await readOne(cache, 1, source))?.version).toBe(2);
});
