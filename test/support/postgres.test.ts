import pg from "pg";
import { expect, test } from "vitest";
import { blankDatabase, testDatabase } from "./postgres.js";

test("Two test databases are migrated, and neither sees the other's rows.", async () => {
  const [one, other] = await Promise.all([testDatabase(), testDatabase()]);
  expect(one.url).not.toBe(other.url);
  const client = new pg.Client({ connectionString: one.url });
  await client.connect();
  await client.query("INSERT INTO brands (name) VALUES ('Acme')");
  await client.end();
  const second = new pg.Client({ connectionString: other.url });
  await second.connect();
  expect((await second.query("SELECT count(*)::int AS brands FROM brands")).rows).toEqual([
    { brands: 0 },
  ]);
  await second.end();
  await Promise.all([one.close(), other.close()]);
});

test("A blank database holds no table of ours.", async () => {
  const { url, drop } = await blankDatabase();
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  expect((await client.query("SELECT 1 FROM pg_tables WHERE schemaname = 'public'")).rowCount).toBe(
    0,
  );
  await client.end();
  await drop();
});
