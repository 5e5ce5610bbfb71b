/** Lists of products: filter, order and pages. */
import { GraphQLSafeInt } from "graphql-scalars";
import { ArgsType, Field, ID, InputType } from "type-graphql";
import { atLeast, atMostCharacters, isIdOf } from "../../domain/argument-rules.js";
import type { ProductSort } from "../../domain/catalogue/catalogue.js";
import { Checked } from "../argument-rule.js";
import { declareConnection } from "../connection.js";
import { declareEnum } from "../enums.js";
import { MAX_SEARCH_LENGTH, PageArgs } from "../page.js";
import { Product } from "./product.js";

export const ProductSortEnum = declareEnum<ProductSort>({
  name: "ProductSort",
  description:
    "The order of a list of products. Equals are ordered newest first, so every order is total.",
  values: {
    NEWEST: "Most recently added to the shop first.",
    PRICE_ASC: "Cheapest first.",
    PRICE_DESC: "Most expensive first.",
    RATING: "Highest average of stars first; products without reviews last.",
    POPULAR:
      "Most views, likes and shares first, where a like counts as ten views and a share as " +
      "twenty; within about a minute of them.",
  },
});

export const { Connection: ProductConnection } = declareConnection(
  "Product",
  "products",
  () => Product,
);

@InputType("ProductFilter", {
  description:
    "Which products a list holds: those that satisfy every condition given. A null condition " +
    "is none.",
})
export class ProductFilterInput {
  @Field(() => ID, {
    nullable: true,
    description:
      "Only products of this category and of all below it. BAD_USER_INPUT when it is not the " +
      "id of a category.",
  })
  @Checked(isIdOf("Category"))
  categoryId?: string | null;

  @Field(() => ID, {
    nullable: true,
    description: "Only products of this brand. BAD_USER_INPUT when it is not the id of a brand.",
  })
  @Checked(isIdOf("Brand"))
  brandId?: string | null;

  @Field(() => GraphQLSafeInt, {
    nullable: true,
    description:
      "Lowest price in minor units of the shop's currency, inclusive; 0 or more. " +
      "BAD_USER_INPUT when it is above `maxPrice`.",
  })
  @Checked(atLeast(0))
  minPrice?: number | null;

  @Field(() => GraphQLSafeInt, {
    nullable: true,
    description: "Highest price in minor units of the shop's currency, inclusive; 0 or more.",
  })
  @Checked(atLeast(0))
  maxPrice?: number | null;

  @Field(() => Boolean, {
    nullable: true,
    description: "true: only products in stock; false: only products out of stock.",
  })
  inStock?: boolean | null;

  @Field(() => String, {
    nullable: true,
    description:
      "Only products that contain every word of this text, each as the beginning of a word; at " +
      `most ${MAX_SEARCH_LENGTH} characters. Empty or blank: no condition.`,
  })
  @Checked(atMostCharacters(MAX_SEARCH_LENGTH))
  text?: string | null;
}

/** Arguments of `Category.products`. */
@ArgsType()
export class SortedPageArgs extends PageArgs {
  @Field(() => ProductSortEnum, {
    nullable: true,
    defaultValue: "NEWEST",
    description: "The order of the list. Null means NEWEST.",
  })
  sort!: ProductSort | null;
}

/** Arguments of `Query.products`. */
@ArgsType()
export class ProductsArgs extends SortedPageArgs {
  @Field(() => ProductFilterInput, {
    nullable: true,
    description: "Which products the list holds. Null: all of the shop.",
  })
  filter?: ProductFilterInput | null;
}
