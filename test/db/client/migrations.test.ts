/**
 * A database of an earlier version comes to the present schema in one step, on both databases, with
 * what it holds.
 */
import { sql } from "drizzle-orm";
import { expect, onTestFinished, test } from "vitest";
import type { Database } from "../../../src/db/client/database.js";
import { migrate } from "../../../src/db/client/migrate.js";
import { createOutboxTable } from "../../../src/db/outbox.js";
import { CATALOGUE_TAG } from "../../../src/domain/catalogue/tags.js";
import { CATALOGUE_TOPIC } from "../../../src/domain/events/events.js";
import { testLog } from "../../support/log.js";
import { DATABASES } from "../sample.js";
import { MIGRATIONS, migrateTo, openBlank } from "./migrations.fixture.js";

/** The last version without normal text, and without attempts of outbox rows. */
const BEFORE_NORMAL_TEXT = 10;
/** A row that was converted, but for its payload. */
const CHANGE = { kind: "change", keys: [], attempts: 0, closed_at: null };
const EVERYTHING_CHANGED = { topic: CATALOGUE_TOPIC, version: 0 };
const NFD = "Citroën".normalize("NFD");

/** Text in another form, a row that waits to be sent, and a broadcast under way. */
async function plant(database: Database): Promise<void> {
  for (const statement of [
    sql`INSERT INTO brands (id, name) VALUES (1, ${NFD})`,
    sql`INSERT INTO categories (id, name, slug, path) VALUES (1, ${NFD}, 'c', '{1}')`,
    sql`INSERT INTO products (id, sku, name, description, brand_id, category_id, price, stock)
      VALUES (1, 'A', ${NFD}, 'Blue.', 1, 1, 5, 1)`,
    sql`INSERT INTO notification_contents (id, kind, title, body) VALUES (1, 'news', ${NFD}, '')`,
    sql`INSERT INTO notification_broadcasts (content_id, last_user) VALUES (1, 7)`,
    sql`INSERT INTO outbox (tags, events, revocations)
      VALUES ('{product:1}', '[]', '[{"kind": "device"}]')`,
  ])
    await database.query(statement);
}

test.each(DATABASES)(
  "A shop of an earlier version on %s keeps what it holds and what it owes.",
  async (kind) => {
    const { database, close } = await openBlank(kind);
    onTestFinished(close);
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
      await database.query(
        sql`SELECT kind, payload, keys, attempts, closed_at FROM outbox ORDER BY id`,
      ),
    ).toEqual([
      { ...CHANGE, payload: { tags: ["product:1"], events: [] } },
      { ...CHANGE, payload: { tags: [CATALOGUE_TAG], events: [EVERYTHING_CHANGED] } },
      { ...CHANGE, kind: "revocation", payload: { revocations: [{ kind: "device" }] } },
    ]);
    expect(await createOutboxTable(database).hasUnsent(0)).toBe(true);
    const [ran] = await database.query<{ count: number }>(
      sql`SELECT count(*) FROM drizzle.__drizzle_migrations`,
    );
    expect(ran?.count).toBe(MIGRATIONS.length);
  },
);
