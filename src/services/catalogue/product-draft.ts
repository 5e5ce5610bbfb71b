/**
 * Bounds of a product: lengths, ranges and characters,
 * for the API and for imports.
 */
import { PRODUCT_LIMITS, type ProductDraft } from "../../domain/catalogue/catalogue.js";
import { MAX_PRICE, MAX_STOCK } from "../../domain/catalogue/money.js";
import { type UserError, userError } from "../../domain/errors.js";
import { checkText, typed } from "../../domain/text.js";

/** A draft with its texts in one spelling, and all errors. */
export interface CheckedDraft {
  readonly draft: ProductDraft;
  readonly errors: readonly UserError[];
}

/** Checks all of a draft at once. Error paths begin with `input`. */
export function checkDraft(input: ProductDraft): CheckedDraft {
  const draft = {
    ...input,
    sku: typed(input.sku),
    name: typed(input.name),
    description: typed(input.description),
  };
  const errors = [
    checkText({ field: "sku", kind: "line", max: PRODUCT_LIMITS.sku }, draft.sku),
    checkText({ field: "name", kind: "line", max: PRODUCT_LIMITS.name }, draft.name),
    checkText(
      { field: "description", kind: "body", max: PRODUCT_LIMITS.description, optional: true },
      draft.description,
    ),
    checkRange("price", draft.price, MAX_PRICE),
    checkRange("stock", draft.stock, MAX_STOCK),
  ];
  return { draft, errors: errors.filter((error) => error !== null) };
}

function checkRange(field: keyof ProductDraft, value: number, max: number): UserError | null {
  if (Number.isInteger(value) && value >= 0 && value <= max) return null;
  const message = `${field} is ${value}; it must be a whole number from 0 to ${max}.`;
  return userError("OUT_OF_RANGE", ["input", field], message);
}
