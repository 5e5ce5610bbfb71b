/**
 * The processes as production runs them: on shared servers, over TLS, as the least-privilege user,
 * with a second Redis that may evict.
 */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { sql } from "drizzle-orm";
import { createClient } from "graphql-ws";
import { Redis } from "ioredis";
import { expect, it, onTestFinished } from "vitest";
import WebSocket from "ws";
import { signUp } from "../support/accounts.js";
import { ADMIN_TOKEN, seededDatabase, startProcess } from "../support/app.js";
import { contentsOf, createBuyer } from "../support/buyers.js";
import { temporaryFolder } from "../support/files.js";
import { cacheIsUsed, post } from "../support/graphql.js";
import { follow, send } from "../support/notifications.js";
import { startRedisServer } from "../support/redis-server.js";
import { tlsFiles } from "../support/tls.js";
import { until } from "../support/until.js";

const WATCH =
  "subscription Watch($ids: [ID!]!) { productChanged(ids: $ids) { version product { stock } } }";
const ADJUST =
  "mutation Adjust($id: ID!) { adjustStock(id: $id, by: 1) { product { stock } errors { " +
  "message } } }";
const VIEW =
  "mutation View($id: ID!) { trackView(productId: $id) { stats { views viewsToday " +
  "uniqueViewers { estimate } } } }";
const STATS =
  "query Stats($id: ID!) { product(id: $id) { stats { views viewsToday uniqueViewers { " +
  "estimate } } } }";

const document = readFileSync(new URL("../../docs/redis-acl.md", import.meta.url), "utf8");
const rules = /```acl\n([^`]+)```/.exec(document)?.[1]?.trim().split(/\s+/) ?? [];

/** A TLS server with the documented user, and what it had to refuse. */
async function secureRedis() {
  const server = await startRedisServer({ tls: tlsFiles });
  onTestFinished(() => server.stop());
  const admin = new Redis(server.url, { tls: { rejectUnauthorized: false } });
  onTestFinished(() => admin.disconnect());
  await admin.call("ACL", "SETUSER", "souk", "on", ">secret", ...rules);
  return {
    url: server.url.replace("rediss://", "rediss://souk:secret@"),
    refusals: () => admin.call("ACL", "LOG") as Promise<string[][]>,
  };
}

it("Api and worker run on TLS with the documented rights, and a Redis for the cache.", async () => {
  const database = await seededDatabase();
  onTestFinished(() => database.close());
  const [state, cache] = [
    await secureRedis(),
    await startRedisServer({
      args: ["--maxmemory", "20mb", "--maxmemory-policy", "allkeys-lru"],
    }),
  ];
  onTestFinished(() => cache.stop());
  const env = {
    NODE_ENV: "production",
    DATABASE_URL: database.url,
    REDIS_URL: state.url,
    REDIS_CA_FILE: tlsFiles.caFile,
    CACHE_REDIS_URL: cache.url,
    COUNTERS_FLUSH_MS: "100",
  };
  const worker = await startProcess(["dist/worker.js"], env);
  const apis = await Promise.all([
    startProcess(["dist/main.js", "--api"], env),
    startProcess(["dist/main.js", "--api"], env),
  ]);
  await until("the cache to be used", async () =>
    (await Promise.all(apis.map(({ url }) => cacheIsUsed(url)))).every(Boolean),
  );
  const [writer, reader] = apis as [(typeof apis)[number], (typeof apis)[number]];

  const { data } = await post(writer.url, "{ products(first: 1) { edges { node { id stock } } } }");
  const { id, stock } = data.products!.edges![0]!.node as unknown as {
    id: string;
    stock: number;
  };
  const client = createClient({ url: reader.wsUrl, webSocketImpl: WebSocket, retryAttempts: 0 });
  const changes = client.iterate<{ productChanged: { product: { stock: number } } }>({
    query: WATCH,
    variables: { ids: [id] },
  });
  expect((await changes.next()).value.data.productChanged.product.stock).toBe(stock);
  await post(writer.url, ADJUST, { id }, { token: ADMIN_TOKEN });
  expect((await changes.next()).value.data.productChanged.product.stock).toBe(stock + 1);
  await client.dispose();

  const { data: viewed } = await post(writer.url, VIEW, { id });
  const flushed = sql`SELECT 1 FROM product_tallies t JOIN products p ON p.id = t.product_id
    WHERE t.period <> 'all' AND p.stock = ${stock + 1}`;
  await until(
    "the view to be in Postgres",
    async () => (await database.database.query(flushed)).length === 2,
  );
  const { data: seen } = await post(reader.url, STATS, { id });
  expect(seen.product!.stats).toEqual(viewed.trackView!.stats);

  const query = "{ products(first: 1) { totalCount } }";
  const extensions = {
    persistedQuery: { version: 1, sha256Hash: createHash("sha256").update(query).digest("hex") },
  };
  for (const [{ url }, body] of [
    [writer, { query, extensions }],
    [reader, { extensions }],
  ] as const) {
    const headers = { "content-type": "application/json" };
    const answer = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
    expect(await answer.json()).toMatchObject({ data: { products: { totalCount: 200 } } });
  }
  const guest = createBuyer(writer.url);
  await guest.add(id);
  const input = {
    email: "cart@test.example",
    password: "secret secret",
    name: "Cart",
    deliver: "TOKEN",
  };
  const signedUp = await guest.ask(
    "mutation S($input: SignUpInput!) { signUp(input: $input) { token } }",
    { input },
  );
  expect(
    contentsOf(
      await createBuyer(reader.url, { token: String(signedUp.data.signUp!.token) }).cart(),
    ),
  ).toEqual({ [id]: 1 });

  const account = await signUp(writer.url);
  const device = await follow(reader.wsUrl, account.token, "");
  for (const title of ["first", "second"]) {
    await send(writer.url, { userIds: [account.id], title });
    expect((await device.next()).notification.title).toBe(title);
  }
  await device.socket.close();

  const direct = new Redis(cache.url);
  onTestFinished(() => direct.disconnect());
  expect(await direct.dbsize()).toBeGreaterThan(0);
  // Newer servers know CLIENT SETINFO, which ioredis may do without.
  expect((await state.refusals()).filter((refusal) => !refusal.includes("client|setinfo"))).toEqual(
    [],
  );
  expect(await Promise.all([...apis, worker].map((running) => running.end()))).toEqual([0, 0, 0]);
});

it("Starting with both servers configured brings none of its own.", async () => {
  const database = await seededDatabase();
  onTestFinished(() => database.close());
  const redis = await startRedisServer();
  onTestFinished(() => redis.stop());
  const folder = await temporaryFolder("configured");
  onTestFinished(() => folder.remove());
  const dataDir = join(folder.path, "data");
  const app = await startProcess(["dist/main.js"], {
    DATABASE_URL: database.url,
    REDIS_URL: redis.url,
    DATA_DIR: dataDir,
  });
  expect((await post(app.url, "{ products { totalCount } }")).data.products!.totalCount).toBe(200);
  expect(await app.end()).toBe(0);
  expect(existsSync(dataDir)).toBe(false);
});
