/**
 * A database of an earlier version comes to the present schema in one step, on both databases, with
 * what it holds.
 */
import { join } from "node:path";
import { sql } from "drizzle-orm";
import { readMigrationFiles } from "drizzle-orm/migrator";
import { expect, onTestFinished, test } from "vitest";
import type { Database } from "../../../src/db/client/database.js";
import { migrate } from "../../../src/db/client/migrate.js";
import { openDatabase } from "../../../src/db/client/open.js";
import { createOutboxTable } from "../../../src/db/outbox.js";
import { CATALOGUE_TAG } from "../../../src/domain/catalogue/tags.js";
import { silentTelemetry } from "../../../src/domain/telemetry/telemetry.js";
import { testLog } from "../../support/log.js";
import { blankDatabase } from "../../support/postgres.js";
import { DATABASES } from "../sample.js";

const MIGRATIONS = readMigrationFiles({
  migrationsFolder: join(import.meta.dirname, "../../../src/db/migrations"),
});
/** The last version without normal text, and without attempts of outbox rows. */
const BEFORE_NORMAL_TEXT = 10;
const NFD = "Citroën".normalize("NFD");

async function blank(kind: (typeof DATABASES)[number]): Promise<Database> {
  const { url, drop } =
    kind === "postgres" ? await blankDatabase() : { url: undefined, drop: undefined };
  const options = {
    poolSize: kind === "postgres" ? 3 : 1,
    timeoutMs: 60_000,
    telemetry: silentTelemetry,
    log: testLog(),
  };
  const database = await openDatabase({ ...options, dataDir: "memory://", url });
  onTestFinished(async () => {
    await database.close();
    await drop?.();
  });
  return database;
}

/** The schema as an earlier version left it. */
async function migrateTo(database: Database, count: number): Promise<void> {
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

/** Text in another form, a row that waits to be sent, and a broadcast under way. */
async function plant(database: Database): Promise<void> {
  for (const statement of [
    sql`INSERT INTO brands (id, name) VALUES (1, ${NFD})`,
    sql`INSERT INTO categories (id, name, slug, path) VALUES (1, ${NFD}, 'c', '{1}')`,
    sql`INSERT INTO products (id, sku, name, description, brand_id, category_id, price, stock)
      VALUES (1, 'A', ${NFD}, 'Blue.', 1, 1, 5, 1)`,
    sql`INSERT INTO notification_contents (id, kind, title, body) VALUES (1, 'news', ${NFD}, '')`,
    sql`INSERT INTO notification_broadcasts (content_id, last_user) VALUES (1, 7)`,
    sql`INSERT INTO outbox (tags, events) VALUES ('{product:1}', '[]')`,
  ])
    await database.query(statement);
}

test.each(DATABASES)(
  "A shop of an earlier version on %s keeps what it holds and what it owes.",
  async (kind) => {
    const database = await blank(kind);
    await migrateTo(database, BEFORE_NORMAL_TEXT);
    await plant(database);
    for (let times = 0; times < 2; times++) await migrate(database, testLog());

    const names = sql`SELECT b.name AS brand, c.name AS category, p.name AS product, n.title
    FROM brands b, categories c, products p, notification_contents n`;
    expect(await database.query(names)).toEqual([
      { brand: "Citroën", category: "Citroën", product: "Citroën", title: "Citroën" },
    ]);
    expect(
      await database.query(sql`SELECT attempts, set_aside_at FROM notification_broadcast_parts`),
    ).toEqual([{ attempts: 0, set_aside_at: null }]);
    expect(
      await database.query(sql`SELECT tags, attempts, closed_at FROM outbox ORDER BY id`),
    ).toEqual([
      { tags: ["product:1"], attempts: 0, closed_at: null },
      { tags: [CATALOGUE_TAG], attempts: 0, closed_at: null },
    ]);
    expect(await createOutboxTable(database).hasUnsent(0)).toBe(true);
    const [ran] = await database.query<{ count: number }>(
      sql`SELECT count(*) FROM drizzle.__drizzle_migrations`,
    );
    expect(ran?.count).toBe(MIGRATIONS.length);
  },
);
