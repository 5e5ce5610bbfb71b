/** Categories: the tree of the shop. */
import { Field, ObjectType } from "type-graphql";
import type { CategoryRecord } from "../domain/catalogue/catalogue.js";
import { Node } from "./node.js";
import { Shared } from "./scope.js";

@ObjectType({
  description:
    "A category of the shop's tree. It holds its own products and those of all categories " +
    "below it.",
  implements: Node,
  simpleResolvers: true,
})
export class Category extends Node {
  @Field(() => String, { description: "Name as people read it, e.g. `Coffee & Tea`." })
  @Shared("PUBLIC", { cached: true })
  name!: string;

  @Field(() => String, {
    description: "Name for addresses: lower-case letters, digits and hyphens; unique in the shop.",
  })
  @Shared("PUBLIC", { cached: true })
  slug!: string;

  /** For resolvers; not a field. */
  record!: CategoryRecord;
}
