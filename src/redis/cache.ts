/**
 * The read-through cache: a local level (redis/cache-local.ts) over Redis over the database.
 *
 * Redis STRINGs hold values with the tag versions read before their load began; a reader accepts them only while those are the
 * current ones, so a fill that began before an invalidation is never served, however late it lands. N ids cost one MGET, one load
 * for the misses, and one pipelined fill. A missing value is loaded once in the whole fleet (redis/lease.ts); the others get a
 * stale one inside the grace, or wait to be told, and load for themselves when nobody does.
 * Redis down: values come from the database, once per process and key at a time; after one late reply Redis is not asked until it
 * answers again. Redis full: fills are dropped and reads go on.
 * Sources: RFC 5861 (stale-while-revalidate), Nishtala et al. 2013 (leases, versions), Drupal's cache tags.
 */
import { ReplyError, type Result } from "ioredis";
import { RedisUnavailable } from "../domain/errors.js";
import type { Reading } from "../domain/reading.js";
import type { Telemetry } from "../domain/telemetry.js";
import { createReadBatch } from "./cache-batch.js";
import { decodeEntry, type Entry, type Freshness, judge } from "./cache-entry.js";
import type { CacheLink } from "./cache-link.js";
import { createLoader, type Slot } from "./cache-load.js";
import type { LocalCache } from "./cache-local.js";
import type { Keys } from "./keys.js";
import type { Leases } from "./lease.js";
import { EPOCH_TAG, type InvalidationMode, type Tags } from "./tags.js";

declare module "ioredis" {
  interface RedisCommander<Context> {
    cacheFill(entry: string, lease: string, fence: string, rest: string, lifetimeMs: number, channel: string, name: string): Result<0 | 1, Context>;
  }
}

/** A kind of cached thing: how its keys are named and what it depends on. */
export interface Family<K> {
  /** Short and unique, e.g. `product`. */
  readonly name: string;
  /** Names one key, unique within the family. */
  nameOf(key: K): string;
  /** Tags of one key, known before it is loaded. */
  tagsOf(key: K): readonly string[];
}

/** Loads many keys from the source, in their order; null where there is nothing (which is cached too). */
export type Load<K, V> = (keys: readonly K[]) => Promise<readonly (V | null)[]>;

/** Times of the cache. */
export interface CacheTimes {
  /** How long a value is fresh. Shortened by up to a tenth at random, so that values filled together do not expire together. */
  readonly ttlMs: number;
  /** How long after that it may be served while it is loaded again. */
  readonly graceMs: number;
}

/** What the cache is made of. */
export interface CacheParts {
  readonly link: CacheLink;
  readonly keys: Keys;
  readonly tags: Tags;
  readonly leases: Leases;
  readonly local: LocalCache;
  readonly times: CacheTimes;
  readonly telemetry: Telemetry;
}

/** The cache. */
export interface Cache {
  /** Reads many keys of a family in their order. Costs no round trip when all are local, else one MGET when warm. Errors of `load` reject. */
  readMany<K, V>(family: Family<K>, keys: readonly K[], load: Load<K, V>, reading: Reading): Promise<(V | null)[]>;
  /**
   * Makes every entry with one of these tags dead ("delete") or stale ("expire"). O(tags), one round trip.
   * Resolves to the number of invalidations so far; rejects with RedisUnavailable when it could not be sent in time, which means unknown.
   */
  invalidate(tags: readonly string[], mode?: InvalidationMode): Promise<number>;
}

