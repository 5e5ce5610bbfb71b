/**
 * The migration to text in one form, on both databases: what becomes equal is joined, and what
 * cannot be is named.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { sql } from "drizzle-orm";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createCategoryTable } from "../../../src/db/catalogue/categories.js";
import { createProductTable } from "../../../src/db/catalogue/products.js";
import type { Database } from "../../../src/db/client/database.js";
import { findDecomposed } from "../../../src/db/client/decomposed-text.js";
import { CATALOGUE_TAG } from "../../../src/domain/catalogue/tags.js";
import { CATALOGUE_TOPIC } from "../../../src/domain/events/events.js";
import { DATABASES } from "../sample.js";
import { migrateTo, openBlank } from "./migrations.fixture.js";

const MIGRATIONS = join(import.meta.dirname, "../../../src/db/migrations");
const file = readdirSync(MIGRATIONS).find((name) => name.endsWith("_normal_text.sql")) ?? "";
const MIGRATION = readFileSync(join(MIGRATIONS, file), "utf8");
/** The last version whose outbox has a column for tags, as the migration expects. */
const BEFORE_OUTBOX_KINDS = 14;
const NFD = (text: string) => text.normalize("NFD");

describe.each(DATABASES)("text in one form on %s", (kind) => {
  let database: Database;
  let close: () => Promise<void>;
  beforeAll(async () => {
    ({ database, close } = await openBlank(kind));
    await migrateTo(database, BEFORE_OUTBOX_KINDS);
  });
  beforeEach(() =>
    database.query(
      sql`TRUNCATE brands, categories, products, reviews, users, notification_contents,
        leaderboards, outbox CASCADE`,
    ),
  );
  afterAll(() => close?.());

  const run = () => database.transaction((tx) => tx.query(sql.raw(MIGRATION)));
  const rows = <Row extends object>(statement: ReturnType<typeof sql>) =>
    database.query<Row>(statement);

  /**
   * A tree in two forms: Thé (1) > Café (2) > Crème (3), and the same decomposed (11, 12, 13) with
   * Éclair (14) below 12.
   */
  async function plant(): Promise<void> {
    const category = (id: number, parent: number | null, name: string, path: string) =>
      database.query(
        sql`INSERT INTO categories (id, parent_id, name, slug, path)
          VALUES (${id}, ${parent}, ${name}, ${`c-${id}`}, ${path}::bigint[])`,
      );
    await category(1, null, "Thé", "{1}");
    await category(2, 1, "Café", "{1,2}");
    await category(3, 2, "Crème", "{1,2,3}");
    await category(11, null, NFD("Thé"), "{11}");
    await category(12, 11, NFD("Café"), "{11,12}");
    await category(13, 12, "Crème", "{11,12,13}");
    await category(14, 12, NFD("Éclair"), "{11,12,14}");
    await database.query(
      sql`INSERT INTO brands (id, name)
        VALUES (1, ${NFD("Citroën")}), (2, 'Citroën'), (3, ${NFD("Nestlé")}), (4, 'Alder')`,
    );
  }
  const product = (id: number, sku: string, brandId: number, categoryId: number, name = "Chair") =>
    database.query(
      sql`INSERT INTO products (id, sku, name, description, brand_id, category_id, price, stock)
        VALUES (${id}, ${sku}, ${name}, ${name}, ${brandId}, ${categoryId}, 5, 1)`,
    );

  test("Equal brands and categories merge into the older id, with their products.", async () => {
    await plant();
    await product(1, "A", 1, 3);
    await product(2, "B", 2, 13);
    await product(3, "C", 3, 14);
    await run();
    expect(await rows(sql`SELECT id, name FROM brands ORDER BY id`)).toEqual([
      { id: 1, name: "Citroën" },
      { id: 3, name: "Nestlé" },
      { id: 4, name: "Alder" },
    ]);
    expect(await rows(sql`SELECT id, parent_id, name, path FROM categories ORDER BY id`)).toEqual([
      { id: 1, parent_id: null, name: "Thé", path: [1] },
      { id: 2, parent_id: 1, name: "Café", path: [1, 2] },
      { id: 3, parent_id: 2, name: "Crème", path: [1, 2, 3] },
      { id: 14, parent_id: 2, name: "Éclair", path: [1, 2, 14] },
    ]);
    expect(await createCategoryTable(database).allIds()).toHaveLength(4);
    expect(
      await rows(sql`SELECT id, brand_id, category_id, version FROM products ORDER BY id`),
    ).toEqual([
      { id: 1, brand_id: 1, category_id: 3, version: 1 },
      { id: 2, brand_id: 1, category_id: 3, version: 3 },
      { id: 3, brand_id: 3, category_id: 14, version: 1 },
    ]);
    await expect(
      rows(sql`INSERT INTO categories (id, name, slug, path) VALUES (50, 'Thé', 'x', '{50}')`),
    ).rejects.toThrow(/categories_parent_name/);
    expect(await findDecomposed(database)).toEqual([]);
  });

  test("Names are found by words of questions afterwards, and caches read them anew.", async () => {
    await plant();
    await product(1, NFD("É-1"), 4, 3, NFD("Crème brûlée"));
    const filter = { text: "brûlée" };
    const products = createProductTable(database);
    expect(await products.counts([filter, { text: "É" }])).toEqual([0, 0]);
    await run();
    expect(await products.counts([filter, { text: "É" }])).toEqual([1, 1]);
    const owed = await rows(sql`SELECT tags, events FROM outbox ORDER BY id`);
    expect(owed).toEqual([
      { tags: [CATALOGUE_TAG], events: [{ topic: CATALOGUE_TOPIC, version: 0 }] },
    ]);
  });

  test("Accounts and products that would become equal stay, and are named.", async () => {
    await plant();
    const account = (id: number, email: string) =>
      database.query(
        sql`INSERT INTO users (id, tag, email, name, role, password_hash)
          VALUES (${id}, ${`t${id}`}, ${email}, ${NFD("René")}, 'CUSTOMER', 'x')`,
      );
    await account(1, NFD("rené@shop.example"));
    await account(2, "rené@shop.example");
    await account(3, NFD("zoë@shop.example"));
    await product(1, NFD("É-1"), 4, 3);
    await product(2, "É-1", 4, 3);
    await product(3, NFD("Ö-1"), 4, 3);
    await run();
    expect(await rows(sql`SELECT id, email, name FROM users ORDER BY id`)).toEqual([
      { id: 1, email: NFD("rené@shop.example"), name: "René" },
      { id: 2, email: "rené@shop.example", name: "René" },
      { id: 3, email: "zoë@shop.example", name: "René" },
    ]);
    expect(
      (await rows<{ sku: string }>(sql`SELECT sku FROM products ORDER BY id`)).map(
        ({ sku }) => sku,
      ),
    ).toEqual([NFD("É-1"), "É-1", "Ö-1"]);
    expect(await findDecomposed(database)).toEqual([
      { place: "products.sku", id: 1 },
      { place: "users.email", id: 1 },
    ]);
  });

  test("Text that would outgrow its column in one form stays, and is named.", async () => {
    await plant();
    // U+0958 is an excluded composition: NFC makes two characters of it.
    await product(1, "A", 4, 3, "\u0958".repeat(150));
    await run();
    expect(
      await rows(
        sql`SELECT char_length(name) AS name, char_length(description) AS description
          FROM products`,
      ),
    ).toEqual([{ name: 150, description: 300 }]);
    expect(await findDecomposed(database)).toEqual([{ place: "products.name", id: 1 }]);
  });

  test("A shop whose text is in one form already is left alone.", async () => {
    await database.query(
      sql`INSERT INTO categories (id, name, slug, path) VALUES (1, 'Thé', 'the', '{1}')`,
    );
    await database.query(sql`INSERT INTO brands (id, name) VALUES (1, 'Citroën')`);
    await product(1, "É-1", 1, 1, "Crème");
    await run();
    expect(await rows(sql`SELECT version FROM products`)).toEqual([{ version: 1 }]);
    expect(await rows(sql`SELECT id FROM outbox`)).toEqual([]);
  });

  test("Reviews, notifications and titles of boards are in one form, too.", async () => {
    await plant();
    await product(1, "A", 4, 3);
    await database.query(
      sql`INSERT INTO reviews (product_id, author, rating, body)
        VALUES (1, ${NFD("Zoë")}, 5, ${NFD("Très bon")})`,
    );
    await database.query(
      sql`INSERT INTO notification_contents (kind, title, body)
        VALUES ('x', ${NFD("Été")}, ${NFD("Soldés")})`,
    );
    await database.query(sql`INSERT INTO leaderboards
        (slug, title, operator, sort_order, tie_rule, periods, time_zone, source)
      VALUES ('ete', ${NFD("Été")}, 'BEST', 'DESC', 'DENSE', '{DAY}', 'UTC', 'CLIENTS')`);
    await run();
    expect(
      await rows(
        sql`SELECT r.author, r.body, n.title, n.body AS text, l.title AS board
          FROM reviews r, notification_contents n, leaderboards l`,
      ),
    ).toEqual([{ author: "Zoë", body: "Très bon", title: "Été", text: "Soldés", board: "Été" }]);
    expect(await findDecomposed(database)).toEqual([]);
  });
});
