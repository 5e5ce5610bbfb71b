/**
 * Redis goes away under load and comes back, whole or with an older memory: nobody gets a wrong
 * answer, nobody waits for long.
 */
import { copyFile } from "node:fs/promises";
import { Redis } from "ioredis";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ADMIN_TOKEN, type RunningApp, startApp } from "../support/app.js";
import { cacheIsUsed, post } from "../support/graphql.js";
import { type RedisServer, startRedisServer } from "../support/redis-server.js";
import { until } from "../support/until.js";

const STOCK = "query Stock($id: ID!) { product(id: $id) { stock } }";
const ADJUST =
  "mutation Adjust($id: ID!) { adjustStock(id: $id, by: 1) { product { stock } errors { " +
  "message } } }";
/** Ten times the second that a request may take at worst. */
const HANG_MS = 10_000;
/** As many as a hundred requests a second have under way when each takes as long as it may. */
const MAX_PENDING = 100;

let redis: RedisServer;
let app: RunningApp;

beforeEach(async () => {
  redis = await startRedisServer();
  app = await startApp({
    redisUrl: redis.url,
    keyPrefix: "",
    env: { HEARTBEAT_MS: "100", CONFLATION_MS: "10" },
  });
  await until("the cache to be used", () => cacheIsUsed(app.url));
});
afterEach(async () => {
  await app.close();
  await redis.stop();
});

async function someProducts(count: number): Promise<string[]> {
  const { data } = await post(
    app.url,
    "query Some($n: Int!) { products(first: $n) { edges { node { id } } } }",
    { n: count },
  );
  return data.products!.edges!.map((edge) => String(edge.node!.id));
}

async function stockOf(id: string, seen?: string | null): Promise<number> {
  const { data, errors } = await post(app.url, STOCK, { id }, seen ? { seen } : {});
  expect(errors).toBeUndefined();
  return Number(data.product!.stock);
}

async function adjust(id: string): Promise<{ stock: number; seen: string | null }> {
  const { data, errors, seen } = await post(app.url, ADJUST, { id }, { token: ADMIN_TOKEN });
  expect(errors).toBeUndefined();
  return { stock: Number(data.adjustStock!.product!.stock), seen };
}

describe("Redis killed and restarted under a hundred requests a second", () => {
  it("A killed Redis causes no wrong or hanging answer, and is used again.", async ({
    annotate,
  }) => {
    const [id] = (await someProducts(1)) as [string];
    let written = await stockOf(id);
    let token: string | null = null;
    const slowest = { read: 0, write: 0 };
    const pending = new Set<Promise<void>>();
    const failures: unknown[] = [];
    const track = (kind: "read" | "write", work: Promise<void>) => {
      const startedAt = performance.now();
      const done = work
        .catch((error: unknown) => void failures.push(error))
        .finally(() => {
          slowest[kind] = Math.max(slowest[kind], performance.now() - startedAt);
          pending.delete(done);
        });
      pending.add(done);
    };
    /** A read must not be older than the last write that was answered before it began. */
    const read = async () => {
      const atLeast = written;
      const stock = await stockOf(id, token);
      if (stock < atLeast) throw new Error(`read ${stock} after ${atLeast} was written`);
    };
    const write = async () => {
      const { stock, seen } = await adjust(id);
      written = Math.max(written, stock);
      token = seen ?? token;
    };
    let ticks = 0;
    const load = setInterval(() => {
      // A slow machine would queue what it cannot answer, and measure the queue.
      if (pending.size >= MAX_PENDING) return;
      track(++ticks % 10 === 0 ? "write" : "read", ticks % 10 === 0 ? write() : read());
    }, 10);

    // The load itself is the clock: a phase lasts until so many more requests have been made.
    const requests = (count: number) =>
      until(
        `${count} more requests`,
        (
          (from) => () =>
            ticks >= from + count
        )(ticks),
      );
    await requests(100);
    await redis.kill();
    await requests(100);
    await redis.restart();
    const backAt = performance.now();
    await until("the cache to be used again", () => cacheIsUsed(app.url));
    const recoveredMs = performance.now() - backAt;
    await requests(100);
    clearInterval(load);
    await Promise.all(pending);

    expect(failures).toEqual([]);
    expect(await stockOf(id)).toBe(written);
    expect(recoveredMs).toBeLessThan(HANG_MS);
    expect(Math.max(slowest.read, slowest.write)).toBeLessThan(HANG_MS);
    const rounded = [recoveredMs, slowest.read, slowest.write].map(Math.round);
    await annotate(
      `used again ${rounded[0]} ms after Redis was back; slowest read ${rounded[1]} ms, ` +
        `slowest write ${rounded[2]} ms`,
    );
  });
});

describe("Redis restarted from an older snapshot", () => {
  it("A Redis restored from an older snapshot serves none of its values.", async () => {
    const ids = await someProducts(10);
    const direct = new Redis(redis.url);
    for (const id of ids) await stockOf(id);
    await direct.save();
    await copyFile(`${redis.dir}/dump.rdb`, `${redis.dir}/older.rdb`);
    const writtenBefore = await Promise.all(ids.slice(0, 5).map(adjust));
    for (const id of ids) await stockOf(id);
    direct.disconnect();

    await redis.kill();
    await until("the loss to be noticed", async () => !(await cacheIsUsed(app.url)));
    const writtenMeanwhile = await Promise.all(ids.slice(5).map(adjust));
    const expected = [...writtenBefore, ...writtenMeanwhile].map(({ stock }) => stock);
    expect(await Promise.all(ids.map((id) => stockOf(id)))).toEqual(expected);

    await copyFile(`${redis.dir}/older.rdb`, `${redis.dir}/dump.rdb`);
    await redis.restart();
    // Read all the while: the first reads through the restored server are the dangerous ones.
    while (!(await cacheIsUsed(app.url)))
      expect(await Promise.all(ids.map((id) => stockOf(id)))).toEqual(expected);
    expect(await Promise.all(ids.map((id) => stockOf(id)))).toEqual(expected);
    expect(await Promise.all(ids.map((id) => stockOf(id)))).toEqual(expected);
  });
});
