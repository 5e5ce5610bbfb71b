/**
 * The local level stays coherent: it drops what changed elsewhere, and is off whenever it could not
 * hear of a change.
 */
import { Redis } from "ioredis";
import { expect, it, onTestFinished } from "vitest";
import { ReadContext } from "../../../src/domain/reading/read-context.js";
import { createKeys } from "../../../src/redis/client/keys.js";
import type { FaultyProxy } from "../../support/faults.js";
import { testRedis } from "../../support/redis.js";
import { startRedisServer } from "../../support/redis-server.js";
import { until } from "../../support/until.js";
import {
  createSource,
  filled,
  openTrusted,
  type Place,
  proxyTo,
  readOne,
  type Source,
  type TestCache,
} from "./cache.fixture.js";
import { runInterleavings } from "./interleavings.js";

/** Reads until the value comes from the local level. */
async function warm(cache: TestCache, source: Source): Promise<void> {
  await until("a local hit", async () => {
    cache.served.local = 0;
    await readOne(cache, 1, source);
    return cache.served.local === 1;
  });
}

/**
 * A cache whose invalidation link goes through a proxy, and another on the same keys that needs
 * none.
 */
async function proxied(
  options = {},
): Promise<{ far: TestCache; near: TestCache; proxy: FaultyProxy; place: Place }> {
  const { url, keys } = testRedis();
  const proxy = await proxyTo(url);
  const far = await openTrusted({ url, keys, listenerUrl: proxy.url }, options);
  return { far, near: await openTrusted({ url, keys }, options), proxy, place: { url, keys } };
}

it("An invalidation by another process drops the local value on arrival.", async () => {
  const place = testRedis();
  const [a, b, source] = [await openTrusted(place), await openTrusted(place), createSource()];
  for (let round = 0; round < 50; round += 1) {
    await warm(a, source);
    source.version += 1;
    const count = await b.invalidate(["thing:1"]);
    await until("the message", () => a.local.hasSeen(count));
    expect((await readOne(a, 1, source))?.version).toBe(source.version);
  }
});

it("The cache shows nothing stale while its invalidation link is cut or after that.", async () => {
  const { far, near, proxy } = await proxied();
  const source = createSource();
  for (let round = 0; round < 3; round += 1) {
    await warm(far, source);
    await proxy.cut();
    await until("the loss to be noticed", () => !far.local.isOn());
    source.version += 1;
    await near.invalidate(["thing:1"]);
    expect((await readOne(far, 1, source))?.version).toBe(source.version);
    await proxy.restore();
    await until("the local level", () => far.local.isOn());
    expect((await readOne(far, 1, source))?.version).toBe(source.version);
  }
});

it("A link deaf for three beats turns the local level off, and is reconnected.", async () => {
  const { far, near, proxy } = await proxied({ beatMs: 100 });
  const source = createSource();
  await warm(far, source);
  proxy.blackHole();
  source.version = 2;
  const count = await near.invalidate(["thing:1"]);
  // With the token nothing older is shown even before the silence is noticed.
  expect(
    (await readOne(far, 1, source, new ReadContext({ seen: { count, bypassUntilMs: 0 } })))
      ?.version,
  ).toBe(2);
  await until("the silence to be noticed", () => !far.local.isOn(), 10 * 300);
  expect((await readOne(far, 1, source))?.version).toBe(2);
  await proxy.restore();
  await until("the local level", () => far.local.isOn());
  await warm(far, source);
  expect((await readOne(far, 1, source))?.version).toBe(2);
});

it("A flushed Redis empties the local level.", async () => {
  const server = await startRedisServer();
  onTestFinished(() => server.stop());
  const place = { url: server.url, keys: createKeys() };
  const admin = new Redis(server.url);
  onTestFinished(() => admin.disconnect());
  const [cache, source] = [await openTrusted(place), createSource()];
  await warm(cache, source);
  source.version = 2;
  await admin.flushall();
  await until(
    "the flush to be heard",
    async () => (await readOne(cache, 1, source))?.version === 2,
  );
  await filled(cache, place.keys, "thing:1");
  await warm(cache, source);
});

it("An evicted tag drops its local values.", async () => {
  const place = testRedis();
  const [cache, source] = [await openTrusted(place), createSource()];
  await warm(cache, source);
  source.version = 2;
  await place.connect().del(place.keys.cacheTag("thing:1"));
  await until(
    "the eviction to be heard",
    async () => (await readOne(cache, 1, source))?.version === 2,
  );
});

it("A new epoch empties the local level.", async () => {
  const place = testRedis();
  const [cache, source] = [await openTrusted(place), createSource()];
  await warm(cache, source);
  source.version = 2;
  await place.connect().set(place.keys.cacheEpoch(), "9999999999999999@elsewhere");
  await until(
    "the epoch to be heard",
    async () => (await readOne(cache, 1, source))?.version === 2,
  );
});

it("The local level stays within its bytes, and drops unused tags.", async () => {
  const place = testRedis();
  const [cache, source] = [await openTrusted(place, { localBytes: 20_000 }), createSource()];
  const ids = Array.from({ length: 200 }, (_, index) => index);
  const family = { name: "thing", cacheKeyOf: String, tagsOf: (id: number) => [`thing:${id}`] };
  for (const _ of [1, 2, 3]) {
    await cache.readMany(family, ids, source.load, new ReadContext());
    await filled(cache, place.keys, "thing:199");
  }
  const { bytes, entries, tags } = cache.local.size();
  expect(entries).toBeGreaterThan(0);
  expect(bytes).toBeLessThanOrEqual(20_000);
  // One for each entry, and the epoch.
  expect(tags).toBe(entries + 1);
});

it("No stale value is served while connections are killed again and again.", async () => {
  const server = await startRedisServer();
  onTestFinished(() => server.stop());
  const place = { url: server.url, keys: createKeys() };
  const admin = new Redis(server.url);
  onTestFinished(() => admin.disconnect());
  // A load whose connection was killed cannot give its lease back.
  const options = { leaseMs: 100 };
  const caches = [
    await openTrusted(place, options),
    await openTrusted(place, options),
    await openTrusted(place, { ...options, localBytes: 0 }),
  ];
  const drill = { over: false };
  const killing = (async () => {
    for (let kills = 0; !drill.over; kills += 1) {
      const clients = String(await admin.client("LIST"))
        .trim()
        .split("\n");
      const victims = clients.flatMap((line) =>
        /cmd=client\|list/.test(line) ? [] : (/^id=(\d+)/.exec(line)?.[1] ?? []),
      );
      const victim = victims[kills % Math.max(1, victims.length)];
      if (victim) await admin.client("KILL", "ID", victim);
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
  })();
  const { stale, reads } = await runInterleavings({ caches, rounds: 5_000, seed: 7 });
  drill.over = true;
  await killing;
  expect(reads).toBeGreaterThan(10_000);
  expect(stale).toBe(0);
  await until("both local levels", () => caches.slice(0, 2).every(({ local }) => local.isOn()));
});
