/** The read-through cache against a real Redis: what is served, what is loaded, and in how many round trips. */
import { pino } from "pino";
import { afterEach, describe, expect, it } from "vitest";
import { Reading } from "../../src/domain/reading.js";
import { silentTelemetry } from "../../src/domain/telemetry.js";
import { HOUR, MINUTE, SECOND } from "../../src/domain/time.js";
import type { Family } from "../../src/redis/cache.js";
import { type OpenCache, openCache } from "../../src/redis/open-cache.js";
import { testRedis } from "../support/redis.js";

const family: Family<number> = { name: "thing", nameOf: String, tagsOf: (id) => ["things", `thing:${id}`] };
const opened: OpenCache[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((cache) => cache.close()));
});

async function open(redis = testRedis(), options: Partial<Parameters<typeof openCache>[0]> = {}): Promise<OpenCache> {
  const cache = openCache({
    url: redis.url,
    keys: redis.keys,
    ttlMs: MINUTE,
    graceMs: HOUR,
    leaseMs: 2 * SECOND,
    deadlineMs: SECOND,
    localBytes: 1_000_000,
    tagTtlMs: HOUR,
    beatMs: 100,
    hasUnsentInvalidations: async () => false,
    telemetry: silentTelemetry,
    log: pino({ level: "silent" }),
    ...options,
  });
  opened.push(cache);
  await new Promise<void>((resolve) => cache.link.onTrusted(resolve));
  return cache;
}

describe("the cache", () => {
  it("loads a value once and serves it from then on", async () => {
    const redis = testRedis();
    const [a, b] = [await open(redis), await open(redis)];
    const loads: number[][] = [];
    const load = async (ids: readonly number[]) => (loads.push([...ids]), ids.map((id) => ({ id })));
    expect(await a.readMany(family, [1, 2], load, new Reading())).toEqual([{ id: 1 }, { id: 2 }]);
    await expect.poll(() => redis.connect().exists(redis.keys.cacheEntry("thing:2"))).toBe(1);
    const reading = new Reading();
    expect(await b.readMany(family, [2, 1, 3], load, reading)).toEqual([{ id: 2 }, { id: 1 }, { id: 3 }]);
    expect(reading.outcome?.status).toBe("MISS");
    expect(loads).toEqual([[1, 2], [3]]);
  });

  it("never serves a value after its tag was invalidated, on the same process", async () => {
    const cache = await open();
    let version = 1;
    const load = async (ids: readonly number[]) => ids.map(() => version);
    expect(await cache.readMany(family, [1], load, new Reading())).toEqual([1]);
    version = 2;
    await cache.invalidate(["thing:1"]);
    expect(await cache.readMany(family, [1], load, new Reading())).toEqual([2]);
  });
});
