/**
 * `npm run reconcile` as a process: it reports differences, and repairs them
 * only with `--repair`.
 */
import { sql } from "drizzle-orm";
import { beforeAll, expect, it, onTestFinished } from "vitest";
import { createKeys } from "../../src/redis/client/keys.js";
import { openCounterKit, stockProducts } from "../redis/counters/counters.fixture.js";
import { ensureBuilt } from "../support/node-process.js";
import { testDatabase } from "../support/postgres.js";
import { startRedisServer } from "../support/redis.js";
import { run } from "./run-command.js";

beforeAll(ensureBuilt);

it("Drift is separated from counts that are still to be flushed, and repaired.", async () => {
  const [db, redis] = [await testDatabase(), await startRedisServer()];
  onTestFinished(async () => void (await Promise.all([db.close(), redis.stop()])));
  await stockProducts(db.database, 3);
  const keys = createKeys();
  const kit = await openCounterKit({ url: redis.url, keys, database: db.database });
  const reconcile = (...args: string[]) =>
    run("reconcile", args, { DATABASE_URL: db.url, REDIS_URL: redis.url });
  for (const id of [1, 2]) for (const guest of ["ada", "bob"]) await kit.view(id, guest);
  await kit.flush();
  // Owed, and not drift.
  await kit.share(1);
  const agreed = await reconcile();
  expect(agreed).toMatchObject({ code: 0, stderr: "" });
  expect(agreed.stdout).toContain(
    "2 products have been counted; Redis holds 2 of them.\nEverything agrees.",
  );

  await kit.connection.hincrby(keys.tally(1, 1), "views", 5);
  await db.database.query(sql`INSERT INTO product_likes (product_id, likes) VALUES (3, 7)`);
  const found = await reconcile();
  expect(found.code).toBe(2);
  expect(found.stdout).toContain(
    "  product 1: 5 views too many\n  product 3: 7 likes too many\n2 numbers differ.",
  );
  expect(await kit.read(1)).toMatchObject({ views: 7, shares: 1 });

  const repaired = await reconcile("--repair");
  expect(repaired.code).toBe(0);
  expect(repaired.stdout).toContain("2 numbers differ; all were repaired.");
  expect(await kit.read(1)).toMatchObject({ views: 2, shares: 1 });
  expect(await db.database.query(sql`SELECT likes FROM product_likes`)).toEqual([{ likes: 0 }]);
  expect(await db.database.query(sql`SELECT payload->'tags' AS tags FROM outbox`)).toEqual([
    { tags: ["likes:3"] },
  ]);
  expect((await reconcile()).stdout).toContain("Everything agrees.");
});

it("The command needs the Redis that counts.", async () => {
  const db = await testDatabase();
  onTestFinished(() => db.close());
  const { code, stderr } = await run("reconcile", [], { DATABASE_URL: db.url });
  expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining("REDIS_URL") });
});
