/**
 * What counting promises in Redis and Postgres together: each event once, whatever order things
 * come in and whatever is lost.
 */

import { createHash } from "node:crypto";
import { sql } from "drizzle-orm";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import type { ProductRecord } from "../../../src/domain/catalogue/catalogue.js";
import {
  ESTIMATE_ERROR,
  EXACT_VIEWERS,
  MAX_COUNT,
  MAX_RECENT_VIEWERS,
} from "../../../src/domain/counters.js";
import { dayAt, dayNumber, dayOf, monthOf } from "../../../src/domain/leaderboard/calendar.js";
import { ReadContext } from "../../../src/domain/reading/read-context.js";
import { createKeys } from "../../../src/redis/client/keys.js";
import { OPERATION_SLOTS, shardOf } from "../../../src/redis/counters/counters.js";
import { type TestDatabase, testDatabase } from "../../support/postgres.js";
import { startRedisCluster, startRedisServer, testRedis } from "../../support/redis.js";
import { until } from "../../support/until.js";
import {
  type CounterKit,
  type Crash,
  dying,
  openCounterKit,
  STEPS,
  stockProducts,
} from "./counters.fixture.js";

let db: TestDatabase;
beforeAll(async () => {
  db = await testDatabase();
  await stockProducts(db.database, 500);
});
afterAll(() => db.close());

/** What Redis knows a guest of the kit by. */
const viewerOf = (guest: string): string =>
  createHash("sha256").update(`guest:${guest}`).digest().subarray(0, 8).toString("base64url");

let products = 0;
const fresh = (): number => ++products;

/**
 * A kit under a prefix of its own in the shared server: to Postgres that is a Redis which lost
 * everything.
 */
const openKit = (options: Partial<Parameters<typeof openCounterKit>[0]> = {}) =>
  openCounterKit({ ...testRedis(), database: db.database, ...options });

