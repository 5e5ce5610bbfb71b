/** What admins find, on PostgreSQL and on PGlite alike. */
import { sql } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type AuditPages, createAuditPages } from "../../../src/db/account/audit-pages.js";
import { createUserDirectory, type UserDirectory } from "../../../src/db/account/directory.js";
import type { Database } from "../../../src/db/client/database.js";
import type { AuditFilter } from "../../../src/domain/account/audit.js";
import type { Position } from "../../../src/domain/page.js";
import { DATABASES, emptyDatabase } from "../sample.js";

describe.each(DATABASES)("look-ups on %s", (kind) => {
  let database: Database;
  let close: () => Promise<void>;
  let directory: UserDirectory;
  let pages: AuditPages;
  beforeAll(async () => {
    ({ database, close } = await emptyDatabase(kind));
    directory = createUserDirectory(database);
    pages = createAuditPages(database);
    await database.query(sql`
      INSERT INTO users (id, tag, email, name, role, password_hash) VALUES
        (1, 'a', 'ångström@a.example', 'Zoë Ångström-Lind', 'CUSTOMER', ''),
        (2, 'b', 'a_b%c\\d@a.example', 'Lind', 'ADMIN', ''),
        (3, 'c', 'axbyc@a.example', '日本 太郎', 'CUSTOMER', ''),
        (4, 'd', 'lind@a.example', 'Lindgren', 'CUSTOMER', '')`);
    await database.query(sql`
      INSERT INTO audit_log (id, event, user_id, by_service)
      SELECT n, CASE WHEN n % 2 = 0 THEN 'signed_in' ELSE 'signed_out' END,
        CASE WHEN n % 5 = 0 THEN NULL ELSE n % 3 END, false
      FROM generate_series(1, 60) n`);
  });
  afterAll(() => close?.());

  const found = async (text: string) =>
    (await directory.page({ text, page: { limit: 10, after: null } })).rows.map(({ id }) => id);

  test.each([
    ["lind", [4, 2, 1]],
    ["LIND", [4, 2, 1]],
    ["ång zoë", [1]],
    ["ÅNGSTRÖM@A", [1]],
    ["a_b", [2]],
    ["A_B%C\\D@", [2]],
    ["a", [3, 2]],
    ["日本", [3]],
    ["太", [3]],
    ["%", []],
    ["\\", []],
    ["\0", []],
    ["ind", []],
    ["a.example", []],
  ])("The text %j finds the accounts %j, each once.", async (text, ids) => {
    expect(await found(text)).toEqual(ids);
    expect(await directory.count(text)).toBe(ids.length);
  });

  test("A record has what an admin sees of an account.", async () => {
    const { records } = await directory.page({ page: { limit: 1, after: { value: 3, id: 3 } } });
    expect([...records]).toMatchObject([
      [2, { email: "a_b%c\\d@a.example", name: "Lind", role: "ADMIN", tag: "b" }],
    ]);
  });

  const FILTERS: readonly AuditFilter[] = [
    {},
    { userId: 1 },
    { event: "signed_in" },
    { userId: 2, event: "signed_out" },
    { userId: 9 },
    { event: "password_changed" },
  ];
  test.each(FILTERS)(
    "Pages of the log hold each entry of %j once, latest first.",
    async (filter) => {
      const walked: number[] = [];
      for (let after: Position | null = null, more = true; more; ) {
        const page = await pages.page(filter, { limit: 7, after });
        for (const record of page.records.values()) expect(record).toMatchObject(filter);
        walked.push(...page.rows.map(({ id }) => id));
        [after, more] = [page.rows.at(-1) ?? null, page.hasNextPage];
      }
      const { userId = null, event = null } = filter;
      const expected = await database.query<{ id: number }>(sql`
      SELECT id FROM audit_log
      WHERE (${userId}::bigint IS NULL OR user_id = ${userId}::bigint)
        AND (${event}::text IS NULL OR event = ${event}::text)
      ORDER BY id DESC`);
      expect(walked).toEqual(expected.map(({ id }) => Number(id)));
      expect(await pages.count(filter)).toBe(expected.length);
    },
  );
});
