/**
 * What the tests of the cache share: caches with short times, a counted source, and telemetry that
 * remembers.
 */
import type { Redis } from "ioredis";
import { onTestFinished } from "vitest";
import { ReadContext } from "../../../src/domain/reading/read-context.js";
import { createDegradations } from "../../../src/domain/telemetry/degradations.js";
import type { Telemetry } from "../../../src/domain/telemetry/telemetry.js";
import { HOUR, MINUTE, SECOND } from "../../../src/domain/time/time.js";
import type { CacheRegion } from "../../../src/redis/cache/cache.js";
import type { LoadValues } from "../../../src/redis/cache/deps.js";
import { assembleCache, type OpenCache, openCache } from "../../../src/redis/cache/open.js";
import { connectRedis } from "../../../src/redis/client/connect.js";
import type { Keys } from "../../../src/redis/client/keys.js";
import { createProxy, type FaultyProxy } from "../../support/faults.js";
import { testLog } from "../../support/log.js";
import { until } from "../../support/until.js";

/** A thing with one tag of its own and one that all things share. */
export const things: CacheRegion<number> = {
  name: "thing",
  cacheKeyOf: String,
  tagsOf: (id) => ["things", `thing:${id}`],
};

export type CacheOptions = Partial<Parameters<typeof openCache>[0]>;

/** Where a cache is opened. */
export interface Place {
  readonly url: string;
  /** Another way to the same server, for the connection that hears of invalidations. */
  readonly listenerUrl?: string;
  readonly keys: Keys;
}

/** A cache with telemetry that counts. */
export interface TestCache extends OpenCache {
  /** Round trips so far, by what they were for, in order. */
  readonly trips: string[];
  /** Values served so far, by level. */
  readonly served: Record<"local" | "redis" | "none", number>;
}

/** Opens a cache that is closed when the test ends; it may not be trusted yet. */
export function openUntrusted(
  { url, listenerUrl = url, keys }: Place,
  options: CacheOptions = {},
): TestCache {
  const trips: string[] = [];
  const served = { local: 0, redis: 0, none: 0 };
  const telemetry: Telemetry = {
    cacheReads: (level, count) => {
      served[level] += count;
    },
    loads() {},
    redisRoundTrip(what) {
      if (READ_PATH.test(what)) trips.push(what);
    },
    sqlStatement() {},
  };
  const degradations = createDegradations(() => {});
  const all = { ...DEFAULTS, keys, telemetry, degradations, log: testLog(), ...options };
  const cache =
    listenerUrl === url ? openCache({ url, ...all }) : openApart({ url, listenerUrl, keys }, all);
  onTestFinished(() => cache.close());
  return Object.assign(cache, { trips, served });
}

/** Calls of reads and invalidations; those of the link come by the clock. */
const READ_PATH = /^cache (read|acquire|fill|invalidate)$/;

const DEFAULTS = {
  // Not by itself: tests that fill a server say when it is looked at.
  memoryCheckMs: HOUR,
  ttlMs: MINUTE,
  graceMs: HOUR,
  leaseMs: 5 * SECOND,
  // Ten times the promise: only a hang is late, however busy the machine.
  deadlineMs: SECOND,
  localBytes: 1_000_000,
  tagTtlMs: 2 * HOUR,
  beatMs: 200,
  hasUnsentInvalidations: async () => false,
};

/** A cache whose two connections take different ways, so that a test can fail one of them. */
function openApart(
  { url, listenerUrl }: Required<Place>,
  options: Parameters<typeof assembleCache>[0],
): OpenCache {
  const connection = connectRedis({ url, role: "requests", log: options.log });
  const listener = connectRedis({ url: listenerUrl, role: "tracker", log: options.log }) as Redis;
  onTestFinished(() => {
    connection.disconnect();
    listener.disconnect();
  });
  return assembleCache(options, { connection, listener });
}

/** Opens a cache and waits until it uses Redis, and its local level where it has one. */
export async function openTrusted(place: Place, options: CacheOptions = {}): Promise<TestCache> {
  const cache = openUntrusted(place, options);
  await until("the cache to trust Redis", () => cache.link.usable());
  if (options.localBytes !== 0 && !place.url.includes("+cluster"))
    await until("the local level", () => cache.local.isOn());
  return cache;
}

/** A source of things: versions that tests raise, and what was loaded. */
export interface Source {
  readonly load: LoadValues<number, { id: number; version: number }>;
  /** Ids of each load so far. */
  readonly loads: number[][];
  /** The current version of all things. */
  version: number;
  /** Awaited by each load after it has read; replace it to hold loads up. */
  gate: () => Promise<void>;
}

export function createSource(): Source {
  const source: Source = {
    loads: [],
    version: 1,
    gate: async () => {},
    async load(ids) {
      source.loads.push([...ids]);
      const values = ids.map((id) => (id < 0 ? null : { id, version: source.version }));
      await source.gate();
      return values;
    },
  };
  return source;
}

/** Reads one thing. */
export async function readOne(
  cache: OpenCache,
  id: number,
  source: Source,
  reading = new ReadContext(),
): Promise<{ id: number; version: number } | null> {
  const [value = null] = await cache.readMany(things, [id], source.load, reading);
  return value;
}

/** Waits until a fill has arrived in Redis: nobody who reads waits for it. */
export async function filled(cache: OpenCache, keys: Keys, ...names: string[]): Promise<void> {
  for (const name of names)
    await until(`the fill of ${name}`, () => cache.link.connection.get(keys.cacheEntry(name)));
}

/** A gate that loads wait at: resolves `reached` with the first, lets all pass when opened. */
export function createGate(): {
  pass: () => Promise<void>;
  readonly reached: Promise<void>;
  open: () => void;
} {
  let open = () => {};
  let arrive = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  const reached = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  const pass = () => {
    arrive();
    return opened;
  };
  return { pass, reached, open };
}

/** Everything a cache has under way is over. */
export async function quiet(cache: OpenCache): Promise<void> {
  await until("nothing under way", () =>
    Object.values(cache.underWay()).every((count) => count === 0),
  );
}

/** A proxy in front of a server, closed when the test ends. */
export async function proxyTo(url: string): Promise<FaultyProxy & { readonly url: string }> {
  const { hostname: host, port } = new URL(url);
  const proxy = await createProxy({ target: { host, port: Number(port) } });
  onTestFinished(() => proxy.close());
  return Object.assign(proxy, { url: `redis://${proxy.host}:${proxy.port}` });
}
