/**
 * What every cache promises, whatever Redis it stands on: run by contract.test.ts on each
 * kind.
 */
import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import { ReadContext } from "../../../src/domain/reading/read-context.js";
import { MINUTE, SECOND } from "../../../src/domain/time/time.js";
import type { Keys } from "../../../src/redis/client/keys.js";
import { until } from "../../support/until.js";
import {
  type CacheOptions,
  createGate,
  createSource,
  filled,
  openTrusted,
  type Place,
  quiet,
  readOne,
  type TestCache,
  things,
} from "./cache.fixture.js";

/** Opens caches of one kind. `place` is asked once per test, so that no two tests share keys. */
export interface Ground {
  place(prefix: string): Place | Promise<Place>;
  readonly options?: CacheOptions;
}

interface Fleet {
  readonly keys: Keys;
  open(options?: CacheOptions): Promise<TestCache>;
}

/** Judges one kind of cache. */
export function describeCache(name: string, ground: () => Ground): void {
  const fleet = async (): Promise<Fleet> => {
    const { place, options } = ground();
    const where = await place(`test:${randomUUID()}:`);
    return { keys: where.keys, open: (more = {}) => openTrusted(where, { ...options, ...more }) };
  };

  describe(`the cache ${name}`, () => {
    describeReads(fleet);
    describeInvalidation(fleet);
    describeAge(fleet);
    describeSingleFlight(fleet);
  });
}

function describeReads(fleet: () => Promise<Fleet>): void {
  it("A value is loaded once and served to all readers, in the order asked.", async () => {
    const { open, keys } = await fleet();
    const [a, b, source] = [await open(), await open(), createSource()];
    await a.readMany(things, [1, 2], source.load, new ReadContext());
    await filled(a, keys, "thing:1", "thing:2");
    const values = await b.readMany(things, [2, 3, 1, 2], source.load, new ReadContext());
    expect(values.map((value) => value?.id)).toEqual([2, 3, 1, 2]);
    expect(source.loads).toEqual([[1, 2], [3]]);
    await quiet(a);
    await quiet(b);
  });

  it("Each read reports where its values came from.", async () => {
    const { open, keys } = await fleet();
    const [cache, source] = [await open(), createSource()];
    const [miss, hit, mixed, bypass] = [
      new ReadContext(),
      new ReadContext(),
      new ReadContext(),
      new ReadContext({ bypass: true }),
    ];
    await readOne(cache, 1, source, miss);
    await filled(cache, keys, "thing:1");
    await readOne(cache, 1, source, hit);
    await cache.readMany(things, [1, 2], source.load, mixed);
    await readOne(cache, 1, source, bypass);
    expect([miss, hit, mixed, bypass].map(({ outcome }) => outcome?.status)).toEqual([
      "MISS",
      "HIT",
      "MISS",
      "BYPASS",
    ]);
    expect(new ReadContext().outcome).toBeNull();
  });

  it("An absent value is remembered as absent.", async () => {
    const { open, keys } = await fleet();
    const [cache, source] = [await open(), createSource()];
    expect(await readOne(cache, -1, source)).toBeNull();
    await filled(cache, keys, "thing:-1");
    const reading = new ReadContext();
    expect(await readOne(cache, -1, source, reading)).toBeNull();
    expect(reading.outcome?.status).toBe("HIT");
    expect(source.loads).toHaveLength(1);
  });

  it("A read with a bypass goes past the cache, until the time of its token is over.", async () => {
    const { open, keys } = await fleet();
    const [cache, source] = [await open(), createSource()];
    await readOne(cache, 1, source);
    await filled(cache, keys, "thing:1");
    await readOne(cache, 1, source, new ReadContext({ bypass: true }));
    await readOne(
      cache,
      1,
      source,
      new ReadContext({ seen: { count: 0, bypassUntilMs: Date.now() + MINUTE } }),
    );
    await readOne(
      cache,
      1,
      source,
      new ReadContext({ seen: { count: 0, bypassUntilMs: Date.now() - MINUTE } }),
    );
    expect(source.loads).toHaveLength(3);
  });

  it("An error of the load rejects the read and is not cached.", async () => {
    const { open } = await fleet();
    const cache = await open();
    const broken = async () => Promise.reject(new Error("the database is away"));
    await expect(cache.readMany(things, [1], broken, new ReadContext())).rejects.toThrow(
      "the database is away",
    );
    await quiet(cache);
    const source = createSource();
    expect(await readOne(cache, 1, source)).toEqual({ id: 1, version: 1 });
    expect(source.loads).toHaveLength(1);
  });

  it("A load that leaves keys out is refused, and nothing is cached.", async () => {
    const { open } = await fleet();
    const cache = await open();
    await expect(
      cache.readMany(things, [1, 2], async () => [null], new ReadContext()),
    ).rejects.toThrow("1 of 2");
  });

  it("A damaged entry is loaded again.", async () => {
    const { open, keys } = await fleet();
    const [a, b, source] = [await open(), await open(), createSource()];
    await readOne(a, 1, source);
    await filled(a, keys, "thing:1");
    const text = await a.link.connection.get(keys.cacheEntry("thing:1"));
    await a.link.connection.set(keys.cacheEntry("thing:1"), `${text}}`);
    expect(await readOne(b, 1, source)).toEqual({ id: 1, version: 1 });
    expect(source.loads).toHaveLength(2);
  });

  it("Values are shared frozen, so no reader can change another's.", async () => {
    const { open } = await fleet();
    const [cache, source] = [await open(), createSource()];
    const [first, second] = [await readOne(cache, 1, source), await readOne(cache, 1, source)];
    expect([Object.isFrozen(first), Object.isFrozen(second)]).toEqual([true, true]);
  });
}

