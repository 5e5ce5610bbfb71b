/** The shop on a Cluster of three primaries. */
import { Redis } from "ioredis";
import { afterAll, beforeAll, expect, it } from "vitest";
import { signUp } from "../support/accounts.js";
import { readyz } from "../support/graphql.js";
import { type RedisCluster, startRedisCluster } from "../support/redis-cluster.js";
import { until } from "../support/until.js";
import { describeShop, signedInRequests, startFleet } from "./scenarios.js";

let cluster: RedisCluster;
beforeAll(async () => {
  cluster = await startRedisCluster();
});
afterAll(() => cluster.stop());

const redisUrl = () => cluster.url;
const fleet = startFleet(redisUrl);
describeShop(fleet, redisUrl);

it("Signed-in clients' requests go on while the slot of the limits moves.", async () => {
  const accounts = await Promise.all([signUp(fleet.apps()[0].url), signUp(fleet.apps()[1].url)]);
  const link = new Redis(cluster.nodes[0]!.url);
  const slot = await link.cluster("KEYSLOT", "{limit}");
  link.disconnect();
  // The last third of all slots is on the last node.
  const target = cluster.nodes[slot < 5_462 ? 1 : 0]!;
  const failed: string[] = [];
  await cluster.migrate(slot, target, async () => {
    failed.push(...(await signedInRequests(fleet, accounts, { count: 60, width: 6 })));
  });
  failed.push(...(await signedInRequests(fleet, accounts, { count: 60, width: 6 })));
  expect(failed).toEqual([]);
  for (const { url } of fleet.apps())
    await until(
      "the limits to be shared again",
      async () => (await readyz(url)).checks.limiter === "ok",
    );
});
