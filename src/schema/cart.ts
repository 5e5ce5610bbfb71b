/** Carts. */
import { GraphQLDateTime } from "graphql-scalars";
import { ArgsType, Field, ID, Int, ObjectType } from "type-graphql";
import { CART_LIMITS, type CartRecord, type CartWarningCode } from "../domain/cart.js";
import { declareEnum } from "./enums.js";
import { Money } from "./money.js";
import { ListSize } from "./price.js";
import { Product } from "./product/product.js";
import { UserError } from "./user-error.js";

const { quantity: QUANTITY, lines: LINES } = CART_LIMITS;

@ObjectType({
  description: "One product in a cart, with its price and availability as they are now.",
  simpleResolvers: true,
})
export class CartLine {
  @Field(() => Product, {
    description:
      "The product as it is now; one that was removed since is shown as it last was, with " +
      "`available` false.",
  })
  product!: Product;

  @Field(() => Int, { description: `Pieces: ${QUANTITY.min} to ${QUANTITY.max}.` })
  quantity!: number;

  @Field(() => Money, { description: "Price of one piece when the line was last added to or set." })
  unitPrice!: Money;

  @Field(() => Money, {
    description: "What the pieces cost now: the present price of the product times `quantity`.",
  })
  total!: Money;

  @Field(() => Boolean, {
    description:
      "True when the present price differs from `unitPrice`. Setting the line takes the " +
      "present one.",
  })
  priceChanged!: boolean;

  @Field(() => Boolean, {
    description:
      "True when the line could be bought as it stands: the product is sold, and as many " +
      "pieces are in stock. Nothing is reserved.",
  })
  available!: boolean;
}

@ObjectType({
  description:
    `What somebody means to buy: up to ${LINES} products. It belongs to the account that is ` +
    "signed in, on all of its devices, else to the guest. Kept for seven days (by default) " +
    "since its last use, then empty again.",
  simpleResolvers: true,
})
export class Cart {
  @Field(() => ID, {
    description:
      "Names the cart for a client's own cache. No operation takes it: everybody has one " +
      "cart, their own.",
  })
  id!: string;

  @Field(() => Int, {
    description:
      "Rises with every change, also when the cart expires, and never goes back; it may skip " +
      "numbers. 0 for a caller who has no cart yet. Send it as `expectedVersion` to change " +
      "only what was seen.",
  })
  version!: number;

  @Field(() => Int, { description: "Pieces in all lines together." })
  quantity!: number;

  @Field(() => GraphQLDateTime, {
    description:
      "When it will be empty unless it is used before. Every change puts it off, reading it " +
      "at most once an hour.",
  })
  expiresAt!: string;

  /** For resolvers; not a field. */
  record!: CartRecord;
}

/** How a cart differs from what was asked for or last seen. */
export const CartWarningCodeEnum = declareEnum<CartWarningCode>({
  name: "CartWarningCode",
  description: "How a cart differs from what was asked for or last seen.",
  values: {
    PRICE_CHANGED: "The price of a product is another than when it was put into the cart.",
    QUANTITY_CLAMPED:
      "There are fewer pieces in the line than asked for: as many as are in stock, at most 999.",
    PRODUCT_GONE: "A product in the cart was removed from the shop.",
    CART_MOVED:
      "The cart went to an account at a sign-in, and this change after it; the answer shows " +
      "the guest's cart, which is empty.",
  },
});

/** One a line at most, and two for the change itself. */
@ListSize({ most: LINES + 2 })
@ObjectType({
  description: "Something a customer should be told about a change that was made.",
  simpleResolvers: true,
})
export class CartWarning {
  @Field(() => CartWarningCodeEnum, { description: "What it is: what programs should branch on." })
  code!: CartWarningCode;

  @Field(() => String, { description: "One sentence in English that can be shown to a person." })
  message!: string;

  @Field(() => ID, {
    nullable: true,
    description: "The product it is about; null where it is about the whole cart.",
  })
  productId!: string | null;
}

/** Answer of the cart mutations. */
@ObjectType({ description: "What became of a change of the cart.", simpleResolvers: true })
export class CartPayload {
  @Field(() => Cart, {
    nullable: true,
    description:
      "The cart as it is now: after the change or, where it was refused (CONFLICT, " +
      "LIMIT_REACHED, OUT_OF_STOCK, IDEMPOTENCY_MISMATCH), as it was. Null where the " +
      "arguments were wrong.",
  })
  cart!: Cart | null;

  @Field(() => [UserError], { description: "Why the change was refused; empty when it was made." })
  errors!: readonly UserError[];

  /** Warnings of the change itself; not a field. */
  changes!: readonly CartWarning[];
}

@ArgsType()
class ProductArgs {
  @Field(() => ID, {
    description:
      "The product. INVALID when it is not the id of a product, NOT_FOUND when there is none " +
      "behind it, PRODUCT_REMOVED when it is no longer sold.",
  })
  productId!: string;
}

/** Arguments of `Mutation.addToCart`. */
@ArgsType()
export class AddToCartArgs extends ProductArgs {
  @Field(() => Int, {
    nullable: true,
    defaultValue: 1,
    description:
      `Pieces to add: ${QUANTITY.min} to ${QUANTITY.max}, otherwise OUT_OF_RANGE. Null means ` +
      "1. What the stock or the bound of the line does not allow is left out, with a warning; " +
      "OUT_OF_STOCK or LIMIT_REACHED when nothing is left.",
  })
  quantity?: number | null;

  @Field(() => ID, {
    nullable: true,
    description:
      "Makes the addition safe to repeat: any string of the caller's that is new for each " +
      "addition, up to 128 characters, remembered for 24 hours (at least the latest 384), " +
      "also from guest to account. Sent again with the same arguments it adds nothing; with " +
      "others, IDEMPOTENCY_MISMATCH.",
  })
  operationId?: string | null;
}

const EXPECTED_VERSION =
  "The `version` that was seen; CONFLICT, with the cart as it is now, when it is another. " +
  "Null: whatever it is.";

/** Arguments of `Mutation.setCartLine`. */
@ArgsType()
export class SetCartLineArgs extends ProductArgs {
  @Field(() => Int, {
    description:
      `Pieces that are to be in the cart: 0 to ${QUANTITY.max}, otherwise OUT_OF_RANGE; 0 ` +
      "removes the line. More than are in stock are clamped, with a warning; OUT_OF_STOCK when " +
      "there are none.",
  })
  quantity!: number;

  @Field(() => Int, { nullable: true, description: EXPECTED_VERSION })
  expectedVersion?: number | null;
}

/** Arguments of `Mutation.clearCart`. */
@ArgsType()
export class ClearCartArgs {
  @Field(() => Int, { nullable: true, description: EXPECTED_VERSION })
  expectedVersion?: number | null;
}
