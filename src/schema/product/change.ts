/** Changes of products: mutations and events. */
import { GraphQLSafeInt } from "graphql-scalars";
import { ArgsType, Field, ID, InputType, Int, ObjectType } from "type-graphql";
import { PRODUCT_LIMITS, type ProductDraft } from "../../domain/catalogue/catalogue.js";
import { MAX_PRICE, MAX_STOCK } from "../../domain/catalogue/money.js";
import { Shared } from "../scope.js";
import { UserError } from "../user-error.js";
import { Product } from "./product.js";

/** All that an admin sets on a product; ids are global. */
@InputType({
  description:
    "Everything that is set on a product. It replaces all of it: what is sent is what the " +
    "product then is.",
})
export class ProductInput implements Omit<ProductDraft, "brandId" | "categoryId"> {
  @Field(() => String, {
    description:
      "Stock keeping unit: says which product is meant. An unknown one makes a new product, " +
      `that of a removed one revives it. 1 to ${PRODUCT_LIMITS.sku} characters.`,
  })
  sku!: string;

  @Field(() => String, {
    description:
      "Name as people read it, one line of plain text: not blank, otherwise REQUIRED; at most " +
      `${PRODUCT_LIMITS.name} characters, otherwise TOO_LONG.`,
  })
  name!: string;

  @Field(() => String, {
    description:
      `Description in plain text; may be empty; at most ${PRODUCT_LIMITS.description} ` +
      "characters, otherwise TOO_LONG.",
  })
  description!: string;

  @Field(() => ID, {
    description:
      "The brand. INVALID when it is not the id of a brand, NOT_FOUND when there is none " +
      "behind it.",
  })
  brandId!: string;

  @Field(() => ID, {
    description:
      "The category. INVALID when it is not the id of a category, NOT_FOUND when there is " +
      "none behind it.",
  })
  categoryId!: string;

  @Field(() => GraphQLSafeInt, {
    description:
      `Price of one piece in minor units of the shop's currency: 0 to ${MAX_PRICE}, otherwise ` +
      "OUT_OF_RANGE.",
  })
  price!: number;

  @Field(() => Int, {
    description: `Pieces that can be sold: 0 to ${MAX_STOCK}, otherwise OUT_OF_RANGE.`,
  })
  stock!: number;
}

/** Arguments of `Mutation.adjustStock`. */
@ArgsType()
export class AdjustStockArgs {
  @Field(() => ID, {
    description:
      "The product. INVALID when it is not the id of a product, NOT_FOUND when there is none " +
      "behind it.",
  })
  id!: string;

  @Field(() => Int, {
    description:
      "Pieces to add, or to take away when negative. What would fall below zero is refused " +
      "with OUT_OF_STOCK, and nothing is taken.",
  })
  by!: number;

  @Field(() => ID, {
    nullable: true,
    description:
      "Makes the adjustment safe to repeat: any string of the caller's that is new for each " +
      "adjustment, remembered for at least 24 hours. Sent again with the same arguments, the " +
      "stock is adjusted once; with others, IDEMPOTENCY_MISMATCH.",
  })
  operationId?: string | null;
}

/** Answer of the product mutations. */
@ObjectType({ description: "What became of a change of a product.", simpleResolvers: true })
export class ProductPayload {
  @Field(() => Product, {
    nullable: true,
    description: "The product after the change; null when it was refused, and after a removal.",
  })
  product!: Product | null;

  @Field(() => [UserError], { description: "Why the change was refused; empty when it was made." })
  errors!: readonly UserError[];
}

/** Event of `Subscription.productChanged`. */
@ObjectType({
  description: "The latest value of one product, sent at the start and after every change.",
  simpleResolvers: true,
})
export class ProductChange {
  @Field(() => ID, { description: "The id that was subscribed to." })
  @Shared("PUBLIC")
  id!: string;

  @Field(() => String, {
    description:
      "Version of the product as a decimal integer: it rises with every change, removal " +
      "included, and never goes back. `0` when there never was such a product.",
  })
  @Shared("PUBLIC")
  version!: string;

  @Field(() => Product, {
    nullable: true,
    description: "The whole product as of this version; null when it was removed or never there.",
  })
  @Shared("PUBLIC")
  product!: Product | null;
}
