/**
 * A cart with its products as they are now, and what
 * has changed since.
 */
import type { CartLineRecord, CartWarning } from "../../domain/cart.js";
import type { ProductRecord } from "../../domain/catalogue/catalogue.js";

export interface CartLineView extends CartLineRecord {
  readonly product: ProductRecord;
  /** What its pieces cost now. */
  readonly total: number;
  readonly priceChanged: boolean;
  /** Whether it is still sold, with enough in stock. */
  readonly available: boolean;
}

/**
 * Joins lines with their products. A line whose product is
 * missing, after a restore of the database, is left out.
 */
export function viewLines(
  lines: readonly CartLineRecord[],
  products: readonly (ProductRecord | null)[],
): CartLineView[] {
  return lines.flatMap((line, index) => {
    const product = products[index];
    if (!product) return [];
    const total = product.price * line.quantity;
    const available = !product.removed && product.stock >= line.quantity;
    return [{ ...line, product, total, priceChanged: product.price !== line.unitPrice, available }];
  });
}

/** The price of all available lines now. */
export function subtotalOf(lines: readonly CartLineView[]): number {
  return lines.reduce((sum, { total, available }) => (available ? sum + total : sum), 0);
}

/** What has changed since the lines were added. */
export function changesSince(lines: readonly CartLineView[]): CartWarning[] {
  return lines.flatMap(({ productId, product, priceChanged: changed }) => {
    if (product.removed)
      return [
        { code: "PRODUCT_GONE" as const, message: `${product.name} is no longer sold.`, productId },
      ];
    return changed ? [priceChanged(productId)] : [];
  });
}

export function priceChanged(productId: number): CartWarning {
  return {
    code: "PRICE_CHANGED",
    message: "The price has changed since this product was put into the cart.",
    productId,
  };
}
