/**
 * A model of carts: plain maps, no clock, no faults. The real ones are compared
 * with it.
 */
import { CART_LIMITS } from "../../../src/domain/cart.js";

/** A product as the shop sells it at the moment. */
export interface ModelProduct {
  price: number;
  stock: number;
  removed: boolean;
}

/** A line: quantity and the price of one piece. */
export interface ModelLine {
  quantity: number;
  price: number;
}

/** What became of a change: the code of an error, or whether the quantity was clamped. */
export interface ModelOutcome {
  readonly error: string | null;
  readonly clamped: boolean;
}

interface ModelCart {
  readonly lines: Map<number, ModelLine>;
  /** Operations done, with their arguments and outcome. */
  readonly operations: Map<string, { readonly args: string; readonly clamped: boolean }>;
  /** The account that it went to; `pending` until the lines are there. */
  moved: { readonly account: string; pending: boolean } | null;
}

/** An addition. */
export interface ModelAdd {
  readonly product: number;
  readonly quantity: number;
  readonly operation: string | null;
}

/**
 * What a line is to be, and whether a version is expected: none, the one that
 * was seen last, or an older one.
 */
export interface ModelSet {
  readonly product: number;
  readonly quantity: number;
  readonly expected: "any" | "seen" | "old";
}

const DONE: ModelOutcome = { error: null, clamped: false };
const refused = (error: string): ModelOutcome => ({ error, clamped: false });
const { quantity: QUANTITY, lines: LINES } = CART_LIMITS;

/** All carts, by owner. */
export class ModelCarts {
  private readonly carts = new Map<string, ModelCart>();

  constructor(private readonly products: ReadonlyMap<number, ModelProduct>) {}

  /** Lines in the order of adding: product, quantity, price of one. */
  lines(owner: string): [number, number, number][] {
    const { lines, moved } = this.cart(owner);
    return moved
      ? []
      : [...lines].map(([product, { quantity, price }]) => [product, quantity, price]);
  }

  isPending(owner: string): boolean {
    return this.cart(owner).moved?.pending ?? false;
  }

  add(owner: string, { product, quantity, operation }: ModelAdd): ModelOutcome {
    const error = this.unfit(product, quantity, QUANTITY.min);
    if (error) return refused(error);
    const args = `${product}:${quantity}`;
    // What was done before the cart moved has gone with it.
    const own = this.cart(owner).operations;
    const known =
      operation === null
        ? undefined
        : (own.get(operation) ?? this.followed(owner).operations.get(operation));
    if (known)
      return known.args === args
        ? { error: null, clamped: known.clamped }
        : refused("IDEMPOTENCY_MISMATCH");
    const cart = this.followed(owner);
    const outcome = this.put(cart, product, { adds: true, quantity });
    if (operation !== null && outcome.error === null)
      cart.operations.set(operation, { args, clamped: outcome.clamped });
    return outcome;
  }

  set(owner: string, { product, quantity, expected }: ModelSet): ModelOutcome {
    const error = this.unfit(product, quantity, 0);
    if (error) return refused(error);
    const cart = this.followed(owner);
    if (expected === "old" || (expected === "seen" && this.cart(owner).moved))
      return refused("CONFLICT");
    if (quantity > 0) return this.put(cart, product, { adds: false, quantity });
    cart.lines.delete(product);
    return DONE;
  }

  clear(owner: string): ModelOutcome {
    if (this.cart(owner).moved) {
      this.arrive(owner);
      return refused("CONFLICT");
    }
    this.cart(owner).lines.clear();
    return DONE;
  }

  signIn(guest: string, account: string): void {
    this.seal(guest, account);
    this.arrive(guest);
  }

  /** Half a sign-in: what a process leaves that dies. */
  seal(guest: string, account: string): void {
    const cart = this.cart(guest);
    cart.moved ??= { account, pending: cart.lines.size + cart.operations.size > 0 };
  }

  /** The lines of a moved cart are in the account's. */
  arrive(guest: string): void {
    const { lines, operations, moved } = this.cart(guest);
    if (!moved?.pending) return;
    moved.pending = false;
    const target = this.cart(moved.account);
    for (const [product, { quantity, price }] of lines) {
      const before = target.lines.get(product)?.quantity ?? 0;
      if (before === 0 && target.lines.size >= LINES) continue;
      const sold = this.products.get(product);
      const most = sold && !sold.removed ? Math.max(sold.stock, 1) : QUANTITY.max;
      target.lines.set(product, {
        quantity: Math.max(before, Math.min(before + quantity, QUANTITY.max, most)),
        price,
      });
    }
    for (const [id, operation] of operations)
      if (!target.operations.has(id)) target.operations.set(id, operation);
    lines.clear();
  }

  /** Its time is over, whatever state it is in. */
  expire(owner: string): void {
    const cart = this.cart(owner);
    cart.lines.clear();
    cart.moved = null;
  }

  /** The guest's writes are no longer followed. */
  stopFollowing(guest: string): void {
    const cart = this.cart(guest);
    if (cart.moved && !cart.moved.pending) cart.moved = null;
  }

  /** Why a product cannot be had in this number at all; null when it may. */
  private unfit(product: number, quantity: number, least: number): string | null {
    if (quantity < least || quantity > QUANTITY.max) return "OUT_OF_RANGE";
    const sold = this.products.get(product);
    if (!sold) return "NOT_FOUND";
    return sold.removed && quantity > 0 ? "PRODUCT_REMOVED" : null;
  }

  /**
   * Brings a line to what is wanted, as far as bounds and stock allow; adding
   * never takes away.
   */
  private put(
    { lines }: ModelCart,
    product: number,
    { adds, quantity }: { adds: boolean; quantity: number },
  ): ModelOutcome {
    const { price, stock } = this.products.get(product) as ModelProduct;
    const before = lines.get(product)?.quantity ?? 0;
    if (before === 0 && lines.size >= LINES) return refused("LIMIT_REACHED");
    const wanted = adds ? before + quantity : quantity;
    const after = Math.min(wanted, QUANTITY.max, stock);
    if (adds && before === QUANTITY.max) return refused("LIMIT_REACHED");
    if (after < 1 || (adds && after <= before)) return refused("OUT_OF_STOCK");
    lines.set(product, { quantity: after, price });
    return { error: null, clamped: after < wanted };
  }

  private cart(owner: string): ModelCart {
    const known = this.carts.get(owner) ?? { lines: new Map(), operations: new Map(), moved: null };
    this.carts.set(owner, known);
    return known;
  }

  private followed(owner: string): ModelCart {
    this.arrive(owner);
    const { moved } = this.cart(owner);
    return this.cart(moved?.account ?? owner);
  }
}
