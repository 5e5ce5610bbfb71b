/**
 * Who is behind the cache's connection: the identity of its masters, and word of every change.
 */
import { Cluster, type Redis } from "ioredis";
import { sha256 } from "../../domain/hash.js";
import { linksOf, type RedisConnection } from "../client/connect.js";

/**
 * Identifies the masters: another process, or one that was a replica in between, makes another
 * word. One INFO each.
 * @throws Error when one of them is a replica
 */
export async function identify(connection: RedisConnection): Promise<string> {
  const masters = linksOf(connection, "master");
  const identities = await Promise.all(masters.map(identity));
  return sha256(identities.sort().join(), "hex").slice(0, 16);
}

/**
 * Run id and replication id: the second changes where a server was a replica for a while and took
 * over another one's data.
 */
async function identity(server: Redis): Promise<string> {
  const info = await server.info("server", "replication");
  const field = (name: string): string =>
    new RegExp(`^${name}:(\\w+)`, "m").exec(info)?.[1] ?? "unknown";
  if (field("role") !== "master") throw new Error("the server is a replica");
  return `${field("run_id")}.${field("master_replid")}`;
}

/**
 * Calls `onChange` when any connection that reads may go through has closed, or the nodes are
 * others. Returns what ends that.
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
