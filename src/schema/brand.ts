/** Brands: makers of products. */
import { ArgsType, Field, ObjectType } from "type-graphql";
import { atMostCharacters } from "../domain/argument-rules.js";
import { Checked } from "./argument-rule.js";
import { declareConnection } from "./connection.js";
import { Node } from "./node.js";
import { MAX_SEARCH_LENGTH, PageArgs } from "./page.js";
import { Shared } from "./scope.js";

@ObjectType({ description: "A maker of products.", implements: Node, simpleResolvers: true })
export class Brand extends Node {
  @Field(() => String, { description: "Name as people write it; unique." })
  @Shared("PUBLIC", { cached: true })
  name!: string;
}

export const { Connection: BrandConnection } = declareConnection("Brand", "brands", () => Brand);

/** Arguments of `Query.brands`. */
@ArgsType()
export class BrandsArgs extends PageArgs {
  @Field(() => String, {
    nullable: true,
    description:
      "Only brands whose name begins with this, upper and lower case alike; at most " +
      `${MAX_SEARCH_LENGTH} characters. Null, empty or blank: all brands.`,
  })
  @Checked(atMostCharacters(MAX_SEARCH_LENGTH))
  text?: string | null;
}
