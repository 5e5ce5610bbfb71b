/**
 * INFO of Redis servers, and the time of a PING, as numbers
 * for graphs.
 */
import { own } from "../../domain/own.js";
import { SECOND } from "../../domain/time/time.js";
import { linksOf, type RedisConnection } from "./connect.js";

/**
 * Field of INFO by the name it gets; units stand in the
 * names.
 */
const FIELDS: Readonly<Record<string, string>> = {
  used_memory: "used_memory_bytes",
  maxmemory: "maxmemory_bytes",
  mem_fragmentation_ratio: "memory_fragmentation_ratio",
  connected_clients: "connected_clients",
  connected_slaves: "connected_replicas",
  tracking_clients: "tracking_clients",
  evicted_keys: "evicted_keys_total",
  expired_keys: "expired_keys_total",
  keyspace_hits: "keyspace_hits_total",
  keyspace_misses: "keyspace_misses_total",
  total_commands_processed: "commands_processed_total",
  rejected_connections: "rejected_connections_total",
  pubsub_channels: "pubsub_channels",
  rdb_changes_since_last_save: "rdb_changes_since_last_save",
  rdb_last_save_time: "rdb_last_save_seconds",
  aof_enabled: "aof_enabled",
  aof_delayed_fsync: "aof_delayed_fsync_total",
  loading: "loading",
};

/** Fields whose "ok" is 1. */
const STATES: Readonly<Record<string, string>> = {
  rdb_last_bgsave_status: "rdb_last_save_ok",
  aof_last_write_status: "aof_last_write_ok",
  aof_last_bgrewrite_status: "aof_last_rewrite_ok",
};

/**
 * Numbers by name; of a Cluster, the sums over its masters.
 * Rejects when a server does not answer.
 */
export async function readRedisInfo(connection: RedisConnection): Promise<Record<string, number>> {
  const servers = linksOf(connection, "master");
  const startedAt = performance.now();
  await Promise.all(servers.map((server) => server.ping()));
  const totals = new Map([["ping_seconds", (performance.now() - startedAt) / SECOND]]);
  for (const info of await Promise.all(servers.map((server) => server.info()))) {
    for (const [name, value] of numbersOf(info)) totals.set(name, (totals.get(name) ?? 0) + value);
  }
  const [hits, misses] = [
    totals.get("keyspace_hits_total") ?? 0,
    totals.get("keyspace_misses_total") ?? 0,
  ];
  totals.set("keyspace_hit_ratio", hits + misses > 0 ? hits / (hits + misses) : 0);
  return Object.fromEntries(totals);
}

function numbersOf(info: string): [name: string, value: number][] {
  return info.split("\r\n").flatMap((line): [string, number][] => {
    const [field = "", text = ""] = line.split(":", 2);
    const keys = /^db\d+$/.test(field) ? /keys=(\d+)/.exec(text)?.[1] : undefined;
    if (keys !== undefined) return [["keys", Number(keys)]];
    const [number, state] = [own(FIELDS, field), own(STATES, field)];
    if (state) return [[state, Number(text === "ok")]];
    return number ? [[number, Number(text)]] : [];
  });
}
