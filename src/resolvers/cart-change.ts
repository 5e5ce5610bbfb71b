/**
 * Changes of the cart. The service checks bounds and finds the
 * owner.
 */
import { Args, Ctx, Mutation, Resolver } from "type-graphql";
import { decodeIdOf } from "../domain/ids.js";
import { AddToCartArgs, CartPayload, ClearCartArgs, SetCartLineArgs } from "../schema/cart.js";
import type { CartOutcome, Carts } from "../services/cart/carts.js";
import { shopperOf, toCart, toWarning } from "./cart.js";
import type { RequestContext } from "./context.js";

/** The mutations of carts. */
@Resolver()
export class CartMutations {
  constructor(private readonly carts: Pick<Carts, "add" | "set" | "clear">) {}

  @Mutation(() => CartPayload, {
    description:
      "Adds a product to the caller's cart, or more of it. The line takes the present price. " +
      "Whoever has no cart yet becomes a guest. Safe to repeat with an `operationId`, " +
      "otherwise not.",
  })
  async addToCart(
    @Args(() => AddToCartArgs) { productId, quantity, operationId }: AddToCartArgs,
    @Ctx() ctx: RequestContext,
  ): Promise<CartPayload> {
    const key = decodeIdOf("Product", productId);
    if (key === null) return NO_PRODUCT;
    return toPayload(
      await this.carts.add(shopperOf(ctx), {
        productId: key,
        quantity: quantity ?? 1,
        operationId: operationId ?? null,
      }),
    );
  }

  @Mutation(() => CartPayload, {
    description:
      "Sets how many pieces of a product are in the caller's cart. The line takes the " +
      "present price. Safe to repeat.",
  })
  async setCartLine(
    @Args(() => SetCartLineArgs) { productId, quantity, expectedVersion }: SetCartLineArgs,
    @Ctx() ctx: RequestContext,
  ): Promise<CartPayload> {
    const key = decodeIdOf("Product", productId);
    if (key === null) return NO_PRODUCT;
    return toPayload(
      await this.carts.set(shopperOf(ctx), {
        productId: key,
        quantity,
        expectedVersion: expectedVersion ?? null,
      }),
    );
  }

  @Mutation(() => CartPayload, {
    description: "Takes everything out of the caller's cart. Safe to repeat.",
  })
  async clearCart(
    @Args(() => ClearCartArgs) { expectedVersion }: ClearCartArgs,
    @Ctx() ctx: RequestContext,
  ): Promise<CartPayload> {
    return toPayload(await this.carts.clear(shopperOf(ctx), expectedVersion ?? null));
  }
}

const NO_PRODUCT: CartPayload = {
  cart: null,
  errors: [{ code: "INVALID", message: "This is not the id of a product.", field: ["productId"] }],
  changes: [],
};

const toPayload = ({ cart, errors, warnings }: CartOutcome): CartPayload => ({
  cart: cart && toCart(cart),
  errors,
  changes: warnings.map(toWarning),
});
