/**
 * What a client reads after a write: three real API processes and a worker, on one Redis and one
 * PostgreSQL.
 */

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createProductTable } from "../../src/db/catalogue/products.js";
import { createOutboxTable } from "../../src/db/outbox.js";
import { tagsOfProductChange } from "../../src/domain/catalogue/tags.js";
import { changeEntry } from "../../src/domain/events/outbox.js";
import { decodeIdOf } from "../../src/domain/ids.js";
import { ADMIN_TOKEN, type AppProcess, seededDatabase, startProcess } from "../support/app.js";
import { cacheIsUsed, post } from "../support/graphql.js";
import type { TestDatabase } from "../support/postgres.js";
import { type PrivateRedis, startRedis } from "../support/redis-topology.js";
import { until } from "../support/until.js";

const STOCK = "query Stock($id: ID!) { product(id: $id) { stock } }";
const ADJUST =
  "mutation Adjust($id: ID!) { adjustStock(id: $id, by: 1) { product { stock } errors { " +
  "message } } }";

let database: TestDatabase;
let redis: PrivateRedis;
let apis: AppProcess[];
let env: Record<string, string>;

beforeAll(async () => {
  [database, redis] = await Promise.all([seededDatabase(), startRedis()]);
  env = { DATABASE_URL: database.url, REDIS_URL: redis.url };
  apis = await Promise.all([1, 2, 3].map(() => startProcess(["dist/main.js", "--api"], env)));
  await until("every process to use the cache", async () =>
    (await Promise.all(apis.map(({ url }) => cacheIsUsed(url)))).every(Boolean),
  );
});
afterAll(async () => {
  await Promise.all(apis.map((api) => api.end()));
  await redis.stop();
  await database.close();
});

const firstProducts = async (count: number): Promise<string[]> => {
  const { data } = await post(
    apis[0]!.url,
    "query Some($n: Int!) { products(first: $n) { edges { node { id } } } }",
    { n: count },
  );
  return data.products!.edges!.map((edge) => String(edge.node!.id));
};
const stockOn = async (api: AppProcess, id: string, seen?: string | null): Promise<number> => {
  const { data } = await post(api.url, STOCK, { id }, seen ? { seen } : {});
  return Number(data.product!.stock);
};

describe("after a write through one of three processes", () => {
  it("The client's next read on each process, with its token, is new.", async () => {
    const ids = await firstProducts(20);
    for (const [round, id] of ids.entries()) {
      // Everybody holds the old value locally.
      const old = await Promise.all(apis.map((api) => stockOn(api, id)));
      const writer = apis[round % apis.length]!;
      const { data, seen } = await post(writer.url, ADJUST, { id }, { token: ADMIN_TOKEN });
      const written = Number(data.adjustStock!.product!.stock);
      expect(seen).not.toBeNull();
      expect(await Promise.all(apis.map((api) => stockOn(api, id, seen)))).toEqual([
        written,
        written,
        written,
      ]);
      expect(old).toEqual([written - 1, written - 1, written - 1]);
    }
  });

  it("The next read on the same process needs no token.", async () => {
    for (const id of await firstProducts(20)) {
      const api = apis[0]!;
      const before = await stockOn(api, id);
      await post(api.url, ADJUST, { id }, { token: ADMIN_TOKEN });
      expect(await stockOn(api, id)).toBe(before + 1);
    }
  });

  it("Readers without the token follow within the message's travel.", async () => {
    const [id] = await firstProducts(1);
    await Promise.all(apis.map((api) => stockOn(api, id!)));
    const { data } = await post(apis[1]!.url, ADJUST, { id }, { token: ADMIN_TOKEN });
    const written = Number(data.adjustStock!.product!.stock);
    await until("the others to follow", async () =>
      (await Promise.all(apis.map((api) => stockOn(api, id!)))).every((stock) => stock === written),
    );
  });
});

describe("a process killed between commit and announcement", () => {
  it("A process killed before its announcement leaves nothing stale with a worker.", async () => {
    const [id] = await firstProducts(1);
    const before = (await Promise.all(apis.map((api) => stockOn(api, id!))))[0]!;
    // Exactly what a writer has done when it dies there: the row and what it owes are committed,
    // nothing was sent.
    await database.database.transaction(async (tx) => {
      const change = await createProductTable(database.database).adjustStock(
        tx,
        decodeIdOf("Product", id!)!,
        5,
      );
      if (typeof change === "string") throw new Error(change);
      const { product } = change.after;
      await createOutboxTable(database.database).append(tx, [
        changeEntry({
          tags: tagsOfProductChange(change.before, change.after),
          events: [{ topic: { kind: "productChanged", id: product.id }, version: product.version }],
        }),
      ]);
    });
    expect(await stockOn(apis[0]!, id!)).toBe(before);
    const worker = await startProcess(["dist/worker.js"], env);
    await until("the relay to repair it", async () =>
      (await Promise.all(apis.map((api) => stockOn(api, id!)))).every(
        (stock) => stock === before + 5,
      ),
    );
    await until(
      "the outbox to be empty",
      async () => !(await createOutboxTable(database.database).hasUnsent()),
    );
    expect(await worker.end()).toBe(0);
  });
});
