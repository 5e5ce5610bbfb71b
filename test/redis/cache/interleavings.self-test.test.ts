/**
 * The drill of interleavings.test.ts can fail: with the comparison of versions broken it
 * finds stale values.
 */
import { expect, it, vi } from "vitest";
import { testRedis } from "../../support/redis.js";
import { openTrusted } from "./cache.fixture.js";
import { runInterleavings } from "./interleavings.js";

vi.mock("../../../src/redis/cache/tags.js", async (original) => ({
  ...(await original<typeof import("../../../src/redis/cache/tags.js")>()),
  compareTag: () => "current",
}));

it("The drill of interleavings notices a cache that does not compare versions.", async () => {
  const place = testRedis();
  const caches = [
    await openTrusted(place),
    await openTrusted(place),
    await openTrusted(place, { localBytes: 0 }),
  ];
  const { stale } = await runInterleavings({ caches, rounds: 200, seed: 1 });
  expect(stale).toBeGreaterThan(0);
});
