/**
 * A guest's cart goes to the account of whoever signs in: exactly once, and a sign-in never fails
 * by it.
 *
 * Three steps that can each be repeated: seal the guest's cart (its writes now find the account),
 * add its lines to the account's cart under the name of the merge, note in the sealed cart that
 * they have arrived. Whoever dies in between leaves a sealed cart that says what is to be done; the
 * next read or write of that guest, or of an account whose client still shows the guest, does it.
 */
import type { Logger } from "pino";
import type { ProductRecord } from "../../domain/catalogue/catalogue.js";
import { lateError, withDeadline } from "../../domain/time/deadline.js";
import { SECOND } from "../../domain/time/time.js";
import type { CartMove, CartStore } from "../../redis/cart/cart.js";

/**
 * Reads products as the client may see them now, in the order of their ids; null was never there.
 */
export type ReadProducts = (ids: readonly number[]) => Promise<readonly (ProductRecord | null)[]>;

/** Moves carts. */
export interface CartMoves {
  /**
   * Moves a guest's cart to an account; true when it is there. Never rejects, and waits no longer
   * than a second: what could not be done is logged, and done later.
   */
  adopt(guestId: string, userId: number, readProducts: ReadProducts): Promise<boolean>;
  /** Does what is left of a move, where it went. Throws ServiceUnavailable. */
  finish(guestId: string, move: CartMove, readProducts: ReadProducts): Promise<void>;
}

/** Somebody waits to be signed in. */
const ADOPT_MS = SECOND;

/** What is removed from the shop has no stock to be clamped to: its line stays, and says so. */
const UNBOUNDED = Number.MAX_SAFE_INTEGER;

export function createCartMoves(
  store: Pick<CartStore, "seal" | "merge" | "moved">,
  log: Logger,
): CartMoves {
  const carryOver = async (
    guestId: string,
    userId: number,
    readProducts: ReadProducts,
  ): Promise<void> => {
    const { move, lines, operations } = await store.seal(guestId, userId);
    if (move.arrived) return;
    const products = await readProducts(lines.map(({ productId }) => productId));
    const merging = lines.map((line, index) => ({ ...line, stock: stockOf(products[index]) }));
    await store.merge(move, merging, operations);
    await store.moved(guestId, move);
  };

  return {
    async adopt(guestId, userId, readProducts) {
      try {
        await withDeadline(
          carryOver(guestId, userId, readProducts),
          ADOPT_MS,
          lateError("no move", ADOPT_MS),
        );
        return true;
      } catch (err) {
        log.warn({ err, userId }, "a guest's cart has not moved to the account yet");
        return false;
      }
    },
    // A second seal answers what the first one did.
    finish: (guestId, { userId }, readProducts) => carryOver(guestId, userId, readProducts),
  };
}

const stockOf = (product: ProductRecord | null | undefined): number =>
  product && !product.removed ? product.stock : UNBOUNDED;
