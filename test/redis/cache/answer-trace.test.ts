/** What an answer is read from: which answers may be stored, and what ends them. */
import { Redis } from "ioredis";
import { expect, it, onTestFinished } from "vitest";
import type {
  AnswerTags,
  AnswerTrace,
  StoreRefusal,
} from "../../../src/domain/reading/answer-tags.js";
import { ReadContext } from "../../../src/domain/reading/read-context.js";
import type { CacheRegion } from "../../../src/redis/cache/cache.js";
import { createKeys } from "../../../src/redis/client/keys.js";
import { testRedis } from "../../support/redis.js";
import { startRedisServer } from "../../support/redis-server.js";
import { until } from "../../support/until.js";
import {
  createSource,
  openTrusted,
  proxyTo,
  readOne,
  type Source,
  type TestCache,
} from "./cache.fixture.js";

type Ended = AnswerTags | StoreRefusal;

/** A trace of a cache that can ask Redis. */
function begin(cache: TestCache): AnswerTrace {
  const begun = cache.traceAnswer();
  if (!begun) throw new Error("Redis cannot be asked");
  return begun;
}

/** Reads one thing as an answer does that is to be stored. */
async function trace(
  cache: TestCache,
  source: Source,
  { before = async () => {}, id = 1 }: { before?: () => Promise<unknown>; id?: number } = {},
): Promise<Ended> {
  const traced = begin(cache);
  const reading = new ReadContext({ trace: traced });
  await readOne(cache, id, source, reading);
  await before();
  return traced.finish();
}

/** The tags of an answer whose value is in the local level. */
async function stored(cache: TestCache, source: Source): Promise<AnswerTags> {
  let ended: Ended = "missed";
  await until("an answer that may be stored", async () => {
    ended = await trace(cache, source);
    return typeof ended !== "string";
  });
  return ended as unknown as AnswerTags;
}

it("An answer lives until one of its tags changes, on whatever process.", async () => {
  const place = testRedis();
  const [here, there, source] = [
    await openTrusted(place),
    await openTrusted(place),
    createSource(),
  ];
  for (const writer of [here, there]) {
    const tags = await stored(here, source);
    expect(tags.judge(0)).toBe("current");
    const count = await writer.invalidate(["thing:1"]);
    await until("the report", () => here.local.hasSeen(count));
    expect(tags.judge(0)).toBe("outdated");
    tags.release();
  }
});

it("A tag that changes between a read and its storing keeps the answer out.", async () => {
  const [cache, source] = [await openTrusted(testRedis()), createSource()];
  (await stored(cache, source)).release();
  expect(await trace(cache, source, { before: () => cache.invalidate(["thing:1"]) })).toBe(
    "changed",
  );
});

it("A client that has seen a newer write than the process is not answered.", async () => {
  const { url, keys } = testRedis();
  const proxy = await proxyTo(url);
  const far = await openTrusted({ url, keys, listenerUrl: proxy.url });
  const [near, source] = [await openTrusted({ url, keys }), createSource()];
  let tags = await stored(far, source);
  // A report of the tag's creation may still be on its way.
  await until("an answer after all reports", async () => {
    const count = await near.invalidate(["other"]);
    await until("the report", () => far.local.hasSeen(count));
    if (tags.judge(count) === "current") return true;
    tags = await stored(far, source);
    return false;
  });
  proxy.blackHole();
  const count = await near.invalidate(["thing:1"]);
  expect([tags.judge(count), tags.judge(0)]).toEqual(["unknown", "current"]);
  await until("the silence to be noticed", () => !far.local.isOn());
  expect(tags.judge(0)).toBe("outdated");
  await proxy.restore();
  await until("the local level", () => far.local.isOn());
  expect(tags.judge(0)).toBe("outdated");
});

it("A new epoch and a flush end every answer.", async () => {
  const server = await startRedisServer();
  onTestFinished(() => server.stop());
  const place = { url: server.url, keys: createKeys() };
  const admin = new Redis(server.url);
  onTestFinished(() => admin.disconnect());
  const [cache, source] = [await openTrusted(place), createSource()];
  for (const end of [
    () => admin.set(place.keys.cacheEpoch(), "9999999999999999@elsewhere"),
    () => admin.flushall(),
  ]) {
    const tags = await stored(cache, source);
    await end();
    await until("the end of the answer", () => tags.judge(0) === "outdated");
  }
});

it("An answer ends when a value is to be loaded again, which its next reading begins.", async () => {
  const [cache, source] = [await openTrusted(testRedis(), { ttlMs: 3_000 }), createSource()];
  const tags = await stored(cache, source);
  expect(tags.judge(0)).toBe("current");
  await until("the end of the answer", () => tags.judge(0) === "outdated");
  const loads = source.loads.length;
  const statuses = new Set<string | undefined>();
  await until("the load ahead of time", async () => {
    const reading = new ReadContext();
    await readOne(cache, 1, source, reading);
    statuses.add(reading.outcome?.status);
    return source.loads.length > loads;
  });
  // Served at once each time: the load is behind its reader.
  expect([...statuses]).toEqual(["HIT"]);
  await stored(cache, source);
});