export function createCache(parts: CacheParts): Cache {
  const { link, keys, tags, local, telemetry } = parts;
  const readBatch = createReadBatch(link);
  const loader = createLoader(parts);

  const toSlot = <K>(family: Family<K>, key: K): Slot<K> => {
    const tagNames = [EPOCH_TAG, ...family.tagsOf(key)];
    return { key, name: `${family.name}:${family.nameOf(key)}`, tags: tagNames, tagKeys: tagNames.map(tags.keyOf) };
  };

  /** Looks slots up in Redis, keeping what may be served in the local level. */
  const readRedis = async <K>(slots: readonly Slot<K>[]): Promise<Found<K>[]> => {
    const observation = local.observe();
    try {
      const texts = await readBatch(slots.flatMap(({ name, tagKeys }) => [keys.cacheEntry(name), ...tagKeys]));
      let offset = 0;
      return slots.map((slot) => {
        const [text = null, ...current] = texts.slice(offset, (offset += 1 + slot.tagKeys.length));
        const entry = decodeEntry(text);
        const freshness = entry ? judge(entry, current, link.nowMs()) : "dead";
        if (entry && freshness !== "dead") local.put(observation, slot.name, slot.tagKeys, entry, current);
        return { slot, entry, freshness, current };
      });
    } finally {
      observation.end();
    }
  };

  const readLocal = <K>(slot: Slot<K>): Found<K> | null => {
    const hit = local.get(slot.name, slot.tagKeys);
    const freshness = hit ? judge(hit.entry, hit.current, link.nowMs()) : "dead";
    return hit && freshness !== "dead" ? { slot, entry: hit.entry, freshness, current: hit.current } : null;
  };

  /** Answers slots with what was found, and has the old ones loaded again. */
  const serve = <K, V>({ answers, reading, source }: Pass<K, V>, found: readonly Found<K>[], level: "local" | "redis"): void => {
    telemetry.cacheReads(level, found.length);
    for (const { slot, entry, freshness } of found) {
      reading.note(freshness === "stale" ? "STALE" : "HIT", Math.max(0, link.nowMs() - (entry?.storedAtMs ?? 0)));
      answers.set(slot.name, (entry?.value ?? null) as V | null);
    }
    const due = found.filter(({ freshness }) => freshness === "early" || freshness === "stale").map(({ slot }) => slot);
    if (due.length > 0) loader.refresh(due, source, readRedis);
  };

  /** Answers slots from Redis, loading what it does not hold. */
  const readShared = async <K, V>(pass: Pass<K, V>, slots: readonly Slot<K>[]): Promise<ReadonlyMap<string, V | null>> => {
    const found = await readRedis(slots);
    const missing = found.filter(({ freshness }) => freshness === "dead");
    serve(
      pass,
      found.filter(({ freshness }) => freshness !== "dead"),
      "redis",
    );
    if (missing.length === 0) return new Map();
    telemetry.cacheReads("none", missing.length);
    pass.reading.note("MISS", 0);
    return loader.loadOnce(missing, pass.source, readRedis);
  };

  /** Answers slots while Redis cannot be asked. */
  const readDegraded = <K, V>({ reading, source }: Pass<K, V>, slots: readonly Slot<K>[]): Promise<ReadonlyMap<string, V | null>> => {
    telemetry.cacheReads("none", slots.length);
    reading.note("BYPASS", 0);
    return loader.loadWithoutRedis(slots, source);
  };

  return {
    async readMany<K, V>(family: Family<K>, ids: readonly K[], load: Load<K, V>, reading: Reading): Promise<(V | null)[]> {
      const pass: Pass<K, V> = { reading, answers: new Map(), source: countedLoad(family.name, load, telemetry) };
      if (reading.bypass || reading.seen.bypassUntilMs > Date.now()) {
        if (ids.length > 0) reading.note("BYPASS", 0);
        return [...(await pass.source(ids))];
      }
      const slots = ids.map((id) => toSlot(family, id));
      if (local.hasSeen(reading.seen.count)) serve(pass, slots.map(readLocal).filter(isFound), "local");
      const rest = slots.filter(({ name }) => !pass.answers.has(name));
      if (rest.length > 0) {
        const loaded = await (link.usable() ? readShared(pass, rest).catch(unlessLinkIsDown(() => readDegraded(pass, rest))) : readDegraded(pass, rest));
        for (const [name, value] of loaded) pass.answers.set(name, value);
      }
      return slots.map(({ name }) => pass.answers.get(name) ?? null);
    },

    async invalidate(names, mode = "delete") {
      const tagKeys = names.map(tags.keyOf);
      try {
        return await link.run("cache invalidate", () => tags.bump(names, mode));
      } finally {
        // Also when it could not be sent: this process must not answer what it knows to be old.
        local.forget(tagKeys);
        loader.forget(tagKeys);
      }
    },
  };
}

/** What Redis or the local level said about a slot. `current`: the present versions of its tags. */
export interface Found<K> {
  readonly slot: Slot<K>;
  readonly entry: Entry | null;
  readonly freshness: Freshness;
  readonly current: readonly (string | null)[];
}

/** One call of readMany. */
interface Pass<K, V> {
  readonly reading: Reading;
  readonly source: Load<K, V>;
  /** Values by slot name. */
  readonly answers: Map<string, V | null>;
}

const isFound = <F>(found: F | null): found is F => found !== null;

/** An error of the load itself is the caller's; trouble with Redis is answered from the database. */
const unlessLinkIsDown =
  <T>(instead: () => Promise<T>) =>
  (error: unknown): Promise<T> => {
    if (error instanceof RedisUnavailable || error instanceof ReplyError) return instead();
    throw error;
  };

function countedLoad<K, V>(family: string, load: Load<K, V>, telemetry: Telemetry): Load<K, V> {
  return (ids) => {
    if (ids.length > 0) telemetry.loads(family, ids.length);
    return ids.length > 0 ? load(ids) : Promise.resolve([]);
  };
}
