/** What a product may look like: lengths, ranges and characters, checked in one place for whoever sets one. */
import { PRODUCT_LIMITS, type ProductDraft } from "../domain/catalogue.js";
import type { UserError, UserErrorCode } from "../domain/errors.js";
import { MAX_PRICE, MAX_STOCK } from "../domain/money.js";

/** A draft with surrounding white space removed, and everything that is wrong with it. */
export interface CheckedDraft {
  readonly draft: ProductDraft;
  readonly errors: readonly UserError[];
}

/** Checks all of a draft at once. Error paths begin with `input`. */
export function checkDraft(input: ProductDraft): CheckedDraft {
  const draft = { ...input, sku: input.sku.trim(), name: input.name.trim(), description: input.description.trim() };
  const errors = [
    checkText("sku", draft.sku, 1, PRODUCT_LIMITS.sku),
    checkText("name", draft.name, 1, PRODUCT_LIMITS.name),
    checkText("description", draft.description, 0, PRODUCT_LIMITS.description),
    checkRange("price", draft.price, MAX_PRICE),
    checkRange("stock", draft.stock, MAX_STOCK),
  ];
  return { draft, errors: errors.filter((error) => error !== null) };
}

function checkText(field: keyof ProductDraft, text: string, least: number, most: number): UserError | null {
  // Counted as Postgres counts: a character outside the basic plane is one.
  const length = [...text].length;
  if (length < least) return wrong("REQUIRED", field, "must not be empty");
  if (length > most) return wrong("TOO_LONG", field, `has ${length} characters; at most ${most} are allowed`);
  return text.includes("\0") || !isWellFormed(text)
    ? wrong("INVALID", field, "holds characters that are not valid text (NUL, or half of a surrogate pair)")
    : null;
}

function checkRange(field: keyof ProductDraft, value: number, most: number): UserError | null {
  if (Number.isInteger(value) && value >= 0 && value <= most) return null;
  return wrong("OUT_OF_RANGE", field, `is ${value}; it must be a whole number from 0 to ${most}`);
}

const isWellFormed = (text: string): boolean => !/\p{Surrogate}/u.test(text);
const wrong = (code: UserErrorCode, field: string, what: string): UserError => ({
  code,
  message: `${field} ${what}.`,
  field: ["input", field],
});
