/**
 * The local cache level: entries in this process, bounded in bytes, beside a mirror of the tag versions they depend on.
 *
 * An entry is served only while every tag it carries is in the mirror; a tag leaves the mirror the moment Redis reports that it
 * changed (redis/tracking.ts), so an invalidation costs O(tags). The level is off whenever that report cannot be trusted, and
 * starts empty each time it comes on.
 */
import { LRUCache } from "lru-cache";
import type { Entry } from "./cache-entry.js";

/** A read in progress: remembers which tags changed meanwhile, because what it read about them may be older than the change. */
export interface Observation {
  touched(key: string): boolean;
  end(): void;
}

/** An entry of this level with the present versions of its tags. */
export interface LocalHit {
  readonly entry: Entry;
  readonly current: readonly string[];
}

/** The local level. */
export type LocalCache = ReturnType<typeof createLocalCache>;

/** What an entry costs beyond its text: keys, versions, the parsed objects' headers. */
const OVERHEAD_BYTES = 512;
/** UTF-16, and about as much again for the parsed value. */
const BYTES_PER_CHARACTER = 4;

/** @param maxBytes size of the level; 0 turns it off for good */
export function createLocalCache({ maxBytes }: { maxBytes: number }) {
  const entries = new LRUCache<string, Entry>({ maxSize: Math.max(1, maxBytes), sizeCalculation: ({ size }) => size * BYTES_PER_CHARACTER + OVERHEAD_BYTES });
  const versions = new LRUCache<string, string>({ max: Math.max(1, Math.ceil(maxBytes / OVERHEAD_BYTES)) });
  const observations = new Set<{ keys: Set<string>; all: boolean }>();
  let on = false;
  let seen = 0;

  const clear = () => {
    entries.clear();
    versions.clear();
    for (const observation of observations) observation.all = true;
  };

  return {
    /** True when the level has processed every invalidation up to `count`. */
    hasSeen: (count: number): boolean => on && seen >= count,
    /** Begins a read whose result may be put here. */
    observe(): Observation {
      const observation = { keys: new Set<string>(), all: !on };
      observations.add(observation);
      return { touched: (key) => observation.all || observation.keys.has(key), end: () => void observations.delete(observation) };
    },
    /** An entry whose tags are all known. */
    get(name: string, tagKeys: readonly string[]): LocalHit | null {
      const entry = on ? entries.get(name) : undefined;
      if (!entry) return null;
      const current = tagKeys.map((key) => versions.get(key));
      return current.includes(undefined) ? null : { entry, current: current as string[] };
    },
    /** Keeps an entry with the tag versions read along with it, unless one of them changed since the observation began. */
    put(observation: Observation, name: string, tagKeys: readonly string[], entry: Entry, current: readonly (string | null)[]): void {
      if (!on || tagKeys.some((key, index) => observation.touched(key) || typeof current[index] !== "string")) return;
      for (const [index, key] of tagKeys.entries()) versions.set(key, current[index] as string);
      entries.set(name, entry);
    },
    /** Forgets tags that changed; null: any of them may have. */
    forget(keys: readonly string[] | null): void {
      if (keys === null) return clear();
      for (const key of keys) versions.delete(key);
      for (const observation of observations) for (const key of keys) observation.keys.add(key);
    },
    /** Notes that every invalidation up to `count` has been processed. */
    noteSeen(count: number): void {
      seen = Math.max(seen, count);
    },
    /** Comes on, empty. @param count number of invalidations before anything that will be put here was read */
    enable(count: number): void {
      clear();
      seen = count;
      on = maxBytes > 0;
    },
    /** Goes off and forgets everything. */
    disable(): void {
      on = false;
      clear();
    },
    /** Entries held now. */
    size: (): number => entries.size,
  };
}
