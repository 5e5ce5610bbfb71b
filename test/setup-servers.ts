/**
 * Once per run: one Redis (a server, unless TEST_REDIS_TOPOLOGY says otherwise) and one PostgreSQL,
 * both private, both gone at the end. Tests find them with `inject`.
 */
import { randomBytes } from "node:crypto";
import pg from "pg";
import type { TestProject } from "vitest/node";
import { startPostgresServer } from "./support/postgres-server.js";
import { startRedis } from "./support/redis-topology.js";

declare module "vitest" {
  interface ProvidedContext {
    redisUrl: string;
    postgresUrl: string;
    /** Starts the name of every database of this run. */
    runName: string;
  }
}

/** Starts both; the returned function stops them. */
export default async function startServers(project: TestProject): Promise<() => Promise<void>> {
  const [redis, postgres] = await Promise.all([
    startRedis({ args: ["--databases", "1"] }),
    startPostgresServer(),
  ]);
  const runName = `souk_test_${randomBytes(4).toString("hex")}`;
  project.provide("redisUrl", redis.url);
  project.provide("postgresUrl", postgres.url);
  project.provide("runName", runName);
  return async () => {
    await dropDatabases(postgres.url, runName);
    await Promise.all([redis.stop(), postgres.stop()]);
  };
}

/** A server that is not ours keeps nothing of ours. */
async function dropDatabases(url: string, runName: string): Promise<void> {
  const admin = new pg.Client({ connectionString: url });
  await admin.connect();
  const { rows } = await admin.query<{ datname: string }>(
    "SELECT datname FROM pg_database WHERE starts_with(datname, $1)",
    [runName],
  );
  for (const { datname } of rows)
    await admin.query(`DROP DATABASE IF EXISTS ${datname} WITH (FORCE)`);
  await admin.end();
}
