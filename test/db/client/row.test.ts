/** Types of rows are inferred from Drizzle; both drivers must answer what they say. */
import { type Column, is, sql } from "drizzle-orm";
import { getTableConfig, PgTable } from "drizzle-orm/pg-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Database } from "../../../src/db/client/database.js";
import * as account from "../../../src/db/schema/account.js";
import * as catalogue from "../../../src/db/schema/catalogue.js";
import * as counters from "../../../src/db/schema/counters.js";
import * as leaderboard from "../../../src/db/schema/leaderboard.js";
import * as notification from "../../../src/db/schema/notification.js";
import * as outbox from "../../../src/db/schema/outbox.js";
import * as worker from "../../../src/db/schema/worker.js";
import { DATABASES, emptyDatabase } from "../sample.js";

const MODULES = [account, catalogue, counters, leaderboard, notification, outbox, worker];
const TABLES = MODULES.flatMap((module) =>
  Object.values(module).filter((value): value is PgTable => is(value, PgTable)),
);
/** What row.ts leaves out. */
const MAPPED = ["PgDateString", "PgCustomColumn"];

/** A text that the type takes, and what a row then holds. */
const SAMPLES: Readonly<Record<string, readonly [string, unknown]>> = {
  bigint: ["9007199254740991", Number.MAX_SAFE_INTEGER],
  "bigint[]": ["{1,9007199254740991}", [1, Number.MAX_SAFE_INTEGER]],
  integer: ["-7", -7],
  smallint: ["5", 5],
  "double precision": ["0.1", 0.1],
  boolean: ["true", true],
  text: ["1", "1"],
  "text[]": ['{a,"b,c"}', ["a", "b,c"]],
  jsonb: ['{"a":[1,"2",null]}', { a: [1, "2", null] }],
  "timestamp (3) with time zone": ["2026-11-03T04:05:06.789Z", new Date(1793678706789)],
  "timestamp with time zone": ["2026-11-03T04:05:06.789Z", new Date(1793678706789)],
};
/** What Drizzle's types say of the sample. */
const TYPES: Readonly<Record<string, (value: unknown) => boolean>> = {
  number: (value) => typeof value === "number",
  string: (value) => typeof value === "string",
  boolean: (value) => typeof value === "boolean",
  date: (value) => value instanceof Date,
  array: (value) => Array.isArray(value),
  json: (value) => typeof value === "object",
};

const sampleOf = (column: Column): readonly [string, unknown] => {
  const sample = SAMPLES[column.getSQLType()];
  if (!sample) throw new Error(`add a sample of ${column.getSQLType()}`);
  return sample;
};

describe.each(DATABASES)("rows on %s", (kind) => {
  let database: Database;
  let close: () => Promise<void>;

  beforeAll(async () => {
    ({ database, close } = await emptyDatabase(kind));
  });
  afterAll(() => close?.());

  test.each(TABLES.map((table) => [getTableConfig(table).name, table] as const))(
    "The columns of %s are answered as their types say.",
    async (_, table) => {
      const columns = getTableConfig(table).columns.filter(
        ({ columnType }) => !MAPPED.includes(columnType),
      );
      const values = columns.map(
        (column) =>
          sql`${sampleOf(column)[0]}::text::${sql.raw(column.getSQLType())}
          AS ${sql.identifier(column.name)}`,
      );
      const [row] = await database.query<Record<string, unknown>>(
        sql`SELECT ${sql.join(values, sql`, `)}`,
      );
      for (const column of columns) {
        const value = row?.[column.name];
        expect(value, column.name).toEqual(sampleOf(column)[1]);
        expect(TYPES[column.dataType]?.(value), column.name).toBe(true);
      }
      // The database itself has these columns, of these types.
      const types = columns.map(({ name }) => sql`pg_typeof(t.${sql.identifier(name)})::text`);
      const [stored] = await database.query<{ types: string[] }>(sql`
      SELECT ARRAY[${sql.join(types, sql`, `)}] AS types
      FROM (SELECT 1) one LEFT JOIN ${table} t ON false`);
      expect(stored?.types).toEqual(
        columns.map((column) => column.getSQLType().replace(" (3)", "")),
      );
    },
  );
});
