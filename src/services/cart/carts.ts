/**
 * Carts: authorisation, bounds, and warnings where a cart
 * differs from the request. A cart belongs to the caller's
 * account, or to the calling guest. No input names a cart.
 */

import type { Owner } from "../../domain/account/guest.js";
import { CART_LIMITS, type CartRecord, type CartWarning } from "../../domain/cart.js";
import type { ProductRecord } from "../../domain/catalogue/catalogue.js";
import { type UserError, userError } from "../../domain/errors.js";
import type {
  CartAction,
  CartChange,
  CartMove,
  CartStore,
  ChangeOutcome,
  ChangeResult,
  StoredCart,
} from "../../redis/cart/cart.js";
import { checkOperationId } from "../operation-id.js";
import type { CartMoves, ReadProducts } from "./move.js";
import { priceChanged } from "./view.js";

export interface Shopper {
  /**
   * Owner for reads; null without one. Throws
   * RedisUnavailable when it is unknown.
   */
  owner(): Owner | null;
  /** Owner for writes; a caller without one becomes a guest. */
  writingOwner(): Owner;
  /** The guest of the client, also where it is signed in. */
  readonly guest: string | null;
  /** For a guest whose cart is the account's now. */
  forgetGuest(): void;
  readonly readProducts: ReadProducts;
  /** A read that began before the caller was confirmed. */
  readonly cartAhead: CartAhead | null;
}

/** A read of a user's cart. */
export interface CartAhead {
  readonly userId: number;
  readonly stored: Promise<StoredCart>;
}

export interface CartOutcome {
  /** The present cart; null when the input was refused. */
  readonly cart: { readonly owner: Owner; readonly record: CartRecord } | null;
  readonly errors: readonly UserError[];
  /**
   * Changes by the operation. Earlier changes of other
   * lines are shown with the cart.
   */
  readonly warnings: readonly CartWarning[];
}

export interface CartLineInput {
  readonly productId: number;
  readonly quantity: number;
}

/**
 * Methods throw ServiceUnavailable without Redis, or
 * without Postgres where products are not cached.
 */
export interface Carts {
  /**
   * The caller's cart; an empty one without an owner for
   * a caller without one.
   */
  read(shopper: Shopper): Promise<{ readonly owner: Owner | null; readonly record: CartRecord }>;
  /** Begins to read a user's cart. Never throws. */
  readAhead(userId: number): CartAhead;
  /**
   * Moves the guest's cart to the account that signed
   * in. Never rejects.
   */
  adopt(shopper: Shopper, userId: number): Promise<void>;
  /** Adds pieces, once per operation. */
  add(
    shopper: Shopper,
    input: CartLineInput & { readonly operationId: string | null },
  ): Promise<CartOutcome>;
  /** Sets a line; 0 removes it. */
  set(
    shopper: Shopper,
    input: CartLineInput & { readonly expectedVersion: number | null },
  ): Promise<CartOutcome>;
  clear(shopper: Shopper, expectedVersion: number | null): Promise<CartOutcome>;
}

export interface CartsDeps {
  readonly store: Pick<CartStore, "read" | "change" | "expiryOfNew">;
  readonly moves: CartMoves;
}

export function createCarts(deps: CartsDeps): Carts {
  return {
    adopt: (shopper, userId) => adopt(deps, shopper, userId),
    read: (shopper) => readCart(deps, shopper),
    readAhead(userId) {
      const stored = deps.store.read({ kind: "user", userId });
      // The caller may prove to be another; who uses it sees the rejection.
      stored.catch(() => {});
      return { userId, stored };
    },
    async add(shopper, { operationId, ...line }) {
      const product = await one(shopper, line.productId);
      const error =
        checkQuantity(line.quantity, CART_LIMITS.quantity.min) ??
        checkOperationId(operationId) ??
        checkSold(product);
      if (error) return { ...UNCHANGED, errors: [error] };
      const action = toAction("add", line, product);
      return change(deps, shopper, { action, operationId, expectedVersion: null });
    },
    async set(shopper, { expectedVersion, ...line }) {
      const product = await one(shopper, line.productId);
      const error =
        checkQuantity(line.quantity, 0) ??
        (line.quantity > 0 || !product ? checkSold(product) : null);
      if (error) return { ...UNCHANGED, errors: [error] };
      const action = toAction("set", line, product);
      return change(deps, shopper, { action, operationId: null, expectedVersion });
    },
    clear: (shopper, expectedVersion) =>
      change(deps, shopper, { action: { kind: "clear" }, operationId: null, expectedVersion }),
  };
}

async function adopt(
  { moves }: CartsDeps,
  { guest, forgetGuest, readProducts }: Shopper,
  userId: number,
): Promise<void> {
  if (guest !== null && (await moves.adopt(guest, userId, readProducts))) forgetGuest();
}

/**
 * Moves the guest's cart if the sign-in could not move
 * it. The client still has its guest then.
 */
async function bringAlong(deps: CartsDeps, shopper: Shopper, owner: Owner): Promise<void> {
  if (owner.kind === "user") await adopt(deps, shopper, owner.userId);
}

async function readCart(deps: CartsDeps, shopper: Shopper): ReturnType<Carts["read"]> {
  const { store, moves } = deps;
  const owner = shopper.owner();
  if (!owner)
    return { owner, record: { version: 0, expiresMs: await store.expiryOfNew(), lines: [] } };
  const ahead = aheadOf(shopper, owner);
  if (!ahead) await bringAlong(deps, shopper, owner);
  const { cart, move } = await (ahead ?? store.read(owner));
  if (!move || move.arrived || owner.kind === "user") return { owner, record: cart };
  await moves.finish(owner.guestId, move, shopper.readProducts);
  return { owner, record: (await store.read(owner)).cart };
}

