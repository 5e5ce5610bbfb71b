/**
 * A private Redis in the topology of the run: one server, a Cluster of three primaries, or a
 * Sentinel set. `TEST_REDIS_TOPOLOGY` says which; the drill runs the end-to-end suites once in
 * each. Suites that kill the Redis kill all of it.
 */
import { Cluster, Redis } from "ioredis";
import { parseRedisUrl } from "../../src/redis/client/url.js";
import { startRedisCluster } from "./redis-cluster.js";
import { startRedisSentinel } from "./redis-sentinel.js";
import { type RedisServer, startRedisServer } from "./redis-server.js";

/** What suites do with a Redis, whatever it is made of. */
export interface PrivateRedis {
  /** For config. */
  readonly url: string;
  stop(): Promise<void>;
  /** Kills every server; resolves when they have ended. */
  kill(): Promise<void>;
  /** Starts every server again, on its port and folder. */
  restart(): Promise<void>;
}

/** Starts a Redis of the run's topology; `args` go to every server. */
export async function startRedis({
  args = [],
}: {
  args?: readonly string[];
} = {}): Promise<PrivateRedis> {
  switch (process.env.TEST_REDIS_TOPOLOGY ?? "standalone") {
    case "standalone":
      return startRedisServer({ args });
    case "cluster": {
      const { url, nodes, stop } = await startRedisCluster({ args });
      return { url, stop, ...together(nodes) };
    }
    case "sentinel": {
      const { url, servers, stop } = await startRedisSentinel({ args });
      return { url, stop, ...together(servers) };
    }
    default:
      throw new Error("TEST_REDIS_TOPOLOGY is standalone, cluster or sentinel");
  }
}

const together = (servers: readonly RedisServer[]): Pick<PrivateRedis, "kill" | "restart"> => ({
  kill: async () => void (await Promise.all(servers.map((server) => server.kill()))),
  restart: async () => void (await Promise.all(servers.map((server) => server.restart()))),
});

/** Every key that begins with a prefix, on every primary. */
export async function keysBelow(redis: Redis, prefix: string): Promise<string[]> {
  // A Cluster knows its nodes when it has answered.
  await redis.ping();
  const servers =
    (redis as unknown) instanceof Cluster ? (redis as unknown as Cluster).nodes("master") : [redis];
  return (await Promise.all(servers.map((server) => server.keys(`${prefix}*`)))).flat();
}

/**
 * A connection of a test's own to whatever a URL names. A Cluster takes the commands of one server,
 * each for one slot.
 */
export function openRedis(url: string): Redis {
  const { mode, nodes, master = "" } = parseRedisUrl(url);
  if (mode === "cluster") return new Cluster([...nodes]) as unknown as Redis;
  return mode === "sentinel" ? new Redis({ sentinels: [...nodes], name: master }) : new Redis(url);
}
