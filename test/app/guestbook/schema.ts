/** What clients see of the guestbook. */
import { Field, Int, ObjectType } from "type-graphql";
import { Shared } from "../../../src/schema/scope.js";

@ObjectType({ description: "What visitors have written." })
export class Guestbook {
  @Field(() => Int, { description: "Signatures so far." })
  @Shared("PUBLIC")
  readonly signatures!: number;

  @Field(() => String, { nullable: true, description: "The latest signature; null for none." })
  @Shared("PUBLIC")
  readonly latest!: string | null;
}
