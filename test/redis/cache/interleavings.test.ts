/** No interleaving of reads, loads, invalidations and fills shows a stale value. */
import { expect, it } from "vitest";
import { testRedis } from "../../support/redis.js";
import { openTrusted, quiet } from "./cache.fixture.js";
import { runInterleavings } from "./interleavings.js";

it("Three processes serve no stale value in 10,000 interleavings.", async () => {
  const place = testRedis();
  const caches = [
    await openTrusted(place),
    await openTrusted(place),
    await openTrusted(place, { localBytes: 0 }),
  ];
  const { reads, stale } = await runInterleavings({ caches, rounds: 10_000, seed: 1 });
  expect(reads).toBeGreaterThan(50_000);
  expect(stale).toBe(0);
  await Promise.all(caches.map(quiet));
});
