/** What the audit log keeps, and for how long. */
import { sql } from "drizzle-orm";
import { afterAll, beforeEach, expect, it } from "vitest";
import { createAuditTable } from "../../../src/db/account/audit.js";
import type { AuditEntry, RefusalCount } from "../../../src/domain/account/audit.js";
import { type TestDatabase, testDatabase } from "../../support/postgres.js";

let db: TestDatabase;
beforeEach(async () => {
  db ??= await testDatabase();
  await db.database.query(sql`DELETE FROM audit_log`);
});
afterAll(() => db.close());

const DAY_MS = 86_400_000;
const entry = (values: Partial<AuditEntry> = {}): AuditEntry => ({
  event: "signed_in",
  userId: 7,
  by: { kind: "user", userId: 7 },
  sessionId: "hash",
  origin: { device: "a test", ip: "192.0.2.1", requestId: "r" },
  ...values,
});
const refusal = (userId: number | null, count = 1): RefusalCount => ({
  event: "sign_in_refused",
  userId,
  from: "192.0.2.1",
  count,
});
const age = (days: number) =>
  db.database.query(sql`UPDATE audit_log SET at = at - ${days} * interval '1 day'`);
const rows = () =>
  db.database.query<{ event: string; user_id: number | null; count: number }>(
    sql`SELECT event, user_id, count FROM audit_log ORDER BY id`,
  );

it("The audit log keeps an entry with any User-Agent.", async () => {
  const table = createAuditTable(db.database, { keptMs: DAY_MS });
  const device = `\0 '); DROP TABLE audit_log; -- ${"x".repeat(10_000)}`;
  await table.append(db.database, entry({ origin: { device, ip: "::1", requestId: "r" } }));
  const [row] = await db.database.query<{ device: string }>(sql`SELECT device FROM audit_log`);
  expect(row?.device).toMatch(/^\uFFFD '\); DROP TABLE/);
  expect(row?.device).toHaveLength(200);
});

it("Pruning deletes all entries that are too old, more than one statement deletes included.", async () => {
  const table = createAuditTable(db.database, { keptMs: 3 * DAY_MS });
  await db.database.query(
    sql`INSERT INTO audit_log (event, user_id)
      SELECT 'signed_in', n FROM generate_series(1, 25000) n`,
  );
  await age(4);
  await table.append(db.database, entry());
  await table.prune();
  expect(await rows()).toEqual([{ event: "signed_in", user_id: 7, count: 1 }]);
});

it("Pruning keeps the latest refusals up to a bound, and every other entry.", async () => {
  const table = createAuditTable(db.database, { keptMs: DAY_MS, maxRefusals: 3 });
  await table.append(db.database, entry());
  await table.appendRefusals([1, 2, 3, 4, 5].map((userId) => refusal(userId, 10)));
  await table.append(db.database, entry({ event: "signed_out" }));
  await table.prune();
  await table.prune();
  expect((await rows()).map(({ event, user_id }) => [event, user_id])).toEqual([
    ["signed_in", 7],
    ["sign_in_refused", 3],
    ["sign_in_refused", 4],
    ["sign_in_refused", 5],
    ["signed_out", 7],
  ]);
});