/** Null where a guest's cart may have to move first. */
const aheadOf = ({ cartAhead, guest }: Shopper, owner: Owner): CartAhead["stored"] | null =>
  cartAhead && guest === null && owner.kind === "user" && owner.userId === cartAhead.userId
    ? cartAhead.stored
    : null;

async function change(deps: CartsDeps, shopper: Shopper, wanted: CartChange): Promise<CartOutcome> {
  const owner = shopper.writingOwner();
  await bringAlong(deps, shopper, owner);
  const result = await deps.store.change(owner, wanted);
  // Only the outcome counts: cart and change may have
  // moved right after it.
  if (result.outcome !== "moved" || !result.move || owner.kind === "user")
    return toOutcome(owner, result, wanted);
  return followMove(deps, { shopper, owner, guestId: owner.guestId, move: result.move, wanted });
}

interface Following {
  readonly shopper: Shopper;
  readonly owner: Owner;
  readonly guestId: string;
  readonly move: CartMove;
  readonly wanted: CartChange;
}

/**
 * A guest's cart has moved: the change goes to the
 * account, of which the guest sees nothing.
 */
async function followMove(
  { store, moves }: CartsDeps,
  { shopper, owner, guestId, move, wanted }: Following,
): Promise<CartOutcome> {
  if (!move.arrived) await moves.finish(guestId, move, shopper.readProducts);
  const { cart: record } = await store.read(owner);
  const cart = { owner, record };
  if (wanted.action.kind === "clear" || wanted.expectedVersion !== null)
    return { cart, errors: [MOVED_AWAY], warnings: [] };
  const { errors, warnings } = toOutcome(
    owner,
    await store.change({ kind: "user", userId: move.userId }, wanted),
    wanted,
  );
  return { cart, errors, warnings: errors.length > 0 ? [] : [...warnings, MOVED] };
}

const one = async ({ readProducts }: Shopper, id: number): Promise<ProductRecord | null> =>
  (await readProducts([id]))[0] ?? null;

const toAction = (
  kind: "add" | "set",
  { productId, quantity }: CartLineInput,
  product: ProductRecord | null,
): CartAction => ({
  kind,
  productId,
  quantity,
  price: product?.price ?? 0,
  stock: product?.stock ?? 0,
});

function toOutcome(owner: Owner, result: ChangeResult, { action }: CartChange): CartOutcome {
  const cart = { owner, record: result.cart };
  const { outcome } = result;
  if (outcome === "done" || outcome === "repeated")
    return { cart, errors: [], warnings: warningsOf(result, action) };
  return { cart, errors: [CHANGE_REFUSALS[outcome]], warnings: [] };
}

/** What the change itself did to its line. */
function warningsOf({ short, priceBefore }: ChangeResult, action: CartAction): CartWarning[] {
  if (action.kind === "clear" || action.quantity === 0) return [];
  const { productId, price } = action;
  const clamped = `There are ${short} pieces fewer in the cart than asked for: no more can be had.`;
  return [
    ...(short > 0 ? [{ code: "QUANTITY_CLAMPED" as const, message: clamped, productId }] : []),
    ...(priceBefore !== null && priceBefore !== price ? [priceChanged(productId)] : []),
  ];
}

const MOVED: CartWarning = {
  code: "CART_MOVED",
  message:
    "The cart went to the account that signed in, and this change after it. Connect again as " +
    "that account to see it.",
  productId: null,
};

const UNCHANGED = { cart: null, warnings: [] };

const MOVED_AWAY = userError(
  "CONFLICT",
  ["expectedVersion"],
  "The cart went to the account that signed in. Read the cart again.",
);

const { quantity: QUANTITY, lines: LINES } = CART_LIMITS;

const CHANGE_REFUSALS: Readonly<Record<Exclude<ChangeOutcome, "done" | "repeated">, UserError>> = {
  mismatch: userError(
    "IDEMPOTENCY_MISMATCH",
    ["operationId"],
    "This operationId was used for another change. Use a new one for each change.",
  ),
  conflict: userError(
    "CONFLICT",
    ["expectedVersion"],
    "The cart was changed meanwhile. Look at it as it is now, and decide again.",
  ),
  moved: MOVED_AWAY,
  lines: userError(
    "LIMIT_REACHED",
    ["productId"],
    `A cart holds at most ${LINES} different products. Remove one first.`,
  ),
  full: userError(
    "LIMIT_REACHED",
    ["quantity"],
    `A cart holds at most ${QUANTITY.max} pieces of one product.`,
  ),
  stock: userError(
    "OUT_OF_STOCK",
    ["quantity"],
    "There are no more of these in stock. Nothing was changed.",
  ),
};

function checkQuantity(quantity: number, min: number): UserError | null {
  if (quantity >= min && quantity <= QUANTITY.max) return null;
  return userError("OUT_OF_RANGE", ["quantity"], `quantity must be ${min} to ${QUANTITY.max}.`);
}

function checkSold(product: ProductRecord | null): UserError | null {
  if (!product) return userError("NOT_FOUND", ["productId"], "There is no product with this id.");
  return product.removed
    ? userError("PRODUCT_REMOVED", ["productId"], "The product was removed from the shop.")
    : null;
}
