/** Databases of earlier versions. */
import { join } from "node:path";
import { sql } from "drizzle-orm";
import { readMigrationFiles } from "drizzle-orm/migrator";
import type { Database } from "../../../src/db/client/database.js";
import { openDatabase } from "../../../src/db/client/open.js";
import { silentTelemetry } from "../../../src/domain/telemetry/telemetry.js";
import { testLog } from "../../support/log.js";
import { blankDatabase } from "../../support/postgres.js";
import type { DATABASES } from "../sample.js";

/** Every version, in order. */
export const MIGRATIONS = readMigrationFiles({
  migrationsFolder: join(import.meta.dirname, "../../../src/db/migrations"),
});

/** A database of either kind without a schema. */
export async function openBlank(
  kind: (typeof DATABASES)[number],
): Promise<{ database: Database; close(): Promise<void> }> {
  const { url, drop } =
    kind === "postgres" ? await blankDatabase() : { url: undefined, drop: undefined };
  const options = {
    poolSize: kind === "postgres" ? 3 : 1,
    timeoutMs: 60_000,
    telemetry: silentTelemetry,
    log: testLog(),
  };
  const database = await openDatabase({ ...options, dataDir: "memory://", url });
  const close = async () => {
    await database.close();
    await drop?.();
  };
  return { database, close };
}

/** The schema as an earlier version left it. */
export async function migrateTo(database: Database, count: number): Promise<void> {
  await database.query(sql`CREATE SCHEMA drizzle`);
  await database.query(
    sql`CREATE TABLE drizzle.__drizzle_migrations
      (id serial PRIMARY KEY, hash text NOT NULL, created_at bigint)`,
  );
  for (const { sql: statements, hash, folderMillis } of MIGRATIONS.slice(0, count)) {
    for (const statement of statements) await database.query(sql.raw(statement));
    await database.query(
      sql`INSERT INTO drizzle.__drizzle_migrations (hash, created_at)
        VALUES (${hash}, ${folderMillis})`,
    );
  }
}
