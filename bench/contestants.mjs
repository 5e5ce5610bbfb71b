/**
 * The servers measured, over one seeded shop of 10,000 products in 50 categories. Each is a process
 * of its own.
 */
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { freePort } from "../scripts/free-port.mjs";
import { start, startPostgres, startRedis, temporaryFolder } from "./processes.mjs";

/** The token of the writes; the processes live on loopback and end with the bench. */
export const ADMIN_TOKEN = "bench-token-of-no-value";

/**
 * Migrates and fills the database with Souk's own code.
 * @param times how many times the usual products, with their reviews
 */
export async function seed(dist, databaseUrl, times = 1) {
  const load = (file) => import(pathToFileURL(join(dist, file)).href);
  const [
    { openDatabase },
    { migrate },
    { seedCatalogue, seedSizes, DEFAULT_SEED },
    { silentTelemetry },
  ] = await Promise.all(
    [
      "db/client/open.js",
      "db/client/migrate.js",
      "db/seed/seed.js",
      "domain/telemetry/telemetry.js",
    ].map(load),
  );
  const silent = () => {};
  const log = { debug: silent, info: silent, warn: silent, error: console.error };
  const place = { url: databaseUrl, dataDir: "", poolSize: 4, timeoutMs: 60_000 };
  const database = await openDatabase({ ...place, telemetry: silentTelemetry, log });
  try {
    await migrate(database);
    await seedCatalogue(database, seedSizes(times * DEFAULT_SEED.products));
  } finally {
    await database.close();
  }
}

/**
 * A bench asks for more than anybody may: its one client is counted all the same, and never
 * refused.
 */
const UNLIMITED = Object.fromEntries(
  ["VIEWER", "ADDRESS", "BLOCK", "SIGN_IN"]
    .flatMap((bucket) => [
      [`LIMIT_${bucket}_BURST`, "1000000000"],
      [`LIMIT_${bucket}_PER_SECOND`, "100000000"],
    ])
    .concat(
      ["SOCKETS", "SUBSCRIPTIONS"].flatMap((what) =>
        ["USER", "ADDRESS"].map((whose) => [`LIMIT_${what}_PER_${whose}`, "1000000"]),
      ),
    ),
);

/** Souk as it runs in production: `main.js --api`. */
export async function startSouk({ dist, databaseUrl, redisUrl, nodeArgs = [], env: extra = {} }) {
  const port = await freePort();
  const env = {
    PATH: process.env.PATH,
    NODE_ENV: "production",
    DATABASE_URL: databaseUrl,
    REDIS_URL: redisUrl,
    PORT: `${port}`,
    ADMIN_TOKEN,
    LOG_LEVEL: "warn",
    DATA_DIR: temporaryFolder("data"),
    ...UNLIMITED,
    ...extra,
  };
  const server = start("Souk", process.execPath, [...nodeArgs, join(dist, "main.js"), "--api"], {
    env,
  });
  await server.until(async () => (await fetch(`http://127.0.0.1:${port}/readyz`)).ok);
  return { name: "Souk", url: `http://127.0.0.1:${port}/graphql`, ...server };
}

/**
 * The servers that Souk is compared with, each of them one file of `peers/`. A bound answers no
 * GraphQL: it sends what Souk answered.
 */
export const PEERS = [
  { name: "apollo-express", title: "Apollo + Express, no cache" },
  { name: "apollo-fastify", title: "Apollo + Fastify + Redis MGET" },
  { name: "apollo-jit", title: "Apollo + Fastify + Redis MGET, graphql-jit, no hints" },
  { name: "apollo-response-cache", title: "Apollo, response cache in Redis" },
  { name: "mercurius", title: "Mercurius jit, cache in Redis" },
  {
    name: "mercurius-pg",
    title: "Mercurius jit, no cache",
    file: "mercurius",
    env: { CACHE: "none" },
    isColdOnly: true,
  },
  { name: "postgraphile", title: "PostGraphile 5, no cache", isColdOnly: true },
  { name: "yoga", title: "Yoga, response cache in memory" },
  { name: "bare-fastify", title: "bare Fastify, Map", isBound: true },
  { name: "bare-http", title: "bare node:http, Redis GET", isBound: true },
];

/** Peers have a database of Redis of their own; Souk uses the first. */
export const peerRedisUrl = (redisUrl) => `${redisUrl}/1`;

/** One of {@link PEERS}; resolves when it answers HTTP. */
export async function startPeer(peer, { databaseUrl, redisUrl }) {
  const port = await freePort();
  const file = fileURLToPath(new URL(`peers/${peer.file ?? peer.name}.mjs`, import.meta.url));
  const env = {
    PATH: process.env.PATH,
    NODE_ENV: "production",
    DATABASE_URL: databaseUrl,
    REDIS_URL: peerRedisUrl(redisUrl),
    PEER: peer.name,
    ...peer.env,
    PORT: `${port}`,
  };
  const server = start(peer.name, process.execPath, [file], { env });
  const url = `http://127.0.0.1:${port}/graphql`;
  await server.until(async () => Boolean(await fetch(`http://127.0.0.1:${port}/`)));
  return { ...peer, url, ...server };
}

/** Private servers with the shop in them. */
export async function open({ dist, times }) {
  const [postgres, redis] = await Promise.all([startPostgres(), startRedis()]);
  console.log("Filling the shop …");
  await seed(dist, postgres.url, times);
  return {
    dist,
    databaseUrl: postgres.url,
    redisUrl: redis.url,
    pool: postgres.pool,
    redis: redis.redis,
  };
}
