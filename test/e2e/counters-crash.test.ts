/**
 * Workers that are killed while they flush: nothing is lost, nothing is doubled. Real processes,
 * SIGKILL.
 */
import { randomUUID } from "node:crypto";
import { sql } from "drizzle-orm";
import { afterAll, beforeAll, expect, it } from "vitest";
import { encodeId } from "../../src/domain/ids.js";
import { ADMIN_TOKEN, type AppProcess, seededDatabase, startProcess } from "../support/app.js";
import { drillSize } from "../support/drill.js";
import { post } from "../support/graphql.js";
import type { TestDatabase } from "../support/postgres.js";
import { startRedisServer } from "../support/redis.js";
import { until } from "../support/until.js";

const SHARE =
  "mutation Share($id: ID!, $op: ID) { share(productId: $id, operationId: $op) { stats { " +
  "shares } errors { code } } }";
const PRODUCTS = 20;

let database: TestDatabase;
let redis: Awaited<ReturnType<typeof startRedisServer>>;
let api: AppProcess;
let env: Record<string, string>;
beforeAll(async () => {
  [database, redis] = [await seededDatabase(PRODUCTS), await startRedisServer()];
  env = {
    NODE_ENV: "test",
    DATABASE_URL: database.url,
    REDIS_URL: redis.url,
    COUNTERS_FLUSH_MS: "10",
    ADMIN_TOKEN,
  };
  api = await startProcess(["dist/main.js", "--api"], env);
});
afterAll(async () => {
  await api?.end();
  await redis?.stop();
  await database?.close();
});

const stored = async (): Promise<number> => {
  const [row] = await database.database.query<{ shares: number }>(
    sql`SELECT sum(shares)::bigint AS shares FROM product_tallies WHERE period = 'all'`,
  );
  return row?.shares ?? 0;
};

/**
 * Shares once, as a client does: under an operation id, again while nobody can tell. By the service
 * token, whose limit is wide.
 */
async function share(id: string): Promise<void> {
  const op = randomUUID();
  await until("the share to be answered", async () => {
    const { data, errors } = await post(api.url, SHARE, { id, op }, { token: ADMIN_TOKEN });
    if (errors?.[0]?.extensions.code === "SERVICE_UNAVAILABLE") return false;
    expect({ errors, refused: data.share?.errors }).toEqual({ errors: undefined, refused: [] });
    return true;
  });
}

it("Every share is in Postgres once, however many workers die on the way.", async () => {
  const before = await stored();
  let shared = 0;
  let sharing = true;
  const shares = (async () => {
    while (sharing)
      await Promise.all(
        Array.from({ length: 10 }, () => share(encodeId("Product", 1 + (shared++ % PRODUCTS)))),
      );
  })();
  // Awaited below; what went wrong is told there.
  shares.catch(() => {});
  for (let death = 0; death < drillSize({ sample: 3, full: 60 }); death++) {
    const [worker, known] = [await startProcess(["dist/worker.js"], env), await stored()];
    await until("the worker to flush", async () => (await stored()) > known);
    await worker.end("SIGKILL");
  }
  sharing = false;
  await shares;
  const last = await startProcess(["dist/worker.js"], env);
  await until("everything to be flushed", async () => (await stored()) >= before + shared);
  await last.end();
  expect(await stored()).toBe(before + shared);
});
