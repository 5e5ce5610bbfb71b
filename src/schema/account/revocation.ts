/** Ending of sessions. */
import { GraphQLDateTime } from "graphql-scalars";
import { Field, ID, InputType, Int, ObjectType } from "type-graphql";
import { UserError } from "../user-error.js";

@InputType({
  description: "Whose sessions to end: exactly one of the two, otherwise REQUIRED or INVALID.",
})
export class RevokeAllInput {
  @Field(() => ID, {
    nullable: true,
    description: "All sessions of this user. INVALID when it is not the id of a user.",
  })
  userId?: string | null;

  @Field(() => GraphQLDateTime, {
    nullable: true,
    description:
      "Everybody's sessions that were issued before this time, which lies in the past, " +
      "otherwise OUT_OF_RANGE.",
  })
  issuedBefore?: Date | null;
}

/** Answer of the mutations that end sessions. */
@ObjectType({ description: "What became of a revocation.", simpleResolvers: true })
export class RevokePayload {
  @Field(() => Int, {
    nullable: true,
    description:
      "How many sessions were ended; null when it was refused, and where everybody's were.",
  })
  revoked!: number | null;

  @Field(() => [UserError], { description: "Why it was refused; empty when it was done." })
  errors!: readonly UserError[];
}
