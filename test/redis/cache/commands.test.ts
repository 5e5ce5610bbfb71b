/** What reads cost, in commands counted by Redis itself. */
import type { Redis } from "ioredis";
import { Redis as Connection } from "ioredis";
import { afterAll, beforeAll, expect, it } from "vitest";
import { ReadContext } from "../../../src/domain/reading/read-context.js";
import type { CacheRegion } from "../../../src/redis/cache/cache.js";
import { createKeys } from "../../../src/redis/client/keys.js";
import { type RedisServer, startRedisServer } from "../../support/redis-server.js";
import { createSource, filled, openTrusted, quiet, readOne, things } from "./cache.fixture.js";

const others: CacheRegion<number> = {
  name: "other",
  cacheKeyOf: String,
  tagsOf: (id) => [`other:${id}`],
};
const ids = Array.from({ length: 50 }, (_, index) => index);
/** Far apart, so that no beat falls into a count. */
const SILENT = { beatMs: 600_000 };

let server: RedisServer;
let admin: Redis;
beforeAll(async () => {
  server = await startRedisServer();
  admin = new Connection(server.url);
});
afterAll(async () => {
  admin.disconnect();
  await server.stop();
});

let prefixes = 0;
const place = () => ({ url: server.url, keys: createKeys(`commands${prefixes++}:`) });

/** Calls of each command while `work` runs, without those that scripts make. */
async function commandsOf(work: () => Promise<unknown>): Promise<Record<string, number>> {
  await admin.config("RESETSTAT");
  await work();
  const stats = (await admin.info("commandstats")).matchAll(/cmdstat_([^:]+):calls=(\d+)/g);
  const calls = Object.fromEntries([...stats].map(([, name = "", count]) => [name, Number(count)]));
  const watched = [
    "mget",
    "get",
    "evalsha",
    "eval",
    "set",
    "subscribe",
    "client|tracking",
    "client|id",
  ];
  return Object.fromEntries(
    watched.filter((name) => calls[name]).map((name) => [name, calls[name] ?? 0]),
  );
}

it("Any number of warm ids is read with exactly one MGET.", async () => {
  const cache = await openTrusted(place(), { ...SILENT, localBytes: 0 });
  const { load } = createSource();
  await cache.readMany(things, ids, load, new ReadContext());
  await quiet(cache);
  const { get: _, ...commands } = await commandsOf(() =>
    cache.readMany(things, ids, load, new ReadContext()),
  );
  expect(commands).toEqual({ mget: 1 });
  expect(await commandsOf(() => cache.readMany(things, [1], load, new ReadContext()))).toEqual({
    mget: 1,
  });
});

it("Several loaders and requests of one turn share one MGET.", async () => {
  const cache = await openTrusted(place(), { ...SILENT, localBytes: 0 });
  const { load } = createSource();
  const readAll = () =>
    Promise.all([
      cache.readMany(things, ids, load, new ReadContext()),
      cache.readMany(others, ids, load, new ReadContext()),
      Promise.resolve().then(() => cache.readMany(things, [3, 4], load, new ReadContext())),
    ]);
  await readAll();
  await quiet(cache);
  expect(await commandsOf(readAll)).toEqual({ mget: 1 });
});

it("Cold ids cost three round trips and one load, whatever their number.", async () => {
  const cache = await openTrusted(place(), { ...SILENT, localBytes: 0 });
  const source = createSource();
  await cache.readMany(things, ids, source.load, new ReadContext());
  await expect.poll(() => cache.trips).toEqual(["cache read", "cache acquire", "cache fill"]);
  expect(source.loads).toEqual([ids]);
});

it("A local value is read without asking Redis.", async () => {
  const where = place();
  const cache = await openTrusted(where, SILENT);
  const { load } = createSource();
  await cache.readMany(things, ids, load, new ReadContext());
  await filled(cache, where.keys, ...ids.map((id) => `thing:${id}`));
  await cache.readMany(things, ids, load, new ReadContext());
  expect(await commandsOf(() => cache.readMany(things, ids, load, new ReadContext()))).toEqual({});
  expect(cache.served.local).toBe(ids.length);
});

it("An invalidation takes a command per tag and one to count, whatever the entries.", async () => {
  const where = place();
  const cache = await openTrusted(where, SILENT);
  await cache.readMany(things, ids, createSource().load, new ReadContext());
  await cache.invalidate(["warm-up"]);
  await filled(cache, where.keys, ...ids.map((id) => `thing:${id}`));
  const scripts = await commandsOf(() => cache.invalidate(["things", "thing:1"]));
  expect(scripts.evalsha).toBe(3);
  expect(scripts.eval).toBeUndefined();
});

it("A load of other values leaves the local level of all processes alone.", async () => {
  const where = place();
  const [a, b] = [await openTrusted(where, SILENT), await openTrusted(where, SILENT)];
  const source = createSource();
  for (const _ of [1, 2]) {
    await readOne(a, 1, source);
    await filled(a, where.keys, "thing:1");
  }
  await b.readMany(things, [2, 3, 4], source.load, new ReadContext());
  await filled(b, where.keys, "thing:2", "thing:3", "thing:4");
  // Whatever Redis had to report of those loads has arrived once this is counted.
  const count = await b.invalidate(["unrelated"]);
  await expect.poll(() => a.local.hasSeen(count)).toBe(true);
  a.served.local = 0;
  await readOne(a, 1, source);
  expect(a.served.local).toBe(1);
});
