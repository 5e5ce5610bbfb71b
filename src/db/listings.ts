/**
 * Pages and counts of product lists, many of them in one statement.
 *
 * A page is a walk along one partial index (see listingIndexes in schema.ts) that starts right behind the last row of the page
 * before. Every sort is "key descending, id descending" (cheapest first walks the negated price), so "behind" is one row
 * comparison that the index answers. A category is walked once per descendant, each walk cut at the page's length, and merged.
 * docs/listings.md says what bounds the rows read; test/db/listings.test.ts holds it to that.
 *
 * Listings of the same shape (same sort, same kinds of filter) are rows of one `unnest` and share one plan.
 */
import { type SQL, sql } from "drizzle-orm";
import type { ProductFilter, ProductSort } from "../domain/catalogue.js";
import { BadUserInput } from "../domain/errors.js";
import type { IdPage, PageRequest } from "../domain/page.js";
import { prefixQuery } from "./search.js";
import { bigints, booleans, texts } from "./statements.js";

/** One page of one list. The position's value is the sort's: the id, the price, thousandths of the average rating, or the number of ratings. */
export interface ListingRequest {
  readonly filter: ProductFilter;
  readonly sort: ProductSort;
  readonly page: PageRequest;
}

/** What each sort walks from the highest down, spelt exactly as its indexes are. */
const KEYS: Readonly<Record<ProductSort, string>> = {
  NEWEST: "id",
  PRICE_ASC: "(-price)",
  PRICE_DESC: "price",
  RATING: "rating_milli",
  POPULAR: "rating_count",
};

/** A filter and a position, flat: `undefined` is "not asked for". */
interface Flat {
  readonly order: number;
  readonly category: number | undefined;
  readonly brand: number | undefined;
  readonly least: number | undefined;
  readonly most: number | undefined;
  readonly stocked: boolean | undefined;
  readonly words: string | undefined;
  readonly afterKey: number | undefined;
  readonly afterId: number | undefined;
}

/** Requests that one plan can serve. */
interface Shape {
  readonly sort: ProductSort | null;
  readonly limit: number;
  readonly rows: readonly Flat[];
}

/** A row of {@link pagesStatement}. */
export interface PageRow {
  readonly listing: number;
  readonly id: number;
  readonly key: number;
}

/** One statement that answers the rows of every page and one more of each, in order. */
export function pagesStatement(listings: readonly ListingRequest[]): SQL {
  const shapes = shapesOf(
    listings.map(({ filter, sort, page }, order) => ({
      sort,
      limit: page.limit + 1,
      flat: { ...flatten(filter, order), ...positionOf(sort, page) },
    })),
  );
  return sql`${union(shapes.map(pagesOfShape))} ORDER BY listing, key DESC, id DESC`;
}

/** Deals the rows of {@link pagesStatement} out to the pages asked for. */
export function toPages(listings: readonly ListingRequest[], rows: readonly PageRow[]): IdPage[] {
  const dealt = listings.map((): PageRow[] => []);
  for (const row of rows) dealt[row.listing]?.push(row);
  return listings.map(({ sort, page }, listing) => {
    const found = dealt[listing] ?? [];
    const positions = found.slice(0, page.limit).map(({ id, key }) => ({ value: sort === "PRICE_ASC" ? 0 - key : key, id }));
    return { rows: positions, hasNextPage: found.length > page.limit };
  });
}

/** One statement that counts the rows of every filter: `{ listing, count }`. Cost: the rows counted, from an index where one fits. */
export function countsStatement(filters: readonly ProductFilter[]): SQL {
  return union(shapesOf(filters.map((filter, order) => ({ sort: null, limit: 0, flat: flatten(filter, order) }))).map(countsOfShape));
}

const union = (parts: readonly SQL[]): SQL => sql.join([...parts], sql` UNION ALL `);

function flatten(filter: ProductFilter, order: number): Flat {
  const words = filter.text === undefined ? null : prefixQuery(filter.text);
  return {
    order,
    category: filter.categoryId,
    brand: filter.brandId,
    least: filter.minPrice,
    most: filter.maxPrice,
    stocked: filter.inStock,
    words: words ?? undefined,
    afterKey: undefined,
    afterId: undefined,
  };
}

function positionOf(sort: ProductSort, { after }: PageRequest): Pick<Flat, "afterKey" | "afterId"> {
  if (!after) return { afterKey: undefined, afterId: undefined };
  if (typeof after.value !== "number") throw new BadUserInput("after is not a cursor of this list.", ["after"]);
  return { afterKey: sort === "PRICE_ASC" ? 0 - after.value : after.value, afterId: after.id };
}

