/** Expected failures of a mutation, as data in its payload. */
import { Field, ObjectType } from "type-graphql";
import type { UserErrorCode } from "../domain/errors.js";
import { declareEnum } from "./enums.js";
import { ListSize, Price } from "./price.js";

/** The closed list of codes; see docs/errors.md. */
export const UserErrorCodeEnum = declareEnum<UserErrorCode>({
  name: "UserErrorCode",
  description:
    "Why a mutation did not do what it was asked. A closed list: new codes are added only " +
    "with a new kind of failure.",
  values: {
    INVALID:
      "The value has the wrong form: a malformed id, characters that are not allowed. " +
      "Correct it and send it again.",
    REQUIRED: "A value is missing, or shows nothing to a reader, where one is needed.",
    TOO_LONG: "A text is longer than allowed; the message names the limit.",
    OUT_OF_RANGE: "A number is outside its bounds; the message names them.",
    NOT_FOUND: "The id is well-formed, but there is nothing (any more) behind it.",
    CONFLICT: "Somebody else changed the thing first. Read it again, then decide again.",
    TAKEN: "The name, address or key is already used by something else.",
    FORBIDDEN: "The caller may use this mutation, but not on this thing.",
    BAD_CREDENTIALS:
      "The e-mail address and password do not belong together, or there is no such account.",
    OUT_OF_STOCK: "There is not enough stock. Nothing was taken.",
    PRODUCT_REMOVED:
      "The product was removed from the shop. `upsertProduct` with its sku revives it.",
    LIMIT_REACHED: "A bound of the account or the thing is reached; the message names it.",
    IDEMPOTENCY_MISMATCH:
      "The operation id was already used with other arguments. Use a new one for a new operation.",
    PAYMENT_DECLINED: "The payment provider declined. Nothing was charged.",
  },
});

/** A few small objects, and free: so the cost of a change is exact before it runs. */
@ListSize({ most: 10 })
@Price(0)
@ObjectType({
  description: "One expected failure of a mutation. When there is any, nothing was changed.",
  simpleResolvers: true,
})
export class UserError {
  @Field(() => UserErrorCodeEnum, {
    description: "What kind of failure: what programs should branch on.",
  })
  code!: UserErrorCode;

  @Field(() => String, {
    description:
      "One sentence in English that can be shown to a person. Its wording may change; branch " +
      "on `code`.",
  })
  message!: string;

  @ListSize({ most: 4 })
  @Field(() => [String], {
    nullable: true,
    description:
      'Path of the argument to blame, outermost first, e.g. `["input", "price"]`; null when ' +
      "no single one is.",
  })
  field!: readonly string[] | null;
}