it("A stale value keeps an answer out.", async () => {
  const [cache, source] = [await openTrusted(testRedis(), { ttlMs: 300 }), createSource()];
  await stored(cache, source);
  source.gate = () => new Promise(() => {});
  const outcomes = new Set<Ended>();
  await until("a stale value to be served", async () => {
    const ended = await trace(cache, source);
    if (typeof ended === "string") outcomes.add(ended);
    return outcomes.has("stale");
  });
});

it("Without the local level an answer lives until Redis has another version of a tag.", async () => {
  const place = testRedis();
  const [here, there, source] = [
    await openTrusted(place, { localBytes: 0 }),
    await openTrusted(place),
    createSource(),
  ];
  for (const end of [
    () => here.invalidate(["thing:1"]),
    () => there.invalidate(["thing:1"]),
    () => there.invalidate(["thing:1"], "expire"),
  ]) {
    const tags = await stored(here, source);
    expect([tags.judge(0), await tags.confirm()]).toEqual(["unconfirmed", "current"]);
    await there.invalidate(["other"]);
    expect(await tags.confirm()).toBe("current");
    await end();
    expect([tags.judge(0), await tags.confirm()]).toEqual(["unconfirmed", "outdated"]);
  }
});

it("Without the local level nothing is answered while Redis is away, or after a flush.", async () => {
  const server = await startRedisServer();
  onTestFinished(() => server.stop());
  const cache = await openTrusted({ url: server.url, keys: createKeys() }, { localBytes: 0 });
  const source = createSource();
  const tags = await stored(cache, source);
  const admin = new Redis(server.url);
  onTestFinished(() => admin.disconnect());
  await admin.flushall();
  expect(await tags.confirm()).toBe("outdated");
  const later = await stored(cache, source);
  await server.kill();
  expect(await later.confirm()).toBe("unknown");
  await until("the loss to be noticed", () => later.judge(0) === "unknown");
  expect(cache.traceAnswer()).toBeNull();
});

it("An answer of the time without the local level ends when that is back.", async () => {
  const { url, keys } = testRedis();
  const proxy = await proxyTo(url);
  const [cache, source] = [
    await openTrusted({ url, keys, listenerUrl: proxy.url }),
    createSource(),
  ];
  await stored(cache, source);
  proxy.blackHole();
  await until("the silence to be noticed", () => !cache.local.isOn());
  const tags = await stored(cache, source);
  expect([tags.judge(0), await tags.confirm()]).toEqual(["unconfirmed", "current"]);
  await proxy.restore();
  await until("the local level", () => cache.local.isOn());
  expect(tags.judge(0)).toBe("outdated");
});

it("A value that was loaded, and is in no local level, keeps an answer out.", async () => {
  const [cache, source] = [await openTrusted(testRedis(), { localBytes: 1 }), createSource()];
  expect(await trace(cache, source)).toBe("missed");
});

it.each<[StoreRefusal, (reading: ReadContext) => void]>([
  ["past cache", (reading) => reading.record("BYPASS", 0)],
  ["past cache", (reading) => reading.recordFallback()],
  ["uncached", (reading) => reading.recordUncached()],
  ["stale", (reading) => reading.record("STALE", 0)],
])("An answer is kept out as %s by what its reads record.", async (reason, record) => {
  const [cache, source] = [await openTrusted(testRedis()), createSource()];
  (await stored(cache, source)).release();
  const traced = begin(cache);
  const reading = new ReadContext({ trace: traced });
  await readOne(cache, 1, source, reading);
  record(reading);
  expect(traced.finish()).toBe(reason);
});

it("An answer without a cached value is not stored: nothing would end it.", async () => {
  const cache = await openTrusted(testRedis());
  expect(begin(cache).finish()).toBe("untagged");
});

it("An answer of more than 2,000 tags is not stored.", async () => {
  const cache = await openTrusted(testRedis());
  const many: CacheRegion<number> = {
    name: "many",
    cacheKeyOf: String,
    tagsOf: (id) => Array.from({ length: 500 }, (_, index) => `many:${id}:${index}`),
  };
  const outcome = async (ids: readonly number[]): Promise<Ended> => {
    const traced = begin(cache);
    const reading = new ReadContext({ trace: traced });
    await cache.readMany(many, ids, async (keys) => [...keys], reading);
    return traced.finish();
  };
  await until("values in the local level", async () => {
    const ended = await outcome([1, 2, 3]);
    if (typeof ended !== "string") ended.release();
    return typeof ended !== "string";
  });
  await until("too many tags", async () => (await outcome([1, 2, 3, 4])) === "tags");
});

it("Tags of answers that are gone leave the mirror.", async () => {
  const [cache, source] = [await openTrusted(testRedis()), createSource()];
  const first = await stored(cache, source);
  const second = await stored(cache, source);
  const { tags } = cache.local.size();
  await cache.invalidate(["thing:1"]);
  first.release();
  second.release();
  await until("the mirror to be smaller", () => cache.local.size().tags < tags);
});