describe("viewers", () => {
  it(`Up to ${EXACT_VIEWERS} viewers are exact, and more within the stated error.`, async () => {
    const [kit, id] = [await openKit(), fresh()];
    const today = dayOf(kit.nowMs());
    for (let viewer = 1; viewer <= EXACT_VIEWERS; viewer++) await kit.view(id, `guest ${viewer}`);
    expect(await kit.read(id)).toEqual({
      views: EXACT_VIEWERS,
      shares: 0,
      viewers: EXACT_VIEWERS,
      exact: true,
    });
    expect(await kit.read(id, today)).toMatchObject({ viewers: EXACT_VIEWERS, exact: true });
    const many = EXACT_VIEWERS + 2_000;
    for (let viewer = EXACT_VIEWERS; viewer < many; viewer += 100)
      await Promise.all(
        Array.from({ length: 100 }, (_, at) => kit.view(id, `guest ${viewer + at + 1}`)),
      );
    for (const period of ["all", monthOf(kit.nowMs()), today] as const) {
      const { views, viewers, exact } = await kit.read(id, period);
      expect({ views, exact }).toEqual({ views: many, exact: false });
      expect(Math.abs(viewers - many) / many).toBeLessThan(5 * ESTIMATE_ERROR);
    }
  });

  it("Viewers of several days merge: counted while few, estimated when many, once.", async () => {
    const [kit, id] = [await openKit(), fresh()];
    const now = kit.nowMs();
    const yesterday = dayAt(dayNumber(now) - 1);
    // Yesterday as Postgres has it: 600 people, of whom half come again today.
    const past = await openKit();
    const sketch = `sketch ${id}`;
    for (let at = 0; at < 600; at++) await past.connection.pfadd(sketch, viewerOf(`guest ${at}`));
    const bytes = (await past.connection.getBuffer(sketch))!.toString("base64");
    await past.connection.del(sketch);
    await db.database.query(sql`INSERT INTO product_tallies
        (product_id, period, views, viewers, is_over, sketch)
      SELECT ${id}, period, 600, 600, true, decode(${bytes}, 'base64')
      FROM unnest(ARRAY['all', ${yesterday.name}]) AS t(period)`);
    await Promise.all(Array.from({ length: 600 }, (_, at) => kit.view(id, `guest ${at + 300}`)));
    const [today, both] = [await kit.counters.viewers(id, 1), await kit.counters.viewers(id, 2)];
    expect([today.exact, both.exact]).toEqual([false, false]);
    expect(Math.abs(today.estimate - 600) / 600).toBeLessThan(5 * ESTIMATE_ERROR);
    expect(Math.abs(both.estimate - 900) / 900).toBeLessThan(5 * ESTIMATE_ERROR);
    expect(await kit.counters.viewers(id, 90)).toEqual(both);

    const few = fresh();
    const day = dayNumber(now) - 5;
    const pair = ["ada", "bob"].map((name) => ({ viewer: viewerOf(name), day }));
    await db.database.query(sql`INSERT INTO product_tallies
        (product_id, period, views, viewers, few)
      VALUES (${few}, 'all', 2, 2, ${JSON.stringify(pair)}::jsonb)`);
    await kit.view(few, "ada");
    await kit.view(few, "eve");
    const counts = await Promise.all([1, 5, 6, 90].map((days) => kit.counters.viewers(few, days)));
    expect(counts.map(({ estimate, exact }) => [estimate, exact])).toEqual([
      [2, true],
      [2, true],
      [3, true],
      [3, true],
    ]);
  });

  it("A viewer counts again as a view after the window, and stays one viewer.", async () => {
    const [kit, id] = [await openKit({ viewMs: 20 }), fresh()];
    await kit.view(id, "ada");
    await until(
      "a second view to count",
      async () => (await kit.view(id, "ada")) && (await kit.read(id)).views === 2,
    );
    expect(await kit.read(id)).toMatchObject({ viewers: 1, exact: true });
  });

  it("Viewers of a past day are separate from those of today.", async () => {
    const [kit, id] = [await openKit(), fresh()];
    const yesterday = dayAt(dayNumber(kit.nowMs()) - 1);
    expect(await kit.read(id, yesterday)).toEqual({ views: 0, shares: 0, viewers: 0, exact: true });
    await kit.view(id, "ada");
    expect(await kit.read(id, yesterday)).toMatchObject({ views: 0, viewers: 0 });
  });
});

describe("a script", () => {
  it("A script refuses another day than its clock's, and the caller finds that one.", async () => {
    const [kit, id] = [await openKit(), fresh()];
    await kit.view(id, "ada");
    const nowMs = kit.nowMs();
    const day = dayAt(dayNumber(nowMs) - 1);
    await kit.read(id, day);
    expect(
      await kit.store.view(
        { productId: id, day, month: monthOf(nowMs), operation: undefined },
        "bob",
      ),
    ).toMatchObject({
      state: "outside-window",
    });
    expect(await kit.read(id)).toMatchObject({ views: 1 });
  });

  it("A counter stops at the largest number that a client can read.", async () => {
    const [kit, id] = [await openKit(), fresh()];
    await db.database.query(
      sql`INSERT INTO product_tallies (product_id, period, views, shares)
        VALUES (${id}, 'all', ${MAX_COUNT - 1}::bigint, ${MAX_COUNT}::bigint)`,
    );
    expect(await kit.view(id, "ada")).toEqual([]);
    expect([await kit.view(id, "bob"), await kit.share(id)]).toEqual([
      ["OUT_OF_RANGE"],
      ["OUT_OF_RANGE"],
    ]);
    expect(await kit.read(id)).toEqual({
      views: MAX_COUNT,
      shares: MAX_COUNT,
      viewers: 1,
      exact: true,
    });
    await kit.flush();
    expect(await kit.stored(id)).toMatchObject({ views: MAX_COUNT, shares: MAX_COUNT });
  });

  it("A number beyond every bound reads as full, also 2^63 - 1.", async () => {
    const place = testRedis();
    const [kit, id] = [await openKit(place), fresh()];
    await kit.share(id);
    await kit.connection.hset(place.keys.tally(shardOf(id), id), "shares", "9223372036854775807");
    expect(await kit.share(id)).toEqual(["OUT_OF_RANGE"]);
    expect(
      await kit.connection.hget(place.keys.counterPending(shardOf(id)), `${id}:all:shares`),
    ).toBe("1");
  });
});

