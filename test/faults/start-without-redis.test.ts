/**
 * A process that starts while Redis is away: it serves what Postgres holds, and uses Redis once
 * that answers.
 */
import { expect, it, onTestFinished } from "vitest";
import { startApp } from "../support/app.js";
import { createProxy, type FaultyProxy } from "../support/faults.js";
import { cacheIsUsed, post, readyz } from "../support/graphql.js";
import { startRedisServer } from "../support/redis-server.js";
import { until } from "../support/until.js";

interface Row {
  readonly fault: string;
  readonly begin: (proxy: FaultyProxy) => unknown;
}

const ROWS: readonly Row[] = [
  { fault: "refuses connections", begin: (proxy) => proxy.cut() },
  { fault: "lies behind a black hole", begin: (proxy) => proxy.blackHole() },
  { fault: "answers later than any deadline", begin: (proxy) => proxy.delay(3_000) },
];

it.each(ROWS.map((row) => [row.fault, row] as const))(
  "A process starts while Redis %s, and uses it afterwards.",
  async (_, { begin }) => {
    const redis = await startRedisServer();
    onTestFinished(() => redis.stop());
    const proxy = await createProxy({ target: { host: "127.0.0.1", port: redis.port } });
    onTestFinished(() => proxy.close());
    await begin(proxy);
    const app = await startApp({
      redisUrl: `redis://127.0.0.1:${proxy.port}`,
      keyPrefix: "",
      products: 20,
    });
    onTestFinished(() => app.close());

    const { data, errors } = await post(
      app.url,
      "{ products(first: 1) { totalCount edges { node { stock } } } }",
    );
    expect([errors, data.products!.totalCount]).toEqual([undefined, 20]);
    await proxy.restore();
    await until("the cache to be used", () => cacheIsUsed(app.url));
    await until("every part to be well", async () => (await readyz(app.url)).status === "ok");
  },
);
