/**
 * Accounts as admins look them up: newest first, all of them
 * or those that a text finds.
 *
 * A text finds words of names and addresses, each by its
 * beginning. Matches are looked up first, from two indexes,
 * and sorted afterwards: a walk along the ids would read
 * every account for a rare word. docs/listings.md gives the
 * bounds of the rows read.
 */
import { type SQL, sql } from "drizzle-orm";
import type { UserRecord } from "../../domain/account/user.js";
import type { PageRequest, RecordPage } from "../../domain/page.js";
import { typedEmail } from "../../domain/text.js";
import { boundedCount } from "../client/bounded-count.js";
import type { Database } from "../client/database.js";
import { prefixQuery } from "../client/prefix-query.js";
import { storable } from "../client/statements.js";
import { NAME_WORDS } from "../schema/account.js";
import { USER, type UserRow, userOf } from "./users.js";

/** A page of accounts: all, or those that `text` finds. */
export interface UserListing {
  readonly text?: string;
  readonly page: PageRequest;
}

export interface UserDirectory {
  /** Positions are ids. One statement. */
  page(listing: UserListing): Promise<RecordPage<UserRecord>>;
  /** Null beyond MAX_COUNTED_ROWS. One statement. */
  count(text?: string): Promise<number | null>;
}

export function createUserDirectory(database: Database): UserDirectory {
  return {
    async page(listing) {
      const { limit } = listing.page;
      const found = await database.query<UserRow>(userPageStatement(listing));
      const rows = found.slice(0, limit);
      return {
        rows: rows.map(({ id }) => ({ value: id, id })),
        hasNextPage: found.length > limit,
        records: new Map(rows.map((row) => [row.id, userOf(row)])),
      };
    },
    count: (text) =>
      boundedCount(
        database,
        text === undefined
          ? sql`SELECT id FROM users`
          : sql`${matchesOf(text)} SELECT id FROM matches`,
      ),
  };
}

/** The rows of a page and one more, in order. */
export function userPageStatement({ text, page: { limit, after } }: UserListing): SQL {
  const behind = sql`id < ${after?.id ?? Number.MAX_SAFE_INTEGER}::bigint
    ORDER BY id DESC LIMIT ${limit + 1}::bigint`;
  if (text === undefined) return sql`SELECT ${USER} FROM users WHERE ${behind}`;
  return sql`
    ${matchesOf(text)}
    SELECT ${USER} FROM users
    WHERE id IN (SELECT id FROM matches WHERE ${behind})
    ORDER BY id DESC`;
}

/**
 * Wildcards are escaped: the pattern is a range of
 * `users_email_prefix`. Addresses are stored in lower case;
 * the full-text configuration folds the words of names.
 */
function matchesOf(text: string): SQL {
  const words = prefixQuery(text) ?? "";
  const prefix = `${typedEmail(storable(text)).replace(/[\\%_]/g, "\\$&")}%`;
  return sql`WITH matches AS MATERIALIZED (
    SELECT id FROM users WHERE ${sql.raw(NAME_WORDS)} @@ to_tsquery('simple', ${words})
    UNION
    SELECT id FROM users WHERE email LIKE ${prefix})`;
}
