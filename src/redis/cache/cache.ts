/**
 * The read-through cache: a local level
 * (redis/cache/local.ts) over Redis over the database.
 *
 * A Redis STRING holds a value with the tag versions read
 * before its load began. Readers accept it only while those
 * are current: a fill older than an invalidation is never
 * served. N ids cost one MGET, one load for the misses, and
 * one pipelined fill. One process of the fleet loads a
 * missing value (redis/client/lease.ts); others get a stale
 * one inside the grace, or wait. After the wait they load for
 * themselves.
 *
 * Redis down: values come from the database, once per process
 * and key at a time; after one late reply Redis is not asked
 * until it answers again. Redis full: fills are dropped and
 * reads go on.
 *
 * Sources: RFC 5861 (stale-while-revalidate), Nishtala et al.
 * 2013 (leases, versions), Drupal's cache tags.
 */
import { ReplyError, type Result } from "ioredis";
import { RedisUnavailable } from "../../domain/errors.js";
import type { ReadContext } from "../../domain/reading/read-context.js";
import { traceLoaded, versionsOf } from "./answer-trace.js";
import type { CacheDeps, LoadValues, Values } from "./deps.js";
import { dueAtMs, judgeAge } from "./entry.js";
import { HitSummary } from "./hit-summary.js";
import { Loader } from "./load.js";
import { type KeyLookup, Lookup, type LookupResult } from "./lookup.js";
import type { InvalidationMode } from "./tags.js";

declare module "ioredis" {
  interface RedisCommander<Context> {
    cacheFill(
      entry: string,
      lease: string,
      fence: string,
      rest: string,
      lifetimeMs: number,
      channel: string,
      name: string,
    ): Result<0 | 1, Context>;
  }
}

/**
 * A kind of cached thing: how its keys are named and what it
 * depends on.
 */
export interface CacheRegion<K> {
  /** Short and unique, e.g. `product`. */
  readonly name: string;
  /** Names one key, unique within the family. */
  cacheKeyOf(key: K): string;
  /** Tags of one key, known before it is loaded. */
  tagsOf(key: K): readonly string[];
}

export interface Cache {
  /**
   * Reads many keys of a family in their order. Costs no round
   * trip when all are local, else one MGET when warm. Values
   * are shared and frozen. Errors of `load` reject.
   */
  readMany<K, V>(
    family: CacheRegion<K>,
    keys: readonly K[],
    load: LoadValues<K, V>,
    reading: ReadContext,
  ): Promise<(V | null)[]>;
  /**
   * Makes every entry with one of these tags dead ("delete")
   * or stale ("expire"). O(tags), two round trips. Resolves to
   * the count that the consistency token carries; rejects with
   * RedisUnavailable when it could not be sent in time, which
   * means unknown.
   */
  invalidate(tags: readonly string[], mode?: InvalidationMode): Promise<number>;
  /**
   * Ms since epoch by the clock of Redis: what a consistency
   * token is made and judged by.
   */
  nowMs(): number;
}

export function createCache(parts: CacheDeps): ReadThroughCache {
  return new ReadThroughCache(parts);
}

/** See {@link Cache}. */
export class ReadThroughCache implements Cache {
  private readonly lookup: Lookup;
  private readonly loader: Loader;

  constructor(private readonly deps: CacheDeps) {
    this.lookup = new Lookup(deps);
    this.loader = new Loader(deps, this.lookup);
  }

  readonly readMany = async <K, V>(
    family: CacheRegion<K>,
    ids: readonly K[],
    load: LoadValues<K, V>,
    reading: ReadContext,
  ): Promise<(V | null)[]> => {
    const source = this.counted(family.name, load);
    if (reading.bypass || reading.seen.bypassUntilMs > this.deps.link.nowMs()) {
      if (ids.length === 0) return [];
      reading.record("BYPASS", 0);
      return [...(await source(ids))];
    }
    const names = ids.map((id) => `${family.name}:${family.cacheKeyOf(id)}`);
    const answers = new Array<V | null>(ids.length).fill(null);
    const pass: Pass<K, V> = { family, ids, names, answers, source, reading };
    const rest = this.deps.local.hasSeen(reading.seen.count)
      ? this.readLocal(pass)
      : ids.map((_, index) => index);
    if (rest.length > 0) await this.readOn(pass, rest);
    return answers;
  };

  readonly invalidate = async (
    names: readonly string[],
    mode: InvalidationMode = "delete",
  ): Promise<number> => {
    const tagKeys = names.map(this.deps.tags.keyOf);
    try {
      return await this.deps.link.runInvalidation("invalidate", () =>
        this.deps.tags.bump(names, mode),
      );
    } finally {
      // Also when it could not be sent: this process must not
      // answer old values.
      this.deps.local.forget(tagKeys);
      this.loader.forget(tagKeys);
    }
  };

  readonly nowMs = (): number => this.deps.link.nowMs();

