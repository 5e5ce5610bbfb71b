/**
 * Who is behind the cache's connection: the identity of its
 * masters, and word of every change.
 */
import { Cluster, type Redis } from "ioredis";
import { sha256 } from "../../domain/hash.js";
import { linksOf, type RedisConnection } from "../client/connect.js";

/**
 * One word for the masters, new for another process or a
 * former replica. One INFO each.
 * @throws Error when one of them is a replica
 */
export async function serverFingerprint(connection: RedisConnection): Promise<string> {
  const masters = linksOf(connection, "master");
  const identities = await Promise.all(masters.map(serverIdentity));
  return sha256(identities.sort().join(), "hex").slice(0, 16);
}

/**
 * Run id and replication id. The second changes where a
 * replica took over other data.
 */
async function serverIdentity(server: Redis): Promise<string> {
  const info = await server.info("server", "replication");
  const field = (name: string): string =>
    new RegExp(`^${name}:(\\w+)`, "m").exec(info)?.[1] ?? "unknown";
  if (field("role") !== "master") throw new Error("the server is a replica");
  return `${field("run_id")}.${field("master_replid")}`;
}

/**
 * Calls `onChange` when a connection closed or the nodes
 * changed. Returns what ends that.
 */
export function watchServers(connection: RedisConnection, onChange: () => void): () => void {
  connection.on("close", onChange);
  if (!(connection instanceof Cluster)) return () => void connection.off("close", onChange);
  const watched = new Set<Redis>();
  const watch = (node: Redis) => watched.add(node.on("close", onChange));
  const forget = (node: Redis) => watched.delete(node.off("close", onChange));
  const join = (node: Redis) => {
    watch(node);
    onChange();
  };
  const leave = (node: Redis) => {
    forget(node);
    onChange();
  };
  for (const node of connection.nodes("all")) watch(node);
  connection.on("+node", join).on("-node", leave);
  return () => {
    connection.off("close", onChange).off("+node", join).off("-node", leave);
    for (const node of [...watched]) forget(node);
  };
}
