/**
 * One row of an import: checks its values, and makes a
 * product or a reason.
 */
import type { ImportRow } from "../../db/catalogue/import.js";
import { PRODUCT_LIMITS } from "../../domain/catalogue/catalogue.js";
import type { CurrencyCode } from "../../domain/catalogue/money.js";
import { checkText, typed } from "../../domain/text.js";
import { checkDraft } from "./product-draft.js";

/** Values by column, or why the row is unreadable. */
export type SourceRow =
  | { readonly line: number; readonly values: Readonly<Record<string, unknown>> }
  /** `unreadable`: nothing behind it could be read either. */
  | { readonly line: number; readonly reason: string; readonly unreadable?: boolean };

/**
 * All columns are required. `category` is a path such
 * as `Home & Living > Furniture > Chairs`.
 */
export const IMPORT_COLUMNS = [
  "sku",
  "name",
  "description",
  "category",
  "brand",
  "price",
  "currency",
  "stock",
] as const;

/** Deeper paths are mistakes. A change costs one tag per level. */
export const MAX_CATEGORY_DEPTH = 8;

class BadRow extends Error {}

/** The row, or why it is bad, in one line. */
export function readImportRow(
  line: number,
  values: Readonly<Record<string, unknown>>,
  currency: CurrencyCode,
): ImportRow | string {
  try {
    const { brand, category, ...product } = readValues(values, currency);
    const { draft, errors } = checkDraft({ ...product, brandId: 0, categoryId: 0 });
    if (errors.length > 0)
      return errors.map(({ message }) => message.replace(/\.$/, "")).join("; ");
    const { sku, name, description, price, stock } = draft;
    return { line, sku, name, description, price, stock, brand, category };
  } catch (error) {
    if (error instanceof BadRow) return error.message;
    throw error;
  }
}

function readValues(values: Readonly<Record<string, unknown>>, currency: CurrencyCode) {
  const missing = IMPORT_COLUMNS.filter(
    (column) => hasNoValue(values[column]) && !(column === "description" && values[column] === ""),
  );
  if (missing.length > 0)
    throw new BadRow(`${missing.join(", ")} ${missing.length > 1 ? "are" : "is"} missing`);
  if (typed(text("currency", values.currency)) !== currency)
    throw new BadRow(`currency is ${shown(values.currency)}; this shop sells in ${currency}`);
  return {
    sku: text("sku", values.sku),
    name: text("name", values.name),
    description: text("description", values.description),
    category: categoryPath(text("category", values.category)),
    brand: label("brand", values.brand, PRODUCT_LIMITS.brand),
    price: whole("price", values.price, "minor units, such as cents"),
    stock: whole("stock", values.stock, "pieces"),
  };
}

const hasNoValue = (value: unknown): boolean =>
  value === undefined || value === null || (typeof value === "string" && typed(value) === "");

const MAX_SHOWN = 40;
/** JSON.parse reads a number that is too large as infinite. */
function shown(value: unknown): string {
  if (typeof value === "object") return Array.isArray(value) ? "a list" : "an object";
  return typeof value === "string" ? JSON.stringify(value.slice(0, MAX_SHOWN)) : String(value);
}

function text(column: string, value: unknown): string {
  if (typeof value !== "string") throw new BadRow(`${column} is not a text`);
  return value;
}

/** A name on one line. */
function label(column: string, value: unknown, max: number): string {
  const name = typed(text(column, value));
  if (name === "") throw new BadRow(`${column} is missing`);
  const fault = checkText({ field: column, kind: "line", max }, name);
  if (fault) throw new BadRow(fault.message.replace(/\.$/, ""));
  return name;
}

function categoryPath(path: string): string[] {
  const names = path
    .split(">")
    .map((name) => label("a category name", name, PRODUCT_LIMITS.category));
  if (names.length > MAX_CATEGORY_DEPTH)
    throw new BadRow(
      `category is ${names.length} levels deep; at most ${MAX_CATEGORY_DEPTH} are allowed`,
    );
  return names;
}

/**
 * CSV has only texts, so digits count as a number in both
 * formats. Numbers out of bounds are refused later.
 */
function whole(column: string, value: unknown, unit: string): number {
  const number =
    typeof value === "string" && /^[+-]?\d+$/.test(typed(value)) ? Number(typed(value)) : value;
  if (typeof number !== "number" || !(Number.isInteger(number) || Math.abs(number) === Infinity))
    throw new BadRow(`${column} is ${shown(value)}; it must be a whole number of ${unit}`);
  if (number < 0) throw new BadRow(`${column} is negative (${number})`);
  return number;
}