function describeInvalidation(fleet: () => Promise<Fleet>): void {
  it("No older value follows an invalidation, on any process with the token.", async () => {
    const { open } = await fleet();
    const [a, b, source] = [await open(), await open(), createSource()];
    for (let round = 1; round <= 20; round += 1) {
      await Promise.all([readOne(a, 1, source), readOne(b, 1, source)]);
      source.version += 1;
      const count = await a.invalidate(["thing:1"]);
      expect((await readOne(a, 1, source))?.version).toBe(source.version);
      expect(
        (await readOne(b, 1, source, new ReadContext({ seen: { count, bypassUntilMs: 0 } })))
          ?.version,
      ).toBe(source.version);
    }
  });

  it("A fill that began before an invalidation is never served.", async () => {
    const { open, keys } = await fleet();
    const [a, b, source] = [await open(), await open(), createSource()];
    const gate = createGate();
    source.gate = gate.pass;
    const early = readOne(a, 1, source);
    await gate.reached;
    source.version = 2;
    source.gate = async () => {};
    const count = await b.invalidate(["thing:1"]);
    gate.open();
    expect((await early)?.version).toBe(1);
    await filled(a, keys, "thing:1");
    const seen = { count, bypassUntilMs: 0 };
    expect((await readOne(a, 1, source, new ReadContext({ seen })))?.version).toBe(2);
    expect((await readOne(b, 1, source))?.version).toBe(2);
  });

  it("An invalidated tag ends all of its entries at once, and no other.", async () => {
    const { open, keys } = await fleet();
    const [cache, source] = [await open(), createSource()];
    await cache.readMany(things, [1, 2, 3], source.load, new ReadContext());
    await filled(cache, keys, "thing:1", "thing:2", "thing:3");
    await cache.invalidate(["thing:2"]);
    await cache.readMany(things, [1, 2, 3], source.load, new ReadContext());
    await filled(cache, keys, "thing:2");
    await cache.invalidate(["things"]);
    await cache.readMany(things, [1, 2, 3], source.load, new ReadContext());
    expect(source.loads).toEqual([[1, 2, 3], [2], [1, 2, 3]]);
  });

  it("An expired value is served as stale during its load, and a deleted one never.", async () => {
    const { open, keys } = await fleet();
    const [cache, source, stale] = [await open(), createSource(), new ReadContext()];
    await readOne(cache, 1, source);
    await filled(cache, keys, "thing:1");
    source.version = 2;
    await cache.invalidate(["thing:1"], "expire");
    expect((await readOne(cache, 1, source, stale))?.version).toBe(1);
    expect(stale.outcome?.status).toBe("STALE");
    await until("the new value", async () => (await readOne(cache, 1, source))?.version === 2);
    source.version = 3;
    await cache.invalidate(["thing:1"], "expire");
    await cache.invalidate(["thing:1"], "delete");
    expect((await readOne(cache, 1, source))?.version).toBe(3);
    expect(source.loads).toHaveLength(3);
    await quiet(cache);
  });

  it("The count of invalidations rises, also when the counter is lost.", async () => {
    const { open, keys } = await fleet();
    const cache = await open();
    const first = await cache.invalidate(["thing:1"]);
    const second = await cache.invalidate(["thing:1", "thing:2"]);
    await cache.link.connection.del(keys.cacheSeen());
    await until("the next millisecond", () => cache.link.nowMs() > second + 1);
    const third = await cache.invalidate(["thing:1"]);
    expect(second).toBeGreaterThan(first);
    expect(third).toBeGreaterThan(second);
  });

  it("An evicted tag ends its entries.", async () => {
    const { open, keys } = await fleet();
    const [a, b, source] = [await open(), await open(), createSource()];
    await readOne(a, 1, source);
    await filled(a, keys, "thing:1");
    await a.link.connection.del(keys.cacheTag("thing:1"));
    source.version = 2;
    expect((await readOne(b, 1, source))?.version).toBe(2);
  });
}

