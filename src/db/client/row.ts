/**
 * Types of rows, inferred from the Drizzle tables by their
 * names in SQL (decision 0198). test/db/client/row.test.ts
 * compares them with both drivers.
 */
import type { Column, InferModelFromColumns, Table } from "drizzle-orm";

/** Drizzle maps these; the drivers differ. Select them as text. */
type MappedByDrizzle = "PgDateString" | "PgCustomColumn";

type Plain<C extends Record<string, Column>> = {
  [K in keyof C as C[K]["_"]["columnType"] extends MappedByDrizzle ? never : K]: C[K];
};

type AnsweredColumns<T extends Table> = InferModelFromColumns<
  Plain<T["_"]["columns"]>,
  "select",
  { dbColumnNames: true }
>;

/** Names of columns that a {@link Row} can have. */
type ColumnName<T extends Table> = keyof AnsweredColumns<T> & string;

/** Columns of a table as a statement answers them. */
export type Row<T extends Table, Name extends ColumnName<T> = ColumnName<T>> = Readonly<
  Pick<AnsweredColumns<T>, Name>
>;

/** A row of the outer side of a join, which may have found nothing. */
export type Nullable<R extends object> = { [K in keyof R]: R[K] | null };
