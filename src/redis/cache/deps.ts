/** What the cache is built from, and how it loads. */
import type { Telemetry } from "../../domain/telemetry/telemetry.js";
import type { Keys } from "../client/keys.js";
import type { Leases } from "../client/lease.js";
import type { ReadBatch } from "./batch.js";
import type { MemoryBudget } from "./budget.js";
import type { CacheLink } from "./link.js";
import type { LocalCache } from "./local.js";
import type { Tags } from "./tags.js";

/**
 * Loads many keys from the source, in their order; null
 * where there is nothing (which is cached too). Values must
 * survive JSON.
 */
export type LoadValues<K, V> = (keys: readonly K[]) => Promise<readonly (V | null)[]>;

/** Times of the cache. */
export interface CacheTimes {
  /**
   * How long a value is fresh. Shortened by up to a tenth at
   * random (jitter). So values filled together do not expire
   * together.
   */
  readonly ttlMs: number;
  /**
   * How long after that it may be served while it is loaded
   * again.
   */
  readonly graceMs: number;
}

export interface CacheDeps {
  readonly link: CacheLink;
  readonly keys: Keys;
  readonly tags: Tags;
  readonly leases: Leases;
  readonly local: LocalCache;
  readonly readBatch: ReadBatch;
  readonly budget: MemoryBudget;
  readonly times: CacheTimes;
  readonly telemetry: Telemetry;
}

/** Values by slot name. */
export type Values<V> = Map<string, V | null>;
