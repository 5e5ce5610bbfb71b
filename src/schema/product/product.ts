/** Products. */
import { GraphQLDateTime } from "graphql-scalars";
import { Field, Float, Int, ObjectType } from "type-graphql";
import { PRODUCT_LIMITS, type ProductRecord } from "../../domain/catalogue/catalogue.js";
import { Money } from "../money.js";
import { Node } from "../node.js";
import { Shared } from "../scope.js";

/** The summary of its reviews. */
@ObjectType({ description: "What a product's reviews amount to.", simpleResolvers: true })
export class Rating {
  @Field(() => Float, {
    description: "Mean of all stars, 1 to 5, rounded to two decimals; 0 while there is no review.",
  })
  @Shared("PUBLIC", { cached: true })
  average!: number;

  @Field(() => Int, { description: "Number of reviews." })
  @Shared("PUBLIC", { cached: true })
  count!: number;
}

@ObjectType({
  description: "Something the shop sells. A removed product is null wherever it could be read.",
  implements: Node,
  simpleResolvers: true,
})
export class Product extends Node {
  @Field(() => String, {
    description: `Name as people read it; 1 to ${PRODUCT_LIMITS.name} characters of plain text.`,
  })
  @Shared("PUBLIC", { cached: true })
  name!: string;

  @Field(() => String, {
    description:
      "Description in plain text, possibly empty; escape it before putting it into a page.",
  })
  @Shared("PUBLIC", { cached: true })
  description!: string;

  @Field(() => String, {
    description:
      "Stock keeping unit: the shop's own key of the product, unique, never given to another " +
      "product.",
  })
  @Shared("PUBLIC", { cached: true })
  sku!: string;

  @Field(() => Money, { description: "Price of one piece in the shop's currency." })
  @Shared("PUBLIC", { cached: true })
  price!: Money;

  @Field(() => Int, {
    description:
      "Pieces that can be sold now; 0 or more. It may change at any time: only a checkout " +
      "reserves.",
  })
  @Shared("PUBLIC", { cached: true })
  stock!: number;

  @Field(() => Rating, { description: "What its reviews amount to." })
  @Shared("PUBLIC", { cached: true })
  rating!: Rating;

  @Field(() => GraphQLDateTime, { description: "When the product was last changed by the shop." })
  @Shared("PUBLIC", { cached: true })
  updatedAt!: string;

  /** For resolvers; not a field. */
  record!: ProductRecord;
}