function describeAge(fleet: () => Promise<Fleet>): void {
  it("A value within its grace is served as stale, and loaded behind the reader.", async () => {
    const { open, keys } = await fleet();
    const [cache, source] = [await open({ ttlMs: 20 }), createSource()];
    await readOne(cache, 1, source);
    await filled(cache, keys, "thing:1");
    const statuses = new Set<string | undefined>();
    await until("a stale read", async () => {
      const reading = new ReadContext();
      await readOne(cache, 1, source, reading);
      statuses.add(reading.outcome?.status);
      return reading.outcome?.status === "STALE";
    });
    await until("another load", () => source.loads.length > 1);
    expect(statuses).not.toContain("MISS");
    await quiet(cache);
  });

  it("A value is never served beyond its grace.", async () => {
    const { open, keys } = await fleet();
    const [cache, source] = [await open({ ttlMs: 20, graceMs: 20 }), createSource()];
    await readOne(cache, 1, source);
    await filled(cache, keys, "thing:1");
    await until(
      "the end of the entry",
      async () => (await cache.link.connection.exists(keys.cacheEntry("thing:1"))) === 0,
    );
    const reading = new ReadContext();
    await readOne(cache, 1, source, reading);
    expect(reading.outcome?.status).toBe("MISS");
  });

  it("An ageing value is loaded once in the whole fleet, before it is stale.", async () => {
    const { open, keys } = await fleet();
    const caches = [
      await open({ ttlMs: SECOND }),
      await open({ ttlMs: SECOND }),
      await open({ ttlMs: SECOND }),
    ];
    const source = createSource();
    const first = caches[0] as TestCache;
    await readOne(first, 1, source);
    await filled(first, keys, "thing:1");
    const statuses = new Set<string | undefined>();
    await until("the early load", async () => {
      const reading = new ReadContext();
      await Promise.all(caches.map((cache) => readOne(cache, 1, source, reading)));
      statuses.add(reading.outcome?.status);
      return source.loads.length > 1;
    });
    await Promise.all(caches.map(quiet));
    expect(source.loads).toHaveLength(2);
    expect(statuses).not.toContain("MISS");
  });

  it("Values that were filled together do not expire together.", async () => {
    const { open, keys } = await fleet();
    const [cache, source] = [await open(), createSource()];
    const ids = Array.from({ length: 20 }, (_, index) => index);
    await cache.readMany(things, ids, source.load, new ReadContext());
    await filled(cache, keys, ...ids.map((id) => `thing:${id}`));
    const texts = await Promise.all(
      ids.map((id) => cache.link.connection.get(keys.cacheEntry(`thing:${id}`))),
    );
    const lives = texts.map((text) => Number(text?.split("|")[2]));
    expect(new Set(lives).size).toBeGreaterThan(10);
    expect(Math.max(...lives)).toBeLessThanOrEqual(MINUTE);
    expect(Math.min(...lives)).toBeGreaterThanOrEqual(0.9 * MINUTE);
  });
}

