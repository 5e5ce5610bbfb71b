/** Small catalogues for tests of the database, and both databases to test them on. */
import { sql } from "drizzle-orm";
import { createProductTable } from "../../src/db/catalogue/products.js";
import type { Database, Tx } from "../../src/db/client/database.js";
import { migrate } from "../../src/db/client/migrate.js";
import { openDatabase } from "../../src/db/client/open.js";
import type { PlacedProduct, ProductDraft } from "../../src/domain/catalogue/catalogue.js";
import { silentTelemetry } from "../../src/domain/telemetry/telemetry.js";
import { testLog } from "../support/log.js";
import { testDatabase } from "../support/postgres.js";

/** What every contract must hold on. */
export const DATABASES = ["postgres", "pglite"] as const;

/** A migrated, empty database of either kind. */
export async function emptyDatabase(
  kind: (typeof DATABASES)[number],
): Promise<{ database: Database; close(): Promise<void> }> {
  if (kind === "postgres") return testDatabase();
  const database = await openDatabase({
    dataDir: "memory://",
    poolSize: 1,
    timeoutMs: 10_000,
    telemetry: silentTelemetry,
    log: testLog(),
  });
  await migrate(database, testLog());
  return { database, close: () => database.close() };
}

/**
 * Home (1) > Furniture (2) > Chairs (3); Home > Art (4); Garden (5). Brands Alder (1), brio (2),
 * Brio_Two (3), 100% Wool (4).
 */
export async function plantTree(database: Database): Promise<void> {
  await database.query(sql`INSERT INTO categories (id, parent_id, name, slug, path)
    VALUES (1, NULL, 'Home', 'home', '{1}'),
      (2, 1, 'Furniture', 'furniture', '{1,2}'), (3, 2, 'Chairs', 'chairs', '{1,2,3}'),
      (4, 1, 'Art', 'art', '{1,4}'), (5, NULL, 'Garden', 'garden', '{5}')`);
  await database.query(
    sql`INSERT INTO brands (id, name)
      VALUES (1, 'Alder'), (2, 'brio'), (3, 'Brio_Two'), (4, '100% Wool')`,
  );
  for (const table of ["categories", "brands"])
    await database.query(sql`SELECT setval(pg_get_serial_sequence(${table}, 'id'), 100)`);
}

/** A draft; its sku says which product. */
export const draft = (sku: string, changes: Partial<ProductDraft> = {}): ProductDraft => ({
  sku,
  name: "Oak Chair",
  description: "Sturdy.",
  brandId: 1,
  categoryId: 3,
  price: 4_900,
  stock: 20,
  ...changes,
});

/** Writes a product and answers it as it is now. */
export async function put(database: Database, wanted: ProductDraft): Promise<PlacedProduct> {
  const result = await database.transaction((tx: Tx) =>
    createProductTable(database).upsert(tx, wanted),
  );
  if ("missing" in result) throw new Error(`no such ${result.missing}`);
  return result.after;
}
