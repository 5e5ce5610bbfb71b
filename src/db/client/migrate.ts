/**
 * Migrates a database to the current schema: every new file
 * of ./migrations, in order, in one transaction.
 *
 * Several processes may start at once. An advisory lock lets
 * one of them work; the others then find nothing to do. The
 * table of drizzle-kit keeps what ran, so its tools agree.
 */
import { fileURLToPath } from "node:url";
import { sql } from "drizzle-orm";
import { readMigrationFiles } from "drizzle-orm/migrator";
import type { Logger } from "pino";
import type { Database, Tx } from "./database.js";
import { findDecomposed } from "./decomposed-text.js";
import { LOCKS } from "./locks.js";

const migrationsFolder = fileURLToPath(new URL("../migrations", import.meta.url));

/**
 * Migrates; does nothing the second time. Rejects, with
 * nothing changed, when any statement fails. Logs the texts
 * that a migration could not bring into NFC.
 */
export async function migrate(database: Database, log: Pick<Logger, "warn">): Promise<void> {
  const migrations = readMigrationFiles({ migrationsFolder });
  await database.transaction(
    async (tx) => {
      await tx.query(sql`SELECT pg_advisory_xact_lock(${LOCKS.migrate})`);
      const latest = await latestMigration(tx);
      const due = migrations.filter((migration) => migration.folderMillis > latest);
      for (const { sql: statements, folderMillis, hash } of due) {
        for (const statement of statements) await tx.query(sql.raw(statement));
        await tx.query(sql`
          INSERT INTO drizzle.__drizzle_migrations (hash, created_at)
          VALUES (${hash}, ${folderMillis})`);
      }
      const left = due.length > 0 ? await findDecomposed(tx) : [];
      if (left.length > 0)
        log.warn(
          { left },
          "texts that are not in NFC were left as they are: they are found by neither form",
        );
    },
    { patient: true },
  );
}

async function latestMigration(tx: Tx): Promise<number> {
  await tx.query(sql`CREATE SCHEMA IF NOT EXISTS drizzle`);
  await tx.query(sql`
    CREATE TABLE IF NOT EXISTS drizzle.__drizzle_migrations
      (id serial PRIMARY KEY, hash text NOT NULL, created_at bigint)`);
  const [row] = await tx.query<{ latest: number | null }>(
    sql`SELECT max(created_at) AS latest FROM drizzle.__drizzle_migrations`,
  );
  return row?.latest ?? 0;
}
