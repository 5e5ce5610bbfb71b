/** Statements that insert rows of the seed, many at a time. */
import { sql } from "drizzle-orm";
import { freeSlug } from "../catalogue/slugs.js";
import type { Tx } from "../client/database.js";
import { bigints, texts } from "../client/statements.js";
import { type InterestRow, popularityOf } from "./interest.js";
import type { SeedCategory, SeedProduct, SeedReview } from "./rows.js";

export async function insertCategories(tx: Tx, rows: readonly SeedCategory[]): Promise<void> {
  const taken = new Set<string>();
  const names = new Map(rows.map(({ id, name }) => [id, name]));
  const slugs = rows.map(({ path }) =>
    freeSlug(
      path.map((id) => names.get(id) ?? ""),
      taken,
    ),
  );
  const paths = texts(rows.map(({ path }) => `{${path.join()}}`));
  await tx.query(sql`
    INSERT INTO categories (id, parent_id, name, slug, path)
    SELECT id, parent_id, name, slug, path::bigint[]
    FROM unnest(
      ${bigints(rows.map(({ id }) => id))},
      ${bigints(rows.map(({ parentId }) => parentId))},
      ${texts(rows.map(({ name }) => name))},
      ${texts(slugs)},
      ${paths}
    ) AS t(id, parent_id, name, slug, path)`);
}

interface Additions {
  readonly sums: number[];
  readonly counts: number[];
  readonly interest: readonly InterestRow[];
}

export async function insertProductBatch(
  tx: Tx,
  rows: readonly SeedProduct[],
  { sums, counts, interest }: Additions,
): Promise<void> {
  const numbers = (name: "id" | "brandId" | "categoryId" | "price" | "stock") =>
    bigints(rows.map((row) => row[name]));
  const words = (name: "sku" | "name" | "description") => texts(rows.map((row) => row[name]));
  await tx.query(sql`
    INSERT INTO products (id, sku, name, description, brand_id, category_id, price, stock,
      rating_sum, rating_count, popularity, created_at, updated_at)
    SELECT id, sku, name, description, brand_id, category_id, price, stock,
      rating_sum, rating_count, popularity, created_at::timestamptz, created_at::timestamptz
    FROM unnest(${numbers("id")}, ${words("sku")}, ${words("name")}, ${words("description")},
      ${numbers("brandId")}, ${numbers("categoryId")}, ${numbers("price")}, ${numbers("stock")},
      ${bigints(sums)}, ${bigints(counts)}, ${bigints(interest.map(popularityOf))},
      ${moments(rows)})
      AS t(id, sku, name, description, brand_id, category_id, price, stock,
        rating_sum, rating_count, popularity, created_at)`);
  await insertInterest(tx, interest);
}

async function insertInterest(tx: Tx, rows: readonly InterestRow[]): Promise<void> {
  const numbers = (name: "productId" | "views" | "shares") => bigints(rows.map((row) => row[name]));
  await tx.query(sql`
    INSERT INTO product_tallies (product_id, period, views, shares, viewers, few)
    SELECT product_id, 'all', views, shares, viewers, few::jsonb
    FROM unnest(
      ${numbers("productId")},
      ${numbers("views")},
      ${numbers("shares")},
      ${bigints(rows.map(({ viewers }) => viewers.length))},
      ${texts(rows.map(({ viewers }) => JSON.stringify(viewers)))}
    ) AS t(product_id, views, shares, viewers, few)
    WHERE views > 0`);
}

export async function insertReviewBatch(tx: Tx, rows: readonly SeedReview[]): Promise<void> {
  const numbers = (name: "id" | "productId" | "rating") => bigints(rows.map((row) => row[name]));
  const words = (name: "author" | "body") => texts(rows.map((row) => row[name]));
  await tx.query(sql`
    INSERT INTO reviews (id, product_id, rating, author, body, created_at)
    SELECT id, product_id, rating, author, body, created_at::timestamptz
    FROM unnest(${numbers("id")}, ${numbers("productId")}, ${numbers("rating")},
      ${words("author")}, ${words("body")}, ${moments(rows)})
      AS t(id, product_id, rating, author, body, created_at)`);
}

const moments = (rows: readonly { createdAt: Date }[]) =>
  texts(rows.map(({ createdAt }) => createdAt.toISOString()));
