import type { KeySubject } from "./spec.js";

export const COUNTER_KEYS = {
  folder: "counters",
  title: "Counters",
  owner: "redis/counters/counters.ts",
  commands: ["exec", "exists", "hget", "multi", "pexpire", "pfcount", "pfmerge", "zcount"],
  families: {
    counterShard: {
      key: "counters:{c<shard>}:shard",
      type: "hash",
      ttl: "none",
      bound: "64",
      value:
        "`server`: the replication id of the server that counts; `generation`: what a tally must " +
        "carry to be served; `sealed`: the id of the last batch; `flushed`: when (ms) nothing " +
        "older was owed to Postgres. Counters are dealt to 64 shards by product id, so that " +
        "everything about a product, and what its shard still owes Postgres, share a slot.",
    },
    counterPending: {
      key: "counters:{c<shard>}:pending",
      type: "hash",
      ttl: "none",
      bound: "64; what was counted since the last flush",
      value:
        "`<product>:<period>:views|shares` → how many more; `<product>:<period>:viewers` says " +
        "that there are new ones. A period is `all`, a month (`2026-11`) or a day " +
        "(`2026-11-03`), in UTC.",
      deleted: "What it holds is lost.",
    },
    counterBatch: {
      key: "counters:{c<shard>}:batch",
      type: "hash",
      ttl: "none",
      bound: "64; what is on its way to Postgres",
      value: "As counterPending, with its `id` and that of the one before, `prev`.",
      deleted: "What it holds is lost.",
    },
    tally: {
      key: "tally:{c<shard>}:<product>",
      type: "hash",
      ttl: "none",
      bound: "products",
      value:
        "`views`, `shares`, `generation`; `over` once viewers are too many to be known one by one.",
      deleted: "It is read from Postgres again.",
    },
    tallySpan: {
      key: "tally-of:{c<shard>}:<product>:<month or day>",
      type: "hash",
      ttl: "8 days beyond the span, or an hour since it was loaded",
      bound: "products seen on a day, for 9 days; in a month, for 39",
      value: "As tally.",
      deleted: "It is read from Postgres again.",
    },
    viewers: {
      key: "viewers:{c<shard>}:<product>",
      type: "string",
      ttl: "none",
      bound: "products; 12 KiB each",
      value: "The HyperLogLog of the tally.",
    },
    viewersSpan: {
      key: "viewers-of:{c<shard>}:<product>:<month or day>",
      type: "string",
      ttl: "that of the tally",
      bound: "that of the tallies; 12 KiB each",
      value: "The HyperLogLog of the tally.",
    },
    viewersMerged: {
      key: "viewers-merged:{c<shard>}:<product>:<first day:last day:generation>",
      type: "string",
      ttl: "an hour",
      owner: "redis/counters/range.ts",
      bound: "ranges asked for lately of products with many viewers; 12 KiB each",
      value: "The HyperLogLogs of days that are over, merged.",
    },
    exactViewers: {
      key: "exact-viewers:{c<shard>}:<product>",
      type: "zset",
      ttl: "none",
      bound: "products with 1 to 128 viewers; 128 members each",
      value:
        "Viewer → number of the day of the last view. A viewer is the first 64 bits of a hash, " +
        "in base64url.",
    },
    recentViewers: {
      key: "recent-viewers:{c<shard>}:<product>",
      type: "zset",
      ttl: "COUNTERS_VIEW_MS since the last view",
      bound: "products and their viewers within that time, at most 250,000 each",
      value: "Viewer, as in exactViewers → when the view was counted (ms).",
    },
    counterOperations: {
      key: "counter-operations:{c<shard>}:<product>",
      type: "hash",
      ttl: "COUNTERS_OPERATION_MS since the last id",
      bound: "products; the latest 16,384 ids, at most 330 KB each",
    },
  },
} as const satisfies KeySubject;
