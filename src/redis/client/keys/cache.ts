import type { KeySubject } from "./spec.js";

export const CACHE_KEYS = {
  folder: "cache",
  title: "Cache",
  owner: "redis/cache/tags.ts",
  commands: ["client|id", "client|tracking", "get", "info", "mget", "publish", "subscribe", "time"],
  families: {
    cacheEntry: {
      key: "cache:{<family:id>}",
      type: "string",
      ttl: "CACHE_TTL_MS, up to a tenth less, and CACHE_GRACE_MS",
      owner: "redis/cache/load.ts",
      bound: "values read within their lifetime",
      evictable: true,
      value:
        "`<fence>|<stored at, ms>|<fresh for, ms>|<grace, ms>|<tag versions, comma-separated>` " +
        "and on the next line the value as JSON.",
      deleted: "Copies inside processes stay. Invalidate its tags instead.",
    },
    cacheLease: {
      key: "lease:{<family:id>}",
      type: "hash",
      ttl: "CACHE_LEASE_MS",
      owner: "redis/client/lease.ts",
      bound: "loads under way",
      evictable: true,
      value:
        "`fence`: the number its holder writes with; `waited`: 1 when a process waits for the " +
        "value.",
    },
    cacheTag: {
      key: "tag:{<tag>}",
      type: "string",
      ttl: "CACHE_TTL_MS, CACHE_GRACE_MS and a day, renewed when half spent",
      bound: "tags of cached values",
      evictable: true,
      value:
        "`<hard version>` or `<hard version>:<soft version>`, microseconds of the Redis clock. " +
        "Another hard version ends the entries that carry the old one; another soft version " +
        "makes them stale.",
    },
    cacheEpoch: {
      key: "tag:{!epoch}",
      type: "string",
      ttl: "none",
      bound: "one",
      evictable: true,
      value:
        "`<version>@<servers>`: the tag that every entry carries. Another version ends everything.",
      deleted: "`DEL souk:v1:tag:{!epoch}` ends the whole cache.",
    },
    cacheSeen: {
      key: "cache-seen",
      type: "string",
      ttl: "none",
      bound: "one",
      evictable: true,
      value: "The count of the last invalidation, never below the Redis clock in milliseconds.",
    },
    cacheSeenChannel: {
      key: "cache-seen",
      type: "channel",
      ttl: "-",
      bound: "one message per invalidation",
    },
    cacheFilled: {
      key: "cache-filled",
      type: "channel",
      ttl: "-",
      owner: "redis/client/lease.ts",
      bound: "one message per load that others wait for",
    },
  },
} as const satisfies KeySubject;