function describeSingleFlight(fleet: () => Promise<Fleet>): void {
  it("A missing value is loaded once for many readers on several caches.", async () => {
    const { open } = await fleet();
    const [caches, source, gate] = [
      [await open(), await open(), await open()],
      createSource(),
      createGate(),
    ];
    source.gate = gate.pass;
    const reads = Array.from({ length: 60 }, (_, index) =>
      readOne(caches[index % 3] as TestCache, 7, source),
    );
    await gate.reached;
    await until(
      "the others to wait",
      () => caches.filter((cache) => cache.underWay().waiting > 0).length === 2,
    );
    gate.open();
    expect((await Promise.all(reads)).every((value) => value?.id === 7)).toBe(true);
    expect(source.loads).toEqual([[7]]);
    await Promise.all(caches.map(quiet));
  });

  it("A failed load wakes its waiters, and one of them loads.", async () => {
    const { open } = await fleet();
    const [a, b, source, gate] = [
      await open({ leaseMs: MINUTE }),
      await open({ leaseMs: MINUTE }),
      createSource(),
      createGate(),
    ];
    const failing = a.readMany(
      things,
      [1],
      () => gate.pass().then(() => Promise.reject(new Error("the database is away"))),
      new ReadContext(),
    );
    await gate.reached;
    const waiting = readOne(b, 1, source);
    await until("the other to wait", () => b.underWay().waiting === 1);
    gate.open();
    await expect(failing).rejects.toThrow("away");
    expect(await waiting).toEqual({ id: 1, version: 1 });
    expect(source.loads).toEqual([[1]]);
  });

  it("Waiters load when the lease runs out, and the late fill of a load is refused.", async () => {
    const { open, keys } = await fleet();
    const [slow, quick, source, gate] = [
      await open({ leaseMs: 50 }),
      await open({ leaseMs: 50 }),
      createSource(),
      createGate(),
    ];
    source.gate = gate.pass;
    const late = readOne(slow, 1, source);
    await gate.reached;
    source.gate = async () => {};
    source.version = 2;
    expect((await readOne(quick, 1, source))?.version).toBe(2);
    await filled(quick, keys, "thing:1");
    const stored = await quick.link.connection.get(keys.cacheEntry("thing:1"));
    gate.open();
    expect((await late)?.version).toBe(1);
    await until("the late fill's answer", () => slow.trips.includes("cache fill"));
    expect(await quick.link.connection.get(keys.cacheEntry("thing:1"))).toBe(stored);
  });

  it("A fill after the end of its lease is kept where no other has filled.", async () => {
    const { open, keys } = await fleet();
    const [cache, source, gate] = [await open({ leaseMs: 20 }), createSource(), createGate()];
    source.gate = gate.pass;
    const late = readOne(cache, 1, source);
    await gate.reached;
    await until(
      "the end of the lease",
      async () => (await cache.link.connection.exists(keys.cacheLease("thing:1"))) === 0,
    );
    gate.open();
    await late;
    await filled(cache, keys, "thing:1");
  });

  it("A read after an invalidation starts a new load, and joins no older one.", async () => {
    const { open } = await fleet();
    const [cache, source, gate] = [await open(), createSource(), createGate()];
    source.gate = gate.pass;
    const before = readOne(cache, 1, source);
    await gate.reached;
    source.version = 2;
    source.gate = async () => {};
    await cache.invalidate(["thing:1"]);
    const after = readOne(cache, 1, source);
    gate.open();
    expect([(await before)?.version, (await after)?.version]).toEqual([1, 2]);
  });
}
