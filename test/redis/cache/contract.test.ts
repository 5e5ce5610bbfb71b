/** The contract of the cache on every kind of Redis. */
import { afterAll, beforeAll } from "vitest";
import { createKeys } from "../../../src/redis/client/keys.js";
import { testRedis } from "../../support/redis.js";
import { type RedisCluster, startRedisCluster } from "../../support/redis-cluster.js";
import { describeCache } from "./contract.js";

const shared = (prefix: string) => ({ url: testRedis().url, keys: createKeys(prefix) });

describeCache("on one server", () => ({ place: shared }));
describeCache("on one server, without a local level", () => ({
  place: shared,
  options: { localBytes: 0 },
}));

let cluster: RedisCluster;
beforeAll(async () => {
  cluster = await startRedisCluster();
});
afterAll(() => cluster.stop());

describeCache("on a Cluster of three primaries", () => ({
  place: (prefix) => ({ url: cluster.url, keys: createKeys(prefix) }),
}));
