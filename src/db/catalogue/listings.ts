/**
 * Pages and counts of product lists, many of them in one
 * statement.
 *
 * A page walks one partial index (listingIndexes in
 * schema/catalogue.ts). The walk starts behind the last row
 * of the page before. Every sort is "key descending, id
 * descending"; cheapest first walks the negated price. So
 * "behind" is one row comparison, which the index answers. A
 * category takes one walk per descendant, cut at the page's
 * length. The walks are merged. docs/listings.md gives the
 * bounds of the rows read; test/db/catalogue/listings.test.ts
 * checks them.
 *
 * Listings of one shape (same sort, same kinds of filter) are
 * rows of one `unnest` and share a plan.
 */
import { type SQL, sql } from "drizzle-orm";
import type {
  ListingRequest,
  ProductFilter,
  ProductSort,
} from "../../domain/catalogue/catalogue.js";
import { BadUserInput } from "../../domain/errors.js";
import type { IdPage, PageRequest } from "../../domain/page.js";
import { prefixQuery } from "../client/prefix-query.js";
import { bigints, booleans, texts } from "../client/statements.js";

/**
 * What each sort walks from the highest down, spelt exactly
 * as in its indexes.
 */
const KEYS: Readonly<Record<ProductSort, string>> = {
  NEWEST: "id",
  PRICE_ASC: "(-price)",
  PRICE_DESC: "price",
  RATING: "rating_milli",
  POPULAR: "popularity",
};

