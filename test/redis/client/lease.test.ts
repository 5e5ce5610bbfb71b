/** Leases: one holder at a time, fences that rise, and waiters who are told. */
import type { Redis } from "ioredis";
import { expect, it, onTestFinished } from "vitest";
import { MINUTE } from "../../../src/domain/time/time.js";
import { connectRedis, whenReady } from "../../../src/redis/client/connect.js";
import { createLeases } from "../../../src/redis/client/lease.js";
import { testLog } from "../../support/log.js";
import { testRedis } from "../../support/redis.js";

async function openLeases(leaseMs = MINUTE) {
  const { url, keys } = testRedis();
  const [connection, listener] = (["requests", "tracker"] as const).map((role) =>
    connectRedis({ url, role, log: testLog() }),
  ) as [Redis, Redis];
  onTestFinished(() => {
    connection.disconnect();
    listener.disconnect();
  });
  await Promise.all([whenReady(connection, MINUTE), whenReady(listener, MINUTE)]);
  const leases = createLeases(connection, listener, keys, { leaseMs });
  await leases.listen();
  return { leases, keys, connection };
}

const fenceOf = (answer: object): number => Number((answer as { fence?: string }).fence);

it("One caller gets the lease, and the others get its remaining time.", async () => {
  const { leases } = await openLeases();
  expect(fenceOf(await leases.acquire("a", 0, "wait"))).toBeGreaterThan(0);
  const held = (await leases.acquire("a", 0, "wait")) as { heldForMs: number };
  expect(held.heldForMs).toBeGreaterThan(0);
  expect(held.heldForMs).toBeLessThanOrEqual(MINUTE);
  expect(fenceOf(await leases.acquire("b", 0, "wait"))).toBeGreaterThan(0);
});

it("The fence of a lease rises, also above one ahead of the clock.", async () => {
  const { leases, keys, connection } = await openLeases();
  const first = fenceOf(await leases.acquire("a", 0, "wait"));
  await leases.release("a", `${first}`);
  const second = fenceOf(await leases.acquire("a", 0, "wait"));
  expect(second).toBeGreaterThan(first);
  const ahead = 8_000_000_000_000_000;
  await connection.set(keys.cacheEntry("b"), `${ahead}|written by a clock that was set back since`);
  expect(fenceOf(await leases.acquire("b", ahead, "wait"))).toBe(ahead + 1);
});

it("No lease is granted after the value was written since the look-up.", async () => {
  const { leases, keys, connection } = await openLeases();
  await connection.set(keys.cacheEntry("a"), "1700000000000000|...");
  expect(await leases.acquire("a", 0, "wait")).toEqual({ heldForMs: 0 });
  expect(fenceOf(await leases.acquire("a", 1_700_000_000_000_000, "wait"))).toBeGreaterThan(0);
});

it("Only its holder releases a lease, and the release wakes all waiters.", async () => {
  const { leases } = await openLeases();
  const fence = fenceOf(await leases.acquire("a", 0, "wait"));
  const waits = [leases.wait("a"), leases.wait("a")].map((wait) => wait.until(MINUTE));
  await leases.acquire("a", 0, "wait");
  expect(await leases.release("a", "1")).toBe(0);
  expect(await leases.release("a", `${fence}`)).toBe(1);
  await Promise.all(waits);
  expect(leases.waiting()).toBe(0);
});

it("A lease without waiters publishes nothing.", async () => {
  const { leases, keys } = await openLeases();
  const { connect } = testRedis();
  const heard: string[] = [];
  const spy = connect();
  spy.on("message", (_, name) => heard.push(name));
  await spy.subscribe(keys.cacheFilled());
  const fence = fenceOf(await leases.acquire("quiet", 0, "wait"));
  await leases.acquire("quiet", 0, "pass");
  await leases.release("quiet", `${fence}`);
  const loud = fenceOf(await leases.acquire("loud", 0, "wait"));
  await leases.acquire("loud", 0, "wait");
  await leases.release("loud", `${loud}`);
  await expect.poll(() => heard).toEqual(["loud"]);
});

it("A wait ends at its deadline, and a stopped one is forgotten.", async () => {
  const { leases } = await openLeases();
  await leases.wait("a").until(1);
  leases.wait("a").stop();
  expect(leases.waiting()).toBe(0);
});
