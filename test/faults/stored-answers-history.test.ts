/**
 * Stored answers of two applications over one Redis while it fails: connections are cut, and it is
 * restarted with its memory gone. A client that shows its consistency token never reads what is
 * older than its own writes, from whole answers, from parts, and by both transports.
 */
import fc from "fast-check";
import { Redis } from "ioredis";
import { afterAll, beforeAll, expect, it } from "vitest";
import { connectSocket } from "../server/websocket/socket-client.js";
import { type RunningApp, seededDatabase, startApp } from "../support/app.js";
import { drillSize } from "../support/drill.js";
import { createProxy, type FaultyProxy } from "../support/faults.js";
import { type Answer, metric, patiently, post } from "../support/graphql.js";
import type { TestDatabase } from "../support/postgres.js";
import { type RedisServer, startRedisServer } from "../support/redis-server.js";
import { until } from "../support/until.js";

const STEPS = drillSize({ sample: 400, full: 20_000 });
const SEED = Number(process.env.SEED ?? 11);
const PRODUCTS = 3;
const CLIENTS = 3;
const READS_OF_A_STEP = 4;
const REPORT_DELAY_MS = 5;

let database: TestDatabase;
let redis: RedisServer;
/** Redis, as the cache of the second application has it: invalidations are late there. */
let slow: FaultyProxy;
let admin: Redis;
let apps: RunningApp[];
let ids: string[];
beforeAll(async () => {
  database = await seededDatabase(PRODUCTS);
  redis = await startRedisServer();
  slow = await createProxy({ target: { host: "127.0.0.1", port: redis.port } });
  admin = new Redis(redis.url, { maxRetriesPerRequest: null });
  admin.on("error", () => {});
  const env = {
    CACHE_REPORT: "request",
    LIMIT_SERVICE_BURST: "1000000000",
    LIMIT_ADDRESS_BURST: "1000000000",
    LIMIT_BLOCK_BURST: "1000000000",
  };
  const started = { database, redisUrl: redis.url, keyPrefix: "", env };
  apps = [
    await startApp(started),
    await startApp({
      ...started,
      roles: { api: true, worker: false },
      env: { ...env, CACHE_REDIS_URL: `redis://127.0.0.1:${slow.port}` },
    }),
  ];
  slow.delay(REPORT_DELAY_MS);
  const { data } = await post(apps[0]!.url, "{ products(first: 3) { edges { node { id } } } }");
  ids = data.products!.edges!.map(({ node }) => String(node!.id));
});
afterAll(async () => {
  for (const app of apps) await app.close();
  admin.disconnect();
  await slow.close();
  await redis.stop();
  await database.close();
});

const WHOLE = "query Whole($id: ID!) { product(id: $id) { name stock } }";
const IN_PARTS =
  "query InParts($id: ID!) { viewer { user { name } } product(id: $id) { name stock } }";
const WRITE = "mutation ($id: ID!) { adjustStock(id: $id, by: 1) { product { stock } } }";

/** A client, what it has seen last, and the least stock of each product that it may read. */
interface Client {
  seen: string | null;
  readonly least: Map<string, number>;
}

const stepOf = fc.record({
  kind: fc.oneof(
    { weight: 60, arbitrary: fc.constantFrom("read whole", "read in parts", "read by socket") },
    { weight: 10, arbitrary: fc.constant("write") },
    { weight: 2, arbitrary: fc.constant("cut connections") },
    { weight: 1, arbitrary: fc.constant("restart") },
  ),
  app: fc.nat(1),
  client: fc.nat(CLIENTS - 1),
  product: fc.nat(PRODUCTS - 1),
});

type Step = typeof stepOf extends fc.Arbitrary<infer T> ? T : never;

/** Reads of a client; undefined for what is refused. */
const READS: Readonly<
  Record<string, (app: RunningApp, client: Client, id: string) => Promise<number | undefined>>
> = {
  "read whole": async ({ url }, { seen }, id) => stockOf(await post(url, WHOLE, { id }, { seen })),
  "read in parts": async ({ url }, { seen }, id) =>
    stockOf(await post(url, IN_PARTS, { id }, { seen })),
  async "read by socket"({ wsUrl }, { seen }, id) {
    const socket = await connectSocket(wsUrl, seen ? { "souk-seen": seen } : {});
    const [next] = await socket.run({ query: WHOLE, variables: { id } });
    await socket.close();
    return stockOf(next?.payload as Partial<Answer> | undefined);
  },
};

const stockOf = (answer: Partial<Answer> | undefined): number | undefined => {
  const stock = answer?.data?.product?.stock;
  return stock === undefined ? undefined : Number(stock);
};

/** Makes Redis fail, or writes. */
const CHANGES: Readonly<
  Record<string, (app: RunningApp, client: Client, id: string) => Promise<unknown>>
> = {
  restart: () => redis.restart(),
  "cut connections": () => admin.client("KILL", "TYPE", "normal", "SKIPME", "yes").catch(() => {}),
  async write({ url, adminToken }, client, id) {
    const { data, seen } = await post(url, WRITE, { id }, { token: adminToken });
    client.seen = seen;
    client.least.set(id, Number(data.adjustStock!.product!.stock));
  },
};

/** Takes a step; the number of reads that were answered. */
async function take(step: Step, client: Client): Promise<number> {
  const app = apps[step.app]!;
  const id = ids[step.product]!;
  await CHANGES[step.kind]?.(app, client, id);
  const read = READS[step.kind];
  let answered = 0;
  for (let times = 0; read && times < READS_OF_A_STEP; times += 1) {
    const stock = await read(app, client, id);
    if (stock === undefined) continue;
    answered += 1;
    expect(stock, JSON.stringify(step)).toBeGreaterThanOrEqual(client.least.get(id) ?? 0);
  }
  return answered;
}

it("No client reads what is older than its own writes, however Redis fails.", async () => {
  const clients = Array.from({ length: CLIENTS }, (): Client => ({ seen: null, least: new Map() }));
  let answered = 0;
  for (const step of fc.sample(stepOf, { numRuns: STEPS, seed: SEED }))
    answered += await take(step, clients[step.client]!);
  expect(answered).toBeGreaterThan(STEPS);
  const hits = await Promise.all(
    apps.map(({ url }) => metric(url, "souk_stored_answers_total", 'outcome="hit"')),
  );
  expect(Math.min(...hits)).toBeGreaterThan(STEPS / 20);
  // Once Redis is back, both show the newest.
  for (const { url } of apps)
    for (const id of ids) {
      const newest = Math.max(...clients.map(({ least }) => least.get(id) ?? 0));
      await until("the newest stock", async () => {
        const { data } = await patiently(() => post(url, WHOLE, { id }));
        return Number(data.product!.stock) === newest;
      });
    }
});