describe("operation ids", () => {
  const shareAs = (kit: CounterKit, productId: number, userId: number, operationId: string) =>
    kit.counters.share({
      product: { id: productId, removed: false } as ProductRecord,
      owner: () => ({ kind: "user", userId }),
      operationId,
    });

  it("A product remembers a bounded number of ids in one key, however many callers.", async () => {
    const place = testRedis();
    const [kit, id] = [await openKit(place), fresh()];
    const sizes: number[] = [];
    for (let round = 0; round < 8; round++) {
      for (let batch = 0; batch < 20; batch++)
        await Promise.all(
          Array.from({ length: 150 }, (_, at) =>
            shareAs(kit, id, (at % 3) + 1, `operation ${round} ${batch} ${at}`),
          ),
        );
      const slots = await kit.connection.hgetall(place.keys.counterOperations(shardOf(id), id));
      sizes.push(Object.values(slots).join("").length);
      expect(Object.keys(slots).length).toBeLessThanOrEqual(3);
    }
    expect(sizes.at(-1)).toBe(sizes[0]);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(3 * 64 * 20);
    expect(await kit.read(id)).toMatchObject({ shares: 8 * 20 * 150 });
  });

  it("Guests fill at most 256 slots of 64 ids.", async () => {
    const place = testRedis();
    const [kit, id] = [await openKit(place), fresh()];
    for (let batch = 0; batch < 20; batch++)
      await Promise.all(
        Array.from({ length: 250 }, (_, at) => kit.share(id, `operation ${batch} ${at}`)),
      );
    const slots = await kit.connection.hgetall(place.keys.counterOperations(shardOf(id), id));
    expect(Object.keys(slots).every((slot) => Number(slot) < OPERATION_SLOTS)).toBe(true);
    expect(Math.max(...Object.values(slots).map((slot) => slot.length))).toBeLessThanOrEqual(
      64 * 20,
    );
  });

  it("The latest 64 ids of a caller count once in any order, whoever else sends.", async () => {
    const [kit, id] = [await openKit(), fresh()];
    const own = Array.from({ length: 64 }, (_, at) => `operation ${at}`);
    for (const operation of own) await shareAs(kit, id, 1, operation);
    await Promise.all(
      Array.from({ length: 500 }, (_, at) => shareAs(kit, id, 2, `operation ${at}`)),
    );
    const random = fc
      .sample(fc.shuffledSubarray(own, { minLength: 40 }), { numRuns: 5, seed: 7 })
      .flat();
    for (const operation of random) await shareAs(kit, id, 1, operation);
    expect(await kit.read(id)).toMatchObject({ shares: 64 + 500 });
  });

  it("A view and a share under one id are two operations, as are two products.", async () => {
    const [kit, id, other] = [await openKit(), fresh(), fresh()];
    for (let time = 0; time < 2; time++) {
      await kit.view(id, "ada", "the same");
      await kit.share(id, "the same");
      await kit.share(other, "the same");
    }
    expect(await kit.read(id)).toMatchObject({ views: 1, shares: 1 });
    expect(await kit.read(other)).toMatchObject({ views: 0, shares: 1 });
  });

  it("An id counts again when its time is over.", async () => {
    const [kit, id] = [await openKit({ operationMs: 20 }), fresh()];
    await kit.share(id, "the same");
    await until(
      "the id to be forgotten",
      async () => (await kit.share(id, "the same")) && (await kit.read(id)).shares === 2,
    );
  });

  it("The window of a product remembers a bounded number of viewers.", async () => {
    const place = testRedis();
    const [kit, id] = [await openKit(place), fresh()];
    const recent = place.keys.recentViewers(shardOf(id), id);
    const nowMs = kit.nowMs();
    for (let from = 0; from < MAX_RECENT_VIEWERS; from += 10_000)
      await kit.connection.zadd(
        recent,
        ...Array.from({ length: 10_000 }, (_, at) => [nowMs, `viewer ${from + at}`]).flat(),
      );
    await kit.view(id, "ada");
    expect(await kit.connection.zcard(recent)).toBe(MAX_RECENT_VIEWERS);
    await kit.view(id, "ada");
    expect(await kit.read(id)).toMatchObject({ views: 1 });
  });
});

