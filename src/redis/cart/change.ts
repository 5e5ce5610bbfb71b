/**
 * Changes of a cart: one script that checks, writes, remembers
 * its operation and publishes the change.
 */
import { randomUUID } from "node:crypto";
import type { Result } from "ioredis";
import { type Owner, ownerName } from "../../domain/account/guest.js";
import { CART_LIMITS } from "../../domain/cart.js";
import { sha256 } from "../../domain/hash.js";
import { announcementOf, type CartStepDeps } from "./moves.js";
import type { StoredCart } from "./stored.js";

declare module "ioredis" {
  interface RedisCommander<Context> {
    cartChange(
      cart: string,
      operations: string,
      own: string,
      ...args: (string | number)[]
    ): Result<[ChangeOutcome, number, string, number], Context>;
  }
}

/**
 * Price and stock are those of the product as read: the
 * price stays with the line, the stock clamps.
 */
export type CartAction =
  | {
      readonly kind: "add" | "set";
      readonly productId: number;
      readonly quantity: number;
      readonly price: number;
      readonly stock: number;
    }
  | { readonly kind: "clear" };

export interface CartChange {
  readonly action: CartAction;
  /**
   * The caller's name for it, kept for a day; null where only
   * a lost reply matters.
   */
  readonly operationId: string | null;
  readonly expectedVersion: number | null;
}

/**
 * `lines` and `full` are bounds of the cart and of the line;
 * `stock` allows no more.
 */
export type ChangeOutcome =
  | "done"
  | "repeated"
  | "mismatch"
  | "conflict"
  | "moved"
  | "lines"
  | "full"
  | "stock";

export interface ChangeResult extends StoredCart {
  readonly outcome: ChangeOutcome;
  /** Pieces that were asked for and not given. */
  readonly short: number;
  /** The price that the line had before; null for a new one. */
  readonly priceBefore: number | null;
}

/** @param show reads a cart as it is stored */
export function createCartChange(
  { connection, keys, ttlMs, repeatable }: CartStepDeps,
  show: (cart: string) => Promise<StoredCart>,
) {
  return {
    /**
     * Changes a cart, once per operation, and shows it as it
     * then is. One EVALSHA and one HGETALL in one round trip,
     * O(lines).
     */
    change(owner: Owner, change: CartChange): Promise<ChangeResult> {
      const name = ownerName(owner);
      const cart = keys.cart(name);
      const own = keys.cartTry(name, randomUUID());
      const args = [ttlMs, ...announcementOf(keys, name), ...argumentsOf(change)];
      return repeatable("change", async () => {
        const [[outcome, short, before, version], shown] = await Promise.all([
          connection.cartChange(cart, keys.cartOperations(name), own, ...args),
          show(cart),
        ]);
        // A script that the server did not know yet is sent again,
        // behind `show`.
        const stored = shown.cart.version >= version ? shown : await show(cart);
        return { outcome, short, priceBefore: before === "" ? null : Number(before), ...stored };
      });
    },
  };
}

/** The arguments of the script that say what to change. */
function argumentsOf({ action, operationId, expectedVersion }: CartChange): (string | number)[] {
  const {
    productId = 0,
    quantity: pieces = 0,
    price = 0,
    stock = 0,
  } = action.kind === "clear" ? {} : action;
  return [
    operationId === null ? "" : sha256(operationId, "base64url"),
    fingerprintOf(action),
    expectedVersion ?? "",
    action.kind,
    ...[productId, pieces, price, stock, CART_LIMITS.quantity.max, CART_LIMITS.lines],
  ];
}

/**
 * Distinguishes a repetition from another change under the
 * same id.
 */
const fingerprintOf = (action: CartAction): string =>
  action.kind === "clear" ? "clear" : `${action.kind}:${action.productId}:${action.quantity}`;
