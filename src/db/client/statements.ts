/**
 * Turns Drizzle `sql` templates into text and parameters, and
 * measures statements.
 */
import { type SQL, sql } from "drizzle-orm";
import { PgDialect } from "drizzle-orm/pg-core";
import type { Telemetry } from "../../domain/telemetry/telemetry.js";
import { asFailure } from "./failures.js";

const dialect = new PgDialect();

/** A statement ready for a driver. */
export interface Statement {
  readonly text: string;
  readonly values: unknown[];
}

/** Compiles a template. */
export function compile(statement: SQL): Statement {
  const { sql: text, params } = dialect.sqlToQuery(statement);
  return { text, values: params };
}

/**
 * Runs one statement through a driver, reports its duration,
 * and maps failures. `commits` where it is in no transaction.
 */
export async function clocked<T>(
  telemetry: Telemetry,
  run: () => Promise<T>,
  commits = false,
): Promise<T> {
  const started = performance.now();
  try {
    const result = await run();
    telemetry.sqlStatement(performance.now() - started, false);
    return result;
  } catch (error) {
    telemetry.sqlStatement(performance.now() - started, true);
    throw asFailure(error, { commits });
  }
}

/**
 * An array as one parameter; a bare array in a template would
 * become a list of parameters.
 */
const array = (values: readonly unknown[], type: string): SQL =>
  sql`${sql.param([...values])}::${sql.raw(type)}[]`;

/** `bigint[]` of integers, null where there is none. */
export const bigints = (values: readonly (number | null)[]): SQL => array(values, "bigint");
/** `float8[]`. */
export const doubles = (values: readonly number[]): SQL => array(values, "float8");
/** `text[]`; see {@link storable} for text from outside. */
export const texts = (values: readonly (string | null)[]): SQL => array(values, "text");
/** `boolean[]`. */
export const booleans = (values: readonly (boolean | null)[]): SQL => array(values, "boolean");

/**
 * Postgres text cannot hold NUL, so no stored text equals one
 * with it. It is looked up as the replacement character
 * instead of failing.
 */
export const storable = (text: string): string => text.replaceAll("\0", "\uFFFD");

/**
 * Columns by name, for SELECT and RETURNING; with `alias`, of
 * that table.
 */
export const columnList = (names: readonly string[], alias?: string): SQL =>
  sql.raw(names.map((name) => (alias ? `${alias}.${name}` : name)).join(", "));

/** Rows by a key, each group in its order. */
export function groupRows<K, T>(rows: readonly T[], keyOf: (row: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const row of rows) {
    const group = groups.get(keyOf(row));
    if (group) group.push(row);
    else groups.set(keyOf(row), [row]);
  }
  return groups;
}
