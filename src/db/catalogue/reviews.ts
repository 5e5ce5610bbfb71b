/**
 * Reviews: read by id, listed per product newest first, and
 * written once per product and customer.
 */
import { sql } from "drizzle-orm";
import type { ReviewDraft, ReviewRecord } from "../../domain/catalogue/catalogue.js";
import type { IdPage, PageRequest } from "../../domain/page.js";
import type { Database, Tx } from "../client/database.js";
import type { Row } from "../client/row.js";
import { bigints, columnList, groupRows } from "../client/statements.js";
import type { reviews } from "../schema/catalogue.js";
import type { RatingChange } from "./product-writes.js";

/**
 * A page of one product's reviews; the position's value is
 * the review's id.
 */
export interface ReviewListing {
  readonly productId: number;
  readonly page: PageRequest;
}

/**
 * A review just written, and what it changes about its
 * product's ratings.
 */
export interface WrittenReview extends RatingChange {
  readonly review: ReviewRecord;
}

export interface ReviewTable {
  /** The reviews with these ids, in any order; missing ones absent. */
  byIds(ids: readonly number[]): Promise<ReviewRecord[]>;
  /**
   * A page for each request, in the order asked. One
   * statement; reads the pages and no more.
   */
  pages(requests: readonly ReviewListing[]): Promise<IdPage[]>;
  /**
   * Number of reviews of each product, in the order asked.
   * One statement.
   */
  counts(productIds: readonly number[]): Promise<number[]>;
  /**
   * Writes a user's review of a product, or replaces it: it
   * keeps its id and date. The product is locked.
   */
  put(tx: Tx, userId: number, draft: ReviewDraft): Promise<WrittenReview>;
}

const REVIEW_COLUMNS = ["id", "product_id", "author", "rating", "body", "created_at"] as const;
const REVIEW = columnList(REVIEW_COLUMNS);

type ReviewRow = Row<typeof reviews, (typeof REVIEW_COLUMNS)[number]>;

export function createReviewTable(database: Database): ReviewTable {
  return {
    async byIds(ids) {
      if (ids.length === 0) return [];
      const rows = await database.query<ReviewRow>(
        sql`SELECT ${REVIEW} FROM reviews WHERE id = ANY(${bigints(ids)})`,
      );
      return rows.map(reviewOf);
    },
    pages: (requests) => pages(database, requests),
    async counts(productIds) {
      if (productIds.length === 0) return [];
      const rows = await database.query<Pick<ReviewRow, "product_id"> & { count: number }>(sql`
        SELECT product_id, count(*) AS count FROM reviews
        WHERE product_id = ANY(${bigints(productIds)})
        GROUP BY product_id`);
      const counts = new Map(rows.map(({ product_id, count }) => [product_id, count]));
      return productIds.map((id) => counts.get(id) ?? 0);
    },
    put,
  };
}

async function put(
  tx: Tx,
  userId: number,
  { productId, rating, body }: ReviewDraft,
): Promise<WrittenReview> {
  const [old] = await tx.query<Pick<ReviewRow, "rating">>(sql`
    SELECT rating FROM reviews
    WHERE product_id = ${productId}::bigint AND user_id = ${userId}::bigint`);
  const [row] = await tx.query<ReviewRow>(sql`
    INSERT INTO reviews (product_id, user_id, author, rating, body)
    SELECT ${productId}::bigint, id, name, ${rating}::smallint, ${body}
    FROM users
    WHERE id = ${userId}::bigint
    ON CONFLICT (product_id, user_id) DO UPDATE
      SET author = excluded.author, rating = excluded.rating, body = excluded.body
    RETURNING ${REVIEW}`);
  if (!row) throw new Error("The user of a session is gone: users must never be deleted.");
  return { review: reviewOf(row), sum: rating - (old?.rating ?? 0), count: old ? 0 : 1 };
}

/**
 * The longest page is read for all, and each is cut to its
 * own length.
 */
async function pages(database: Database, requests: readonly ReviewListing[]): Promise<IdPage[]> {
  if (requests.length === 0) return [];
  const products = bigints(requests.map(({ productId }) => productId));
  const before = bigints(requests.map(({ page }) => page.after?.id ?? Number.MAX_SAFE_INTEGER));
  const rows = await database.query<Pick<ReviewRow, "id"> & { listing: number }>(sql`
    SELECT q.listing, r.id
    FROM unnest(${products}, ${before}) WITH ORDINALITY AS q(product_id, before_id, listing)
    CROSS JOIN LATERAL (
      SELECT id FROM reviews
      WHERE product_id = q.product_id AND id < q.before_id
      ORDER BY id DESC LIMIT ${Math.max(...requests.map(({ page }) => page.limit)) + 1}) r
    ORDER BY q.listing, r.id DESC`);
  const dealt = groupRows(rows, ({ listing }) => listing);
  return requests.map(({ page }, index) => {
    const found = dealt.get(index + 1) ?? [];
    return {
      rows: found.slice(0, page.limit).map(({ id }) => ({ value: id, id })),
      hasNextPage: found.length > page.limit,
    };
  });
}

function reviewOf({ id, product_id, author, rating, body, created_at }: ReviewRow): ReviewRecord {
  return { id, productId: product_id, author, rating, body, createdAt: created_at.toISOString() };
}