/** A filter and a position, flat; `undefined` where not asked for. */
interface Flat {
  readonly order: number;
  readonly category: number | undefined;
  readonly brand: number | undefined;
  readonly minPrice: number | undefined;
  readonly maxPrice: number | undefined;
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

export interface PageRow {
  readonly listing: number;
  readonly id: number;
  readonly key: number;
}

/**
 * One statement for the rows of every page, and one more of
 * each, in order.
 */
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

/** Deals the rows of {@link pagesStatement} out to the pages. */
export function toPages(listings: readonly ListingRequest[], rows: readonly PageRow[]): IdPage[] {
  const dealt = listings.map((): PageRow[] => []);
  for (const row of rows) dealt[row.listing]?.push(row);
  return listings.map(({ sort, page }, listing) => {
    const found = dealt[listing] ?? [];
    const positions = found
      .slice(0, page.limit)
      .map(({ id, key }) => ({ value: sort === "PRICE_ASC" ? 0 - key : key, id }));
    return { rows: positions, hasNextPage: found.length > page.limit };
  });
}

/**
 * One statement that counts the rows of every filter:
 * `{ listing, count }`. Cost: the rows counted, from an index
 * where one fits.
 */
export function countsStatement(filters: readonly ProductFilter[]): SQL {
  return union(
    shapesOf(
      filters.map((filter, order) => ({ sort: null, limit: 0, flat: flatten(filter, order) })),
    ).map(countsOfShape),
  );
}

const union = (parts: readonly SQL[]): SQL => sql.join([...parts], sql` UNION ALL `);

function flatten(filter: ProductFilter, order: number): Flat {
  const words = filter.text === undefined ? null : prefixQuery(filter.text);
  return {
    order,
    category: filter.categoryId,
    brand: filter.brandId,
    minPrice: filter.minPrice,
    maxPrice: filter.maxPrice,
    stocked: filter.inStock,
    words: words ?? undefined,
    afterKey: undefined,
    afterId: undefined,
  };
}

function positionOf(sort: ProductSort, { after }: PageRequest): Pick<Flat, "afterKey" | "afterId"> {
  if (!after) return { afterKey: undefined, afterId: undefined };
  if (typeof after.value !== "number")
    throw new BadUserInput("after is not a cursor of this list.", ["after"]);
  return { afterKey: sort === "PRICE_ASC" ? 0 - after.value : after.value, afterId: after.id };
}

/**
 * Groups by sort and by which parts are present. A range has
 * a plan of its own: unless the planner sees its bounds, it
 * expects few rows and sorts. The longest page of a group is
 * read for all; lengths differ rarely.
 */
function shapesOf(
  requests: readonly { sort: ProductSort | null; limit: number; flat: Flat }[],
): Shape[] {
  const shapes = new Map<string, { sort: ProductSort | null; limit: number; rows: Flat[] }>();
  for (const { sort, limit, flat } of requests) {
    const parts = Object.values(flat).map((part) => part !== undefined);
    const name = [sort, ...parts, hasRange(flat) ? flat.order : ""].join();
    const shape = shapes.get(name) ?? { sort, limit, rows: [] };
    shapes.set(name, { sort, limit: Math.max(limit, shape.limit), rows: [...shape.rows, flat] });
  }
  return [...shapes.values()];
}

const hasRange = ({ minPrice, maxPrice, afterId }: Flat): boolean =>
  minPrice !== undefined || maxPrice !== undefined || afterId !== undefined;

/**
 * The requests of a shape as a table `q`, one row each,
 * without ranges.
 */
function requestsOf({ rows }: Shape): SQL {
  const numbers = (name: "order" | "category" | "brand") =>
    bigints(rows.map((row) => row[name] ?? null));
  const stocked = booleans(rows.map((row) => row.stocked ?? null));
  const words = texts(rows.map((row) => row.words ?? null));
  return sql`
    unnest(${numbers("order")}, ${numbers("category")}, ${numbers("brand")}, ${stocked}, ${words})
      AS q(listing, category, brand, stocked, words)`;
}

function pagesOfShape(shape: Shape): SQL {
  return sql`
    SELECT q.listing, r.id, r.key
    FROM ${requestsOf(shape)}
    CROSS JOIN LATERAL (${walk(shape)}) r`;
}

const LISTED = sql`products WHERE removed_at IS NULL`;

function walk(shape: Shape): SQL {
  const first = shape.rows[0];
  const order = sql`ORDER BY key DESC, id DESC LIMIT ${shape.limit}`;
  if (first?.words !== undefined) {
    const matches = sql`matches WHERE true ${descendants(shape)}`;
    return sql`${MATCHES} ${keyedRows(shape, matches)} ${order}`;
  }
  const byKey = sql.raw(`ORDER BY ${KEYS[shape.sort ?? "NEWEST"]} DESC, id DESC LIMIT`);
  if (first?.category === undefined)
    return sql`${keyedRows(shape, LISTED)} ${byKey} ${shape.limit}`;
  const inCategory = keyedRows(shape, sql`${LISTED} AND category_id = c.id`);
  const perCategory = sql`${inCategory} ${byKey} ${shape.limit}`;
  return sql`
    SELECT w.id, w.key FROM categories c
    CROSS JOIN LATERAL (${perCategory}) w
    WHERE c.path @> ARRAY[q.category]
    ${order}`;
}

function keyedRows(shape: Shape, place: SQL): SQL {
  const key = sql.raw(KEYS[shape.sort ?? "NEWEST"]);
  return sql`SELECT id, ${key}::bigint AS key FROM ${place} ${plainConditions(shape)}`;
}

/**
 * Text is looked up first, alone; its matches are narrowed
 * and sorted afterwards. The planner cannot estimate how
 * often a prefix occurs. A walk along the sort order for a
 * rare word would read the whole list.
 */
const MATCHES = sql`WITH matches AS MATERIALIZED (
  SELECT id, category_id, brand_id, price, stock, rating_milli, popularity FROM products
  WHERE removed_at IS NULL AND search @@ to_tsquery('simple', q.words))`;

const descendants = ({ rows }: Shape): SQL =>
  rows[0]?.category === undefined
    ? sql``
    : sql`AND category_id IN (SELECT id FROM categories WHERE path @> ARRAY[q.category])`;

/** All conditions but category and text. */
function plainConditions({ sort, rows: [first] }: Shape): SQL {
  if (!first) return sql``;
  const alongPrices = sort === "PRICE_ASC" || sort === "PRICE_DESC";
  const parts = alongPrices
    ? priceWalk(first, sort)
    : [...priceRange(first), ...behind(sort ?? "NEWEST", first)];
  if (first.brand !== undefined) parts.push(sql`brand_id = q.brand`);
  if (first.stocked !== undefined) parts.push(sql`(stock > 0) = q.stocked`);
  return sql.join(
    parts.map((part) => sql`AND ${part}`),
    sql` `,
  );
}

function priceRange({ minPrice, maxPrice }: Flat): SQL[] {
  return [
    ...(minPrice === undefined ? [] : [sql`price >= ${minPrice}::bigint`]),
    ...(maxPrice === undefined ? [] : [sql`price <= ${maxPrice}::bigint`]),
  ];
}

/**
 * The part of the price index to walk, highest key first.
 * Position and range both bound it from above, and only the
 * tighter is stated. With both, the planner expects next to
 * no rows.
 */
function priceWalk(flat: Flat, sort: "PRICE_ASC" | "PRICE_DESC"): SQL[] {
  const { minPrice, maxPrice, afterKey } = flat;
  const [lowest, highest] =
    sort === "PRICE_DESC" ? [minPrice, maxPrice] : [negated(maxPrice), negated(minPrice)];
  const key = sql.raw(KEYS[sort]);
  const positionIsTighter =
    afterKey !== undefined && (highest === undefined || afterKey <= highest);
  const above = highest === undefined ? [] : [sql`${key} <= ${highest}::bigint`];
  return [
    ...(lowest === undefined ? [] : [sql`${key} >= ${lowest}::bigint`]),
    ...(positionIsTighter ? behind(sort, flat) : above),
  ];
}

const negated = (amount: number | undefined): number | undefined =>
  amount === undefined ? undefined : 0 - amount;

/**
 * Rows behind the position, as one range of the index. Newest
 * first, the key is the id itself.
 */
function behind(sort: ProductSort, { afterKey, afterId }: Flat): SQL[] {
  if (afterKey === undefined || afterId === undefined) return [];
  return [
    sort === "NEWEST"
      ? sql`id < ${afterId}::bigint`
      : sql`(${sql.raw(KEYS[sort])}, id) < (${afterKey}::bigint, ${afterId}::bigint)`,
  ];
}

function countsOfShape(shape: Shape): SQL {
  const text = shape.rows[0]?.words !== undefined;
  const place = text ? sql`matches WHERE true` : LISTED;
  const rows = sql`FROM ${place} ${descendants(shape)} ${plainConditions(shape)}`;
  return sql`
    SELECT q.listing, (${text ? MATCHES : sql``} SELECT count(*) ${rows}) AS count
    FROM ${requestsOf(shape)}`;
}
