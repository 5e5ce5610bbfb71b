/** Carts as they are kept: what the hash of a cart holds. */
import type { CartLineRecord, CartRecord } from "../../domain/cart.js";

/**
 * Where a guest's cart went at a sign-in. Its lines stay in
 * the sealed cart until they have arrived.
 */
export interface CartMove {
  readonly userId: number;
  readonly mergeId: string;
  readonly arrived: boolean;
}

export interface StoredCart {
  readonly cart: CartRecord;
  /** Null but for a guest's cart that went to an account. */
  readonly move: CartMove | null;
}

/** A flat reply as pairs. */
export const pairs = (fields: readonly string[]): [string, string][] =>
  fields.flatMap((name, index) =>
    index % 2 === 0 ? [[name, fields[index + 1] ?? ""] as [string, string]] : [],
  );

export function toStored(fields: readonly (readonly [string, string])[]): StoredCart {
  const lines: (CartLineRecord & { readonly order: number })[] = [];
  let about = "";
  for (const [name, value] of fields) {
    const [quantity, unitPrice, order] = value.split(":");
    if (name === "cart") about = value;
    else
      lines.push({
        productId: Number(name),
        quantity: Number(quantity),
        unitPrice: Number(unitPrice),
        order: Number(order),
      });
  }
  lines.sort((a, b) => a.order - b.order || a.productId - b.productId);
  const [version, expires, userId, mergeId = "", until] = about.split("|");
  return {
    cart: {
      version: Number(version),
      expiresMs: Number(expires ?? 0),
      lines: lines.map(({ productId, quantity, unitPrice }) => ({
        productId,
        quantity,
        unitPrice,
      })),
    },
    move: userId === undefined ? null : { userId: Number(userId), mergeId, arrived: until !== "" },
  };
}