describe("write-behind", () => {
  it("A flush brings everything to Postgres once, and a second one nothing.", async () => {
    const [kit, id] = [await openKit(), fresh()];
    await kit.view(id, "ada");
    await kit.share(id);
    expect(await kit.flush()).toBe(1);
    expect(await kit.flush()).toBe(0);
    expect(await kit.stored(id)).toEqual({ views: 1, shares: 1, viewers: 1 });
    await kit.share(id);
    await kit.flush();
    expect(await kit.stored(id)).toEqual({ views: 1, shares: 2, viewers: 1 });
  });

  it("A flush can read whatever the scripts have counted.", async () => {
    const [kit, id] = [await openKit(), fresh()];
    await kit.view(id, "ada");
    await kit.flush();
    await kit.share(id);
    await kit.flush();
    expect(kit.warnings.filter((words) => words.includes("cannot be read"))).toEqual([]);
  });

  it("Three simultaneous flushes count like one.", async () => {
    const place = testRedis();
    const kits = await Promise.all([openKit(place), openKit(place), openKit(place)]);
    const id = fresh();
    for (let round = 1; round <= 20; round++) {
      await Promise.all(kits.map((kit) => kit.share(id)));
      await Promise.all(kits.map((kit) => kit.flush()));
    }
    await kits[0]!.flush();
    expect(await kits[0]!.stored(id)).toMatchObject({ shares: 60 });
    expect(await kits[1]!.read(id)).toMatchObject({ shares: 60 });
  });

  it("A flush that ends around any of its steps loses and doubles nothing.", async () => {
    for (const [at, step] of STEPS.flatMap(
      (name) =>
        [
          [0, name],
          [1, name],
        ] as const,
    )) {
      const crash: Crash = { step, when: at === 0 ? "before" : "after", armed: true };
      const place = testRedis();
      const kit = await openKit({ ...place, wrap: (parts) => dying(parts, crash) });
      const id = fresh();
      await kit.view(id, "ada");
      await expect(kit.flush()).rejects.toThrow("killed");
      await kit.view(id, "bob");
      await kit.share(id);
      crash.armed = false;
      // Whoever comes next may be another process.
      await (await openKit(place)).flush();
      await kit.flush();
      expect([step, at, await kit.stored(id)]).toEqual([
        step,
        at,
        { views: 2, shares: 1, viewers: 2 },
      ]);
      expect(await kit.read(id)).toEqual({ views: 2, shares: 1, viewers: 2, exact: true });
    }
  });

  it("A flush drops days beyond 90 and keeps their months.", async () => {
    const [kit, id] = [await openKit(), fresh()];
    const old = dayAt(dayNumber(Date.now()) - 91);
    const kept = dayAt(dayNumber(Date.now()) - 89);
    for (const period of [old.name, kept.name, old.name.slice(0, 7), "all"])
      await db.database.query(
        sql`INSERT INTO product_tallies (product_id, period, views) VALUES (${id}, ${period}, 1)`,
      );
    expect(await kit.table.prune()).toBe(1);
    const rows = await db.database.query<{ period: string }>(
      sql`SELECT period FROM product_tallies WHERE product_id = ${id}`,
    );
    expect(rows.map(({ period }) => period).sort()).toEqual(
      ["all", kept.name, old.name.slice(0, 7)].sort(),
    );
  });
});

