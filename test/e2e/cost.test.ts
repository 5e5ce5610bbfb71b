/** What a query costs below: round trips to Redis when warm, statements when cold. */
import { afterEach, describe, expect, it } from "vitest";
import { type RunningApp, startApp } from "../support/app.js";
import { cacheIsUsed, metric, post } from "../support/graphql.js";
import { until } from "../support/until.js";

const LISTING =
  "query Listing($first: Int!) { products(first: $first) { edges { node { category { name } " +
  "brand { name } rating { average } } } } }";
/** The page, its products, their categories and brands together. */
const LEVELS = 3;

const open: RunningApp[] = [];
afterEach(async () => {
  for (const app of open.splice(0)) await app.close();
});

async function start(env: Record<string, string> = {}): Promise<RunningApp> {
  const app = await startApp({
    env: { CACHE_REPORT: "on", ...env },
    roles: { api: true, worker: false },
  });
  open.push(app);
  await until("the cache to be trusted", () => cacheIsUsed(app.url));
  return app;
}

/**
 * Runs the listing and answers what it cost, without what counting costs: a scrape of the metrics
 * reads the outbox.
 */
async function costOf(app: RunningApp, first: number) {
  const count = async () => ({
    redis: await metric(app.url, "souk_redis_round_trip_seconds_count", 'what="cache read"'),
    sql: await metric(app.url, "souk_sql_statement_seconds_count"),
  });
  const idle = await count();
  const before = await count();
  const answer = await post(app.url, LISTING, { first });
  const after = await count();
  expect(answer.errors).toBeUndefined();
  expect(answer.data.products?.edges).toHaveLength(first);
  return {
    redis: after.redis - before.redis,
    sql: after.sql - before.sql - (before.sql - idle.sql),
    cache: answer.extensions?.cache?.status,
  };
}

describe("a listing of products with category, brand and rating", () => {
  it("A warm listing costs one Redis round trip per level, and no SQL.", async () => {
    const app = await start({ CACHE_LOCAL_BYTES: "0" });
    await costOf(app, 20);
    expect(await costOf(app, 20)).toEqual({ redis: LEVELS, sql: 0, cache: "HIT" });
  });

  it("A local listing costs nothing below the process.", async () => {
    const app = await start();
    // The local level comes on a moment after Redis is trusted, once its invalidation link is
    // proven.
    await until("everything to be local", async () => (await costOf(app, 20)).redis === 0);
    expect(await costOf(app, 20)).toEqual({ redis: 0, sql: 0, cache: "HIT" });
  });

  it("A cold listing costs the same number of statements, whatever `first` is.", async () => {
    const statements = await Promise.all(
      [1, 20, 100].map(async (first) => (await costOf(await start(), first)).sql),
    );
    expect(statements).toEqual([4, 4, 4]);
  });
});
