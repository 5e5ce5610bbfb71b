/**
 * The Redis of a test: the run's one server under a prefix of its own, or a private server, or a
 * Cluster.
 */
import { randomUUID } from "node:crypto";
import type { Redis } from "ioredis";
import { inject, onTestFinished } from "vitest";
import { createKeys, type Keys } from "../../src/redis/client/keys.js";

import { openRedis } from "./redis-topology.js";

export { startRedisCluster } from "./redis-cluster.js";
export { startRedisServer } from "./redis-server.js";

/** The shared server, seen by one test. */
export interface TestRedis {
  readonly url: string;
  /** Starts every key. */
  readonly prefix: string;
  /** Spells keys under the prefix. */
  readonly keys: Keys;
  /**
   * Opens a connection of the test's own; inside a test it is closed when the test ends, elsewhere
   * the caller closes it.
   */
  connect(): Redis;
}

/**
 * The run's redis-server under a prefix that nobody else uses. Never flush it: others are at work.
 */
export function testRedis(): TestRedis {
  const url = inject("redisUrl");
  const prefix = `test:${randomUUID()}:`;
  return { url, prefix, keys: createKeys(prefix), connect: () => closedAfterTest(openRedis(url)) };
}

function closedAfterTest(redis: Redis): Redis {
  // A hang-up during teardown is no failure of the test.
  redis.on("error", () => {});
  try {
    onTestFinished(() => redis.disconnect());
  } catch {
    // Outside a test (beforeAll): whoever opens closes.
  }
  return redis;
}