describe("a Redis that lost its memory", () => {
  it("A new Redis gets the counters of Postgres and reports what is missing.", async () => {
    const server = await startRedisServer();
    onTestFinished(() => server.stop());
    // Of its own: in a database that others share, a new Redis has always lost something.
    const { database, close } = await testDatabase();
    onTestFinished(close);
    await stockProducts(database, 1);
    const [kit, id] = [await openKit({ url: server.url, keys: createKeys(), database }), 1];
    for (const guest of ["ada", "bob", "eve"]) await kit.view(id, guest);
    await kit.flush();
    await kit.share(id);
    await kit.connection.flushall();
    expect(kit.warnings).toEqual([]);
    expect(await kit.read(id)).toEqual({ views: 3, shares: 0, viewers: 3, exact: true });
    expect(kit.warnings).toEqual([
      "Redis lost counts: they come back from PostgreSQL, at most COUNTERS_FLUSH_MS short",
    ]);
    // Who was known is known again: not by the window, which is gone, but as one person.
    await kit.view(id, "ada");
    await kit.view(id, "zoe");
    await kit.flush();
    expect(await kit.read(id)).toEqual({ views: 5, shares: 0, viewers: 4, exact: true });
    expect([await kit.table.stored([{ productId: id, period: "all" }], shardOf)]).toMatchObject([
      [{ views: 5, shares: 0, viewers: 4 }],
    ]);
  });

  it("A new Redis gets the estimates of Postgres.", async () => {
    const [kit, id] = [await openKit(), fresh()];
    await Promise.all(Array.from({ length: 500 }, (_, at) => kit.view(id, `guest ${at}`)));
    await kit.flush();
    const before = await kit.read(id);
    const after = await openKit();
    expect(await after.read(id)).toEqual(before);
    await Promise.all(Array.from({ length: 500 }, (_, at) => after.view(id, `guest ${at}`)));
    expect(await after.read(id)).toMatchObject({
      views: 1_000,
      viewers: before.viewers,
      exact: false,
    });
  });

  it("A restarted Redis keeps counters that continue the last batch.", async () => {
    const server = await startRedisServer();
    onTestFinished(() => server.stop());
    const place = { url: server.url, keys: createKeys(`${Math.random()}:`) };
    const [kit, id] = [await openKit(place), fresh()];
    await kit.view(id, "ada");
    await kit.flush();
    await kit.view(id, "bob");
    await (kit.connection as import("ioredis").Redis).save();
    await server.kill();
    await server.restart();
    await until("Redis to be back", () => kit.connection.ping());
    expect(await kit.read(id)).toEqual({ views: 2, shares: 0, viewers: 2, exact: true });
    await kit.flush();
    expect(await kit.stored(id)).toEqual({ views: 2, shares: 0, viewers: 2 });
  });

  it("A Redis restored to an older state counts nothing twice.", async () => {
    const server = await startRedisServer();
    onTestFinished(() => server.stop());
    const place = { url: server.url, keys: createKeys(`${Math.random()}:`) };
    const [kit, id] = [await openKit(place), fresh()];
    await kit.view(id, "ada");
    await (kit.connection as import("ioredis").Redis).save();
    await kit.flush();
    await server.kill();
    await server.restart();
    await until("Redis to be back", () => kit.connection.ping());
    expect(await kit.read(id)).toMatchObject({ views: 1, viewers: 1 });
    await kit.flush();
    expect(await kit.stored(id)).toMatchObject({ views: 1, viewers: 1 });
  });

  it("A loader that a flush overtakes asks again, so no half tally is served.", async () => {
    const place = testRedis();
    const [kit, id] = [await openKit(place), fresh()];
    await kit.share(id);
    const [stale] = await kit.table.stored([{ productId: id, period: "all" }], shardOf);
    await kit.flush();
    await kit.connection.del(place.keys.tally(shardOf(id), id));
    expect(await kit.store.load({ productId: id, period: "all" }, stale!, Date.now())).toBe(
      "outdated",
    );
    expect(await kit.read(id)).toMatchObject({ shares: 1 });
  });
});

