/**
 * What a cart amounts to now: its lines with the products as they are, and what has changed since
 * they were put in.
 */
import type { CartLineRecord, CartWarning } from "../../domain/cart.js";
import type { ProductRecord } from "../../domain/catalogue/catalogue.js";

/** A line with its product as it is now. */
export interface CartLineView extends CartLineRecord {
  readonly product: ProductRecord;
  /** What its pieces cost now. */
  readonly total: number;
  readonly priceChanged: boolean;
  /** Whether it could be bought as it stands: still sold, and enough in stock. */
  readonly available: boolean;
}

/**
 * Joins lines with their products. One whose product was never there, which only a restored
 * database can bring about, is left out.
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

/** What a customer would pay now for what can be had. */
export function subtotalOf(lines: readonly CartLineView[]): number {
  return lines.reduce((sum, { total, available }) => (available ? sum + total : sum), 0);
}

/** What has changed since the lines were put in. */
export function changesSince(lines: readonly CartLineView[]): CartWarning[] {
  return lines.flatMap(({ productId, product, priceChanged: changed }) => {
    if (product.removed)
      return [
        { code: "PRODUCT_GONE" as const, message: `${product.name} is no longer sold.`, productId },
      ];
    return changed ? [priceChanged(productId)] : [];
  });
}

/** The price of a line is another than when it was put in. */
export function priceChanged(productId: number): CartWarning {
  return {
    code: "PRICE_CHANGED",
    message: "The price has changed since this product was put into the cart.",
    productId,
  };
}
