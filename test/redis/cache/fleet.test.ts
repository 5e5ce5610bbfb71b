/** Single-flight over processes: one load in the whole fleet, also when the one that loads dies. */
import { beforeAll, expect, it } from "vitest";
import { MINUTE, SECOND } from "../../../src/domain/time/time.js";
import { ensureBuilt } from "../../support/node-process.js";
import { testRedis } from "../../support/redis.js";
import { until } from "../../support/until.js";
import { nextLoading, signal, startReader } from "./cache-process.js";

beforeAll(ensureBuilt);
const NAMES = ["a", "b", "c", "d"];

it("One load serves 500 parallel misses on 4 processes.", async () => {
  const fleet = testRedis();
  const redis = fleet.connect();
  const readers = NAMES.map((name) => startReader(fleet, name, { reads: 125, leaseMs: MINUTE }));
  for (const reader of readers) expect(await reader.nextLine()).toBe("ready");
  await signal(redis, fleet.prefix, "go", NAMES);
  const loading = await nextLoading(redis, fleet.prefix);
  await until(
    "the others to wait",
    async () => (await redis.hget(fleet.keys.cacheLease("thing:1"), "waited")) === "1",
  );
  await signal(redis, fleet.prefix, "gate", [loading]);
  for (const reader of readers) expect(await reader.nextLine()).toBe("[1]");
  expect(await redis.get(`${fleet.prefix}loads`)).toBe("1");
});

it("One more load follows when the process that loads is killed.", async () => {
  const fleet = testRedis();
  const redis = fleet.connect();
  const readers = new Map(
    NAMES.map((name) => [name, startReader(fleet, name, { reads: 10, leaseMs: 2 * SECOND })]),
  );
  for (const reader of readers.values()) expect(await reader.nextLine()).toBe("ready");
  await signal(redis, fleet.prefix, "go", NAMES);
  const first = await nextLoading(redis, fleet.prefix);
  await readers.get(first)?.end("SIGKILL");
  readers.delete(first);
  const second = await nextLoading(redis, fleet.prefix);
  await signal(redis, fleet.prefix, "gate", [second]);
  for (const reader of readers.values()) expect(await reader.nextLine()).toBe("[2]");
  expect(await redis.get(`${fleet.prefix}loads`)).toBe("2");
});
