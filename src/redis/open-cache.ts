/** Puts the cache together: its two connections, the link, tags, leases, the local level and what keeps that coherent. */
import type { Logger } from "pino";
import type { Telemetry } from "../domain/telemetry.js";
import { type Cache, createCache, type CacheTimes } from "./cache.js";
import { type CacheLink, createCacheLink } from "./cache-link.js";
import { createLocalCache } from "./cache-local.js";
import { connectRedis } from "./client.js";
import type { Keys } from "./keys.js";
import { createLeases } from "./lease.js";
import { createTags } from "./tags.js";
import { createTracking } from "./tracking.js";

/** Where the cache lives and how it behaves. */
export interface OpenCacheOptions extends CacheTimes {
  readonly url: string;
  readonly caFile?: string | undefined;
  readonly keys: Keys;
  readonly leaseMs: number;
  readonly deadlineMs: number;
  readonly localBytes: number;
  readonly tagTtlMs: number;
  /** How often the invalidation link is proven. */
  readonly beatMs: number;
  /** Whether invalidations wait unsent: then what Redis holds is not trusted after an outage. */
  readonly hasUnsentInvalidations: () => Promise<boolean>;
  readonly telemetry: Telemetry;
  readonly log: Logger;
}

/** A cache with its connections. */
export interface OpenCache extends Cache {
  readonly link: CacheLink;
  close(): Promise<void>;
}

/** Opens the cache. It may be read at once; Redis is used as soon as it answers. */
export function openCache(options: OpenCacheOptions): OpenCache {
  const { keys, log, telemetry } = options;
  const connection = connectRedis({ ...options, role: "requests" });
  const listener = connectRedis({ ...options, role: "tracker" });
  const tags = createTags(connection, keys, { keepMs: options.tagTtlMs });
  const leases = createLeases(connection, listener, keys, options);
  const local = createLocalCache({ maxBytes: options.localBytes });
  const link = createCacheLink(connection, tags, { ...options, mustRenewEpoch: options.hasUnsentInvalidations });
  const tracking = createTracking({ link, listener, keys, tags, leases, local, beatMs: options.beatMs, log });
  const cache = createCache({ link, keys, tags, leases, local, times: options, telemetry });
  return {
    ...cache,
    link,
    async close() {
      await link.close();
      tracking.close();
      leases.close();
      listener.disconnect();
      connection.disconnect();
    },
  };
}