/** Groups by sort and by which parts are there. The longest page of a group is cut for all: pages differ in length rarely, and little. */
function shapesOf(requests: readonly { sort: ProductSort | null; limit: number; flat: Flat }[]): Shape[] {
  const shapes = new Map<string, { sort: ProductSort | null; limit: number; rows: Flat[] }>();
  for (const { sort, limit, flat } of requests) {
    const name = [sort, ...Object.values(flat).map((part) => part !== undefined)].join();
    const shape = shapes.get(name) ?? { sort, limit, rows: [] };
    shapes.set(name, { sort, limit: Math.max(limit, shape.limit), rows: [...shape.rows, flat] });
  }
  return [...shapes.values()];
}

/** The requests of a shape as a table `q`, one row each. */
function requestsOf({ rows }: Shape): SQL {
  const numbers = (name: keyof Flat) => bigints(rows.map((row) => (row[name] as number | undefined) ?? null));
  return sql`unnest(${numbers("order")}, ${numbers("category")}, ${numbers("brand")}, ${numbers("least")}, ${numbers("most")},
    ${booleans(rows.map(({ stocked }) => stocked ?? null))}, ${texts(rows.map(({ words }) => words ?? null))}, ${numbers("afterKey")}, ${numbers("afterId")})
    AS q(listing, category, brand, least, most, stocked, words, after_key, after_id)`;
}

function pagesOfShape(shape: Shape): SQL {
  return sql`SELECT q.listing, r.id, r.key FROM ${requestsOf(shape)} CROSS JOIN LATERAL (${walk(shape)}) r`;
}

function walk(shape: Shape): SQL {
  const first = shape.rows[0];
  const order = sql`ORDER BY key DESC, id DESC LIMIT ${shape.limit}`;
  if (first?.words !== undefined) return sql`${matches(shape)} SELECT id, key FROM matches ${order}`;
  const byKey = sql.raw(`ORDER BY ${KEYS[shape.sort ?? "NEWEST"]} DESC, id DESC LIMIT`);
  if (first?.category === undefined) return sql`${rowsOf(shape)} ${byKey} ${shape.limit}`;
  const perCategory = sql`${rowsOf(shape, sql`AND category_id = c.id`)} ${byKey} ${shape.limit}`;
  return sql`SELECT w.id, w.key FROM categories c CROSS JOIN LATERAL (${perCategory}) w WHERE c.path @> ARRAY[q.category] ${order}`;
}

function rowsOf(shape: Shape, place: SQL = sql``): SQL {
  return sql`SELECT id, ${sql.raw(KEYS[shape.sort ?? "NEWEST"])}::bigint AS key FROM products WHERE removed_at IS NULL ${place} ${conditions(shape)}`;
}

/**
 * Text is looked up first and its matches are sorted afterwards, always: how often a prefix occurs is the one thing the planner
 * cannot know, and a walk along the sort order in search of a rare word would read the whole list.
 */
function matches(shape: Shape): SQL {
  return sql`WITH matches AS MATERIALIZED (${rowsOf(shape, sql`AND search @@ to_tsquery('simple', q.words) ${descendants(shape)}`)})`;
}

const descendants = ({ rows }: Shape): SQL =>
  rows[0]?.category === undefined ? sql`` : sql`AND category_id IN (SELECT id FROM categories WHERE path @> ARRAY[q.category])`;

/** Every condition but category and text. Prices bound the walk itself where it runs along prices. */
function conditions({ sort, rows: [first] }: Shape): SQL {
  const parts: SQL[] = [];
  if (first?.brand !== undefined) parts.push(sql`brand_id = q.brand`);
  if (first?.least !== undefined) parts.push(sort === "PRICE_ASC" ? sql`(-price) <= -q.least` : sql`price >= q.least`);
  if (first?.most !== undefined) parts.push(sort === "PRICE_ASC" ? sql`(-price) >= -q.most` : sql`price <= q.most`);
  if (first?.stocked !== undefined) parts.push(sql`(stock > 0) = q.stocked`);
  if (first?.afterId !== undefined) parts.push(behind(sort ?? "NEWEST"));
  return sql.join(
    parts.map((part) => sql`AND ${part}`),
    sql` `,
  );
}

/** Rows behind the position, as one range of the index. Newest first, the key is the id itself. */
const behind = (sort: ProductSort): SQL =>
  sort === "NEWEST" ? sql`id < q.after_id` : sql`(${sql.raw(KEYS[sort])}, id) < (q.after_key, q.after_id)`;

function countsOfShape(shape: Shape): SQL {
  const text = shape.rows[0]?.words === undefined ? sql`` : sql`AND search @@ to_tsquery('simple', q.words)`;
  return sql`SELECT q.listing, (SELECT count(*) FROM products WHERE removed_at IS NULL ${descendants(shape)} ${text} ${conditions(shape)}) AS count
    FROM ${requestsOf(shape)}`;
}
