/**
 * The cache on a Cluster beyond the contract: no local level, and nothing stale when nodes go and
 * come back.
 */
import { Redis } from "ioredis";
import { afterEach, beforeEach, expect, it, onTestFinished } from "vitest";
import { ReadContext } from "../../../src/domain/reading/read-context.js";
import { createKeys } from "../../../src/redis/client/keys.js";
import { type RedisCluster, startRedisCluster } from "../../support/redis-cluster.js";
import { until } from "../../support/until.js";
import {
  createSource,
  filled,
  openTrusted,
  type Place,
  quiet,
  readOne,
  things,
} from "./cache.fixture.js";
import { runInterleavings } from "./interleavings.js";

let cluster: RedisCluster;
let place: Place;
beforeEach(async () => {
  cluster = await startRedisCluster();
  place = { url: cluster.url, keys: createKeys() };
});
afterEach(() => cluster.stop());

const ids = Array.from({ length: 30 }, (_, index) => index);

it("A Cluster serves no stale value in 1,000 interleavings.", async () => {
  const caches = [await openTrusted(place), await openTrusted(place), await openTrusted(place)];
  const { stale, reads } = await runInterleavings({ caches, rounds: 1_000, seed: 3 });
  expect(reads).toBeGreaterThan(5_000);
  expect(stale).toBe(0);
  await Promise.all(caches.map(quiet));
});

it("A Cluster has no local level, and reads many ids in one round trip.", async () => {
  const [cache, source] = [await openTrusted(place), createSource()];
  await cache.readMany(things, ids, source.load, new ReadContext());
  await filled(cache, place.keys, ...ids.map((id) => `thing:${id}`));
  cache.trips.length = 0;
  await cache.readMany(things, ids, source.load, new ReadContext());
  expect(cache.trips).toEqual(["cache read"]);
  expect(cache.local.isOn()).toBe(false);
  expect(source.loads).toHaveLength(1);
});

it("The cache notices a lost link to any node, and checks the epoch before it reads.", async () => {
  const [cache, source] = [await openTrusted(place), createSource()];
  for (const { url } of cluster.nodes) {
    let losses = 0;
    cache.link.onLost(() => {
      losses += 1;
    });
    const admin = new Redis(url);
    await admin.client("KILL", "TYPE", "normal", "SKIPME", "yes");
    admin.disconnect();
    await until("the loss to be noticed", () => losses > 0);
    expect((await readOne(cache, 1, source))?.id).toBe(1);
    await until("the Cluster to be used again", () => cache.link.usable());
  }
});

it("A Cluster serves nothing of a node that came back without its last values.", async () => {
  const [a, b, source] = [await openTrusted(place), await openTrusted(place), createSource()];
  await a.readMany(things, ids, source.load, new ReadContext());
  await filled(a, place.keys, ...ids.map((id) => `thing:${id}`));
  const admins = cluster.nodes.map(({ url }) => new Redis(url));
  onTestFinished(() => {
    for (const admin of admins) admin.disconnect();
  });
  for (const admin of admins) {
    admin.on("error", () => {});
    await admin.save();
  }
  source.version = 2;
  await a.invalidate(["things"]);
  // Each comes back with the entries and tags of its snapshot.
  for (const node of cluster.nodes) {
    await node.kill();
    await node.restart();
  }
  await until("the Cluster to be used again", () => a.link.usable() && b.link.usable());
  expect(await a.link.connection.get(place.keys.cacheEntry("thing:0"))).toContain('"version":1');
  for (const cache of [a, b]) {
    const values = await cache.readMany(things, ids, source.load, new ReadContext());
    expect(new Set(values.map((value) => value?.version))).toEqual(new Set([2]));
  }
});