describe("without Redis", () => {
  it("Without Redis reads come from Postgres, and nothing is counted.", async () => {
    const server = await startRedisServer();
    const place = { url: server.url, keys: createKeys() };
    const [kit, id] = [await openKit({ ...place, deadlineMs: 500 }), fresh()];
    await kit.view(id, "ada");
    await kit.flush();
    await kit.share(id);
    await server.stop();
    expect(await kit.read(id)).toEqual({ views: 1, shares: 0, viewers: 1, exact: true });
    for (const refused of [kit.view(id, "bob"), kit.counters.viewers(id, 7)])
      await expect(refused).rejects.toMatchObject({ code: "SERVICE_UNAVAILABLE" });
  });

  it("Sets that could not be loaded count no viewers, though Redis answers again.", async () => {
    const [{ url, keys }, id] = [testRedis(), fresh()];
    const before = await openKit({ url, keys });
    await before.view(id, "ada");
    await before.flush();
    // To Postgres another prefix is a Redis that lost everything.
    const kit = await openKit();
    kit.breaker.trip(new Error("a reply was late"));
    await expect(kit.counters.viewers(id, 7)).rejects.toMatchObject({
      code: "SERVICE_UNAVAILABLE",
    });
    await until("Redis to be asked again", () => kit.breaker.isClosed());
    expect(await kit.counters.viewers(id, 7)).toMatchObject({ estimate: 1 });
  });
});

it("Tallies for several scripts are read in one round trip, in the order asked.", async () => {
  const [kit, known] = [await openKit(), fresh()];
  for (const guest of ["ada", "bob", "cyd"]) await kit.view(known, guest);
  const ids = Array.from({ length: 120 }, () => fresh());
  await Promise.all(ids.filter((id) => id % 2 === 0).map((id) => kit.view(id, "ada")));
  const wanted = ids.flatMap((id) => [id, known]);
  const calls = kit.connection.countersRead.bind(kit.connection);
  const read = vi.spyOn(kit.connection, "countersRead").mockImplementation(calls);
  const tallies = await kit.store.read(
    wanted.map((productId) => ({ productId, period: "all" as const })),
    kit.nowMs(),
  );
  // 240 tallies, 100 in a script.
  expect(read).toHaveBeenCalledTimes(3);
  expect(tallies).toMatchObject(
    wanted.map((id) =>
      id === known ? { views: 3 } : id % 2 === 0 ? { views: 1 } : expect.anything(),
    ),
  );
});

it("Counters on a Cluster work as on one server.", async () => {
  const cluster = await startRedisCluster();
  onTestFinished(() => cluster.stop());
  const kit = await openKit({ url: cluster.url, keys: createKeys(`${Math.random()}:`) });
  const ids = Array.from({ length: 100 }, () => fresh());
  const stored = await Promise.all(ids.map((id) => kit.stored(id)));
  await Promise.all(
    ids.flatMap((id) => [
      kit.view(id, "ada"),
      kit.view(id, "bob"),
      kit.view(id, "ada"),
      kit.share(id),
    ]),
  );
  const tallies = await kit.counters.read(
    ids.map((productId) => ({ productId, period: "all" as const })),
    new ReadContext(),
  );
  expect(tallies.map(({ views, shares }) => ({ views, shares }))).toEqual(
    stored.map(({ views, shares }) => ({ views: views + 2, shares: shares + 1 })),
  );
  await kit.flush();
  expect(await Promise.all(ids.map((id) => kit.stored(id)))).toMatchObject(
    stored.map(({ views, shares }) => ({ views: views + 2, shares: shares + 1 })),
  );
});
