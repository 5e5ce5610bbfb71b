/**
 * How much the look-ups of admins read: docs/listings.md promises it, EXPLAIN (ANALYZE) on 100,000
 * accounts and entries of the audit log is the judge.
 */
import { readFile } from "node:fs/promises";
import { type SQL, sql } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { auditPageStatement, createAuditPages } from "../../../src/db/account/audit-pages.js";
import { createUserDirectory, userPageStatement } from "../../../src/db/account/directory.js";
import type { AuditFilter } from "../../../src/domain/account/audit.js";
import type { PageRequest, Position } from "../../../src/domain/page.js";
import { type TestDatabase, testDatabase } from "../../support/postgres.js";
import { planOf, rowsReadBy } from "../plan.js";

const ROWS = 100_000;
const PAGE = 20;
/** One account has most of the log, but none of it is recent. */
const BUSY_USER = 7;

let db: TestDatabase;
beforeAll(async () => {
  db = await testDatabase();
  await db.database.query(sql`
    INSERT INTO users (tag, email, name, role, password_hash)
    SELECT 'tag-' || n, 'u' || n || '_x@test.example', 'First' || n % 500 || ' Last-' || n % 2000,
      'CUSTOMER', ''
    FROM generate_series(1, ${ROWS}::int) n`);
  await db.database.query(sql`
    INSERT INTO audit_log (event, user_id)
    SELECT CASE WHEN n % 5000 = 1 THEN 'password_changed'
        WHEN n <= 60000 THEN 'sign_in_refused' ELSE 'signed_in' END,
      CASE WHEN n <= 60000 THEN ${BUSY_USER}::bigint ELSE n END
    FROM generate_series(1, ${ROWS}::int) n`);
  await db.database.query(sql`VACUUM ANALYZE users, audit_log`);
});
afterAll(() => db?.close());

interface Promised {
  readonly list: string;
  readonly filter: string;
  readonly bound: string;
}

const document = await readFile(new URL("../../../docs/listings.md", import.meta.url), "utf8");
const [, section = ""] = document.split("## Look-ups of admins");
const promises = section
  .split("\n## ")[0]!
  .split("\n")
  .filter((line) => /^\| (users|auditLog) /.test(line))
  .map((line): Promised => {
    const [list = "", filter = "", bound = ""] = line
      .split("|")
      .slice(1)
      .map((cell) => cell.trim());
    return { list, filter, bound };
  });

const TEXTS = ["last-77", "u777", "U777_", "first377 last-18", "nobody at all", "u_7"];
const FILTERS: Readonly<Record<string, readonly AuditFilter[]>> = {
  "(none)": [{}],
  userId: [{ userId: BUSY_USER }, { userId: 99_999 }, { userId: 999_999_999 }],
  event: [{ event: "password_changed" }, { event: "signed_in" }, { event: "global_revocation" }],
  "userId, event": [
    { userId: BUSY_USER, event: "password_changed" },
    { userId: BUSY_USER, event: "signed_in" },
    { userId: 99_999, event: "signed_in" },
  ],
};

/** Rows that a text finds, those found by both ways twice. */
async function matches(text: string): Promise<number> {
  const words = text.split(/[\s-]+/).map((word) => `${word}:*`);
  const [row] = await db.database.query<{ count: number }>(sql`
    SELECT (SELECT count(*) FROM users
        WHERE to_tsvector('simple', replace(name, '-', ' '))
          @@ to_tsquery('simple', ${words.join(" & ")}))
      + (SELECT count(*) FROM users WHERE starts_with(email, ${text.toLowerCase()})) AS count`);
  return row?.count ?? Number.NaN;
}

interface Tried {
  readonly name: string;
  readonly most: number;
  readonly table: string;
  /** The last row of a page that is longer, or null. */
  readonly later: () => Promise<Position | null>;
  readonly statement: (page: PageRequest) => SQL;
}

async function triesOf({ list, filter, bound }: Promised): Promise<Tried[]> {
  if (list === "auditLog")
    return (FILTERS[filter] ?? []).map((one) => ({
      name: JSON.stringify(one),
      most: PAGE + 1,
      table: "audit_log",
      later: async () =>
        (await createAuditPages(db.database).page(one, { limit: 50, after: null })).rows.at(-1) ??
        null,
      statement: (page) => auditPageStatement(one, page),
    }));
  const texts = filter === "text" ? TEXTS : [undefined];
  return Promise.all(
    texts.map(async (text) => {
      const asked = text === undefined ? {} : { text };
      const directory = createUserDirectory(db.database);
      return {
        name: text ?? "all",
        most: PAGE + 1 + (bound === "page" ? 0 : await matches(text ?? "")),
        table: "users",
        later: async () =>
          (await directory.page({ ...asked, page: { limit: 50, after: null } })).rows.at(-1) ??
          null,
        statement: (page: PageRequest) => userPageStatement({ ...asked, page }),
      };
    }),
  );
}

test("The document has a row for every filter of both lists.", () => {
  expect(promises.map(({ list, filter }) => `${list} ${filter}`)).toEqual([
    ...["users (none)", "users text"],
    ...Object.keys(FILTERS).map((filter) => `auditLog ${filter}`),
  ]);
});

describe.each(promises)("$list filtered by $filter", (promised) => {
  test(`A page reads at most ${promised.bound}, and never all rows.`, async () => {
    for (const { name, most, table, later, statement } of await triesOf(promised)) {
      expect([name, most < ROWS / 20]).toEqual([name, true]);
      for (const after of [null, await later()]) {
        const plan = await planOf(db.database, statement({ limit: PAGE, after }));
        expect([name, JSON.stringify(plan).includes("Seq Scan")]).toEqual([name, false]);
        expect(rowsReadBy(plan, table), name).toBeLessThanOrEqual(most);
      }
    }
  });
});

test("A list is counted up to 10,000, and no further.", async () => {
  const [users, log] = [createUserDirectory(db.database), createAuditPages(db.database)];
  expect(await users.count()).toBeNull();
  expect(await users.count("first")).toBeNull();
  expect(await users.count("last-77")).toBe(550);
  expect(await log.count({})).toBeNull();
  expect(await log.count({ event: "password_changed" })).toBe(20);
});
