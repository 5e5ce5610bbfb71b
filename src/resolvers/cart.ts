/**
 * Carts as clients see them. Prices and availability come from
 * the loaders, when they are selected.
 */
import { Ctx, FieldResolver, Query, Resolver, Root } from "type-graphql";
import { type Owner, ownerName } from "../domain/account/guest.js";
import {
  CART_LIMITS,
  type CartRecord,
  type CartWarning as CartWarningRecord,
} from "../domain/cart.js";
import type { CurrencyCode } from "../domain/catalogue/money.js";
import { sha256 } from "../domain/hash.js";
import { encodeId } from "../domain/ids.js";
import { Cart, CartLine, CartPayload, CartWarning } from "../schema/cart.js";
import { Money } from "../schema/money.js";
import { ListSize, Works } from "../schema/price.js";
import type { Carts, Shopper } from "../services/cart/carts.js";
import { type CartLineView, changesSince, subtotalOf, viewLines } from "../services/cart/view.js";
import type { RequestContext } from "./context.js";
import { loadEach } from "./list.js";
import { toProduct } from "./product/product.js";

/** A cart as its owner sees it. */
export function toCart({
  owner,
  record,
}: {
  readonly owner: Owner | null;
  readonly record: CartRecord;
}): Cart {
  const { version, expiresMs, lines } = record;
  const quantity = lines.reduce((sum, line) => sum + line.quantity, 0);
  return {
    id: cartId(owner),
    version,
    quantity,
    expiresAt: new Date(expiresMs).toISOString(),
    record,
  };
}

/** Constant for an owner, and reveals nothing about them. */
const cartId = (owner: Owner | null): string =>
  sha256(`cart:${owner ? ownerName(owner) : "nobody"}`, "base64url").slice(0, 22);

/** A warning as clients see it. */
export function toWarning({ code, message, productId }: CartWarningRecord): CartWarning {
  return { code, message, productId: productId === null ? null : encodeId("Product", productId) };
}

/** The caller as the services of carts see it. */
export function shopperOf(ctx: RequestContext): Shopper {
  const { owner, writingOwner, forgetGuest, guest, ahead } = ctx;
  return {
    owner,
    writingOwner,
    forgetGuest,
    guest,
    cartAhead: ahead.cart ?? null,
    readProducts: (ids) => loadEach(ctx.loaders.product, ids),
  };
}

/** Lines with their products, in one read. */
async function linesOf(
  { record: { lines } }: Cart,
  { loaders }: RequestContext,
): Promise<CartLineView[]> {
  const products = await loadEach(
    loaders.product,
    lines.map(({ productId }) => productId),
  );
  return viewLines(lines, products);
}

/** All lines are read with their products, shown or not. */
const READS_LINES = { price: CART_LIMITS.lines / 10 } as const;

/** `Query.cart` and what is behind a cart. */
@Resolver(() => Cart)
export class CartResolver {
  constructor(
    private readonly carts: Pick<Carts, "read">,
    private readonly currency: CurrencyCode,
  ) {}

  @Query(() => Cart, {
    description:
      "The caller's cart: that of the account that is signed in, else that of the guest. " +
      "Always there, possibly empty; while it cannot be read it is SERVICE_UNAVAILABLE, " +
      "never empty.",
  })
  async cart(@Ctx() ctx: RequestContext): Promise<Cart> {
    return toCart(await this.carts.read(shopperOf(ctx)));
  }

  @ListSize({ most: CART_LIMITS.lines })
  @FieldResolver(() => [CartLine], { description: "What is in it, in the order of adding." })
  async lines(@Root() cart: Cart, @Ctx() ctx: RequestContext): Promise<CartLine[]> {
    return (await linesOf(cart, ctx)).map((line) => this.toLine(line));
  }

  @Works(READS_LINES)
  @FieldResolver(() => Money, {
    description: "What the available lines cost now together: the sum of their `total`.",
  })
  async subtotal(@Root() cart: Cart, @Ctx() ctx: RequestContext): Promise<Money> {
    return this.money(subtotalOf(await linesOf(cart, ctx)));
  }

  private toLine({
    product,
    quantity,
    unitPrice,
    total,
    priceChanged,
    available,
  }: CartLineView): CartLine {
    return {
      product: toProduct(product, this.currency),
      quantity,
      unitPrice: this.money(unitPrice),
      total: this.money(total),
      priceChanged,
      available,
    };
  }

  private money(amount: number): Money {
    return { amount, currency: this.currency };
  }
}

/** What is behind the answer of a change. */
@Resolver(() => CartPayload)
export class CartPayloadResolver {
  @Works(READS_LINES)
  @FieldResolver(() => [CartWarning], {
    description:
      "Where the change was made: how the cart differs from what was asked for, and for " +
      "every other line whether its price has changed since it was put in, or the product is " +
      "gone.",
  })
  async warnings(
    @Root() { cart, errors, changes }: CartPayload,
    @Ctx() ctx: RequestContext,
  ): Promise<CartWarning[]> {
    if (!cart || errors.length > 0) return [];
    return [...changes, ...changesSince(await linesOf(cart, ctx)).map(toWarning)];
  }
}
