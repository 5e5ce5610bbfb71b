/** Reviews: what customers say about a product. */
import { GraphQLDateTime } from "graphql-scalars";
import { Field, Int, ObjectType } from "type-graphql";
import type { ReviewRecord } from "../domain/catalogue.js";
import { declareConnection } from "./connection.js";
import { Node } from "./node.js";

/** A review. */
@ObjectType({ description: "What one customer says about one product.", implements: Node, simpleResolvers: true })
export class Review extends Node {
  @Field(() => String, { description: "Name of the reviewer, as shown to everybody." })
  author!: string;

  @Field(() => Int, { description: "Stars: 1 (worst) to 5 (best)." })
  rating!: number;

  @Field(() => String, { description: "The text: plain, unescaped; escape it before putting it into a page." })
  body!: string;

  @Field(() => GraphQLDateTime, { description: "When it was written." })
  createdAt!: string;

  /** What edges are resolved from; not a field. */
  record!: ReviewRecord;
}

/** A page of reviews. */
export const { Connection: ReviewConnection } = declareConnection("Review", "reviews", () => Review);
