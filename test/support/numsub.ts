/** Who listens, as Redis counts it. */
import { Cluster } from "ioredis";
import type { RedisConnection } from "../../src/redis/client/connect.js";

/** How many connections listen to each channel, over all nodes. */
export async function numsub(
  connection: RedisConnection,
  channels: readonly string[],
): Promise<number[]> {
  const nodes = connection instanceof Cluster ? connection.nodes("all") : [connection];
  const replies = await Promise.all(nodes.map((node) => node.pubsub("NUMSUB", ...channels)));
  return channels.map((_, index) =>
    replies.reduce((sum, reply) => sum + Number(reply[2 * index + 1] ?? 0), 0),
  );
}
