import pg from "pg";
import { expect, test } from "vitest";
import { testDatabase } from "./postgres.js";

test("two test databases are migrated, and neither sees the other's rows", async () => {
  const [one, other] = await Promise.all([testDatabase(), testDatabase()]);
  expect(one.url).not.toBe(other.url);
  const client = new pg.Client({ connectionString: one.url });
  await client.connect();
  await client.query("INSERT INTO brands (name) VALUES ('Acme')");
  await client.end();
  const second = new pg.Client({ connectionString: other.url });
  await second.connect();
  expect((await second.query("SELECT count(*)::int AS brands FROM brands")).rows).toEqual([{ brands: 0 }]);
  await second.end();
  await Promise.all([one.close(), other.close()]);
});
