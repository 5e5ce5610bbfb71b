/**
 * A guest's cart moves to the account at sign-in,
 * exactly once. It never fails a sign-in.
 *
 * Three steps that can each be repeated. Seal the
 * guest's cart: its writes then go to the account. Add
 * its lines to the account's cart under the name of the
 * merge. Record in the sealed cart that they have
 * arrived. A crash leaves a sealed cart with the state
 * of the move. The next read or write of the guest
 * finishes it. So does one of an account with that
 * guest.
 */
import type { Logger } from "pino";
import type { ProductRecord } from "../../domain/catalogue/catalogue.js";
import { lateError, withDeadline } from "../../domain/time/deadline.js";
import { SECOND } from "../../domain/time/time.js";
import type { CartMove, CartStore } from "../../redis/cart/cart.js";

/**
 * Products as the client may see them, in order of the
 * ids; null for unknown.
 */
export type ReadProducts = (ids: readonly number[]) => Promise<readonly (ProductRecord | null)[]>;

export interface CartMoves {
  /**
   * Moves a guest's cart to an account; true when it is
   * there. Never rejects, and waits a second at most. A
   * failed move is logged, and finished later.
   */
  adopt(guestId: string, userId: number, readProducts: ReadProducts): Promise<boolean>;
  /** Finishes a move. Throws ServiceUnavailable. */
  finish(guestId: string, move: CartMove, readProducts: ReadProducts): Promise<void>;
}

/** The client waits for its sign-in meanwhile. */
const ADOPT_MS = SECOND;

/**
 * A removed product has no stock to clamp to: its line
 * stays, with a warning.
 */
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
    const merging = lines.map((line, index) => ({
      ...line,
      stock: availableStock(products[index]),
    }));
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

const availableStock = (product: ProductRecord | null | undefined): number =>
  product && !product.removed ? product.stock : UNBOUNDED;