  /** For tests and metrics: all zero without readers. */
  underWay(): ReturnType<Loader["size"]> & {
    readonly waiting: number;
    readonly observations: number;
  } {
    return {
      ...this.loader.size(),
      waiting: this.deps.leases.waiting(),
      observations: this.deps.local.size().observations,
    };
  }

  /**
   * Answers what the local level holds; returns the indexes of
   * the rest. This is the hot path: no tag is spelled, no key
   * built.
   */
  private readLocal<K, V>({ family, ids, names, answers, source, reading }: Pass<K, V>): number[] {
    const { local, link, telemetry } = this.deps;
    const served = new HitSummary(link.nowMs());
    const rest: number[] = [];
    const due: number[] = [];
    for (let index = 0; index < names.length; index += 1) {
      const hit = local.get(names[index] as string);
      const freshness = hit ? judgeAge(hit.entry, hit.verdict, served.nowMs) : "dead";
      if (!hit || freshness === "dead") {
        rest.push(index);
        continue;
      }
      answers[index] = hit.entry.value as V | null;
      reading.trace?.accept(hit.tags, dueAtMs(hit.entry));
      if (served.add(hit.entry, freshness)) due.push(index);
    }
    served.report("local", reading, telemetry);
    if (due.length > 0)
      this.loader.refresh(
        due.map((index) => this.slot(family, ids[index] as K, names[index] as string)),
        source,
      );
    return rest;
  }

  /**
   * Answers the rest from Redis or, while that cannot be
   * asked, from the source.
   */
  private async readOn<K, V>(pass: Pass<K, V>, rest: readonly number[]): Promise<void> {
    const { family, ids, names, answers } = pass;
    const slots = new Map(rest.map((index) => [names[index] as string, ids[index] as K] as const));
    const values = await this.readRest(
      pass,
      [...slots].map(([name, id]) => this.slot(family, id, name)),
    );
    for (const index of rest) answers[index] = values.get(names[index] as string) ?? null;
  }

  /**
   * An error of the load itself is the caller's; trouble with
   * Redis is answered from the source.
   */
  private async readRest<K, V>(
    pass: Pass<K, V>,
    slots: readonly KeyLookup<K>[],
  ): Promise<Values<V>> {
    if (!this.deps.link.usable()) return this.readDegraded(pass, slots);
    let found: readonly LookupResult<K>[];
    try {
      found = await this.lookup.find(slots);
    } catch (error) {
      if (error instanceof RedisUnavailable || error instanceof ReplyError)
        return this.readDegraded(pass, slots);
      throw error;
    }
    return this.readShared(pass, found);
  }

  /** Answers from what Redis holds, loading what it does not. */
  private async readShared<K, V>(
    { source, reading }: Pass<K, V>,
    found: readonly LookupResult<K>[],
  ): Promise<Values<V>> {
    const { link, telemetry } = this.deps;
    const served = new HitSummary(link.nowMs());
    const values: Values<V> = new Map();
    const due: KeyLookup<K>[] = [];
    for (const { slot, entry, freshness, current } of found) {
      if (!entry) continue;
      reading.trace?.accept(versionsOf(slot, current), dueAtMs(entry));
      values.set(slot.name, entry.value as V | null);
      if (served.add(entry, freshness)) due.push(slot);
    }
    served.report("redis", reading, telemetry);
    if (due.length > 0) this.loader.refresh(due, source);
    const missing = found.filter(({ entry }) => entry === null);
    if (missing.length === 0) return values;
    telemetry.cacheReads("none", missing.length);
    reading.record("MISS", 0);
    const loaded = await this.loader.loadOnce(missing, source, reading.seen.count);
    if (reading.trace) traceLoaded(reading.trace, this.deps.local, missing, loaded);
    return new Map([...values, ...loaded]);
  }

  /** Answers while Redis cannot be asked. */
  private readDegraded<K, V>(
    { source, reading }: Pass<K, V>,
    slots: readonly KeyLookup<K>[],
  ): Promise<Values<V>> {
    this.deps.telemetry.cacheReads("none", slots.length);
    reading.record("BYPASS", 0);
    return this.loader.loadWithoutRedis(slots, source, reading.seen.count);
  }

  private slot<K>(family: CacheRegion<K>, id: K, name: string): KeyLookup<K> {
    return this.lookup.slot(id, name, family.tagsOf(id));
  }

  private counted<K, V>(family: string, load: LoadValues<K, V>): LoadValues<K, V> {
    return (ids) => {
      this.deps.telemetry.loads(family, ids.length);
      return load(ids);
    };
  }
}

/**
 * One call of readMany: what was asked, and the answers by
 * index.
 */
interface Pass<K, V> {
  readonly family: CacheRegion<K>;
  readonly ids: readonly K[];
  readonly names: readonly string[];
  readonly answers: (V | null)[];
  readonly source: LoadValues<K, V>;
  readonly reading: ReadContext;
}
