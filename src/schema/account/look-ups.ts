/** Accounts as admins look them up. */
import { ArgsType, Field, ObjectType } from "type-graphql";
import type { UserRecord } from "../../domain/account/user.js";
import { atMostCharacters } from "../../domain/argument-rules.js";
import { MAX_COUNTED_ROWS } from "../../domain/page.js";
import { Checked } from "../argument-rule.js";
import { declareConnection } from "../connection.js";
import { MAX_SEARCH_LENGTH, PageArgs } from "../page.js";
import { User } from "./viewer.js";

/**
 * A type apart from {@link User}: what leads to a user leads to
 * no address and no session.
 */
@ObjectType("Account", {
  description:
    "An account as admins look it up, with what is private to its owner. What its owner sees " +
    "is `Viewer`.",
  simpleResolvers: true,
})
export class AccountView {
  @Field(() => User, { description: "The account." })
  user!: User;

  @Field(() => String, { description: "The address that the account signs in with." })
  email!: string;

  /** For resolvers; not a field. */
  record!: UserRecord;
}

export const { Connection: UserConnection } = declareConnection(
  "User",
  { plural: "users", maxCount: MAX_COUNTED_ROWS },
  () => AccountView,
);

/** Arguments of `Query.users`. */
@ArgsType()
export class UsersArgs extends PageArgs {
  @Field(() => String, {
    nullable: true,
    description:
      "Only users whose name has every word of this text, each as the beginning of a word, and " +
      "users whose address begins with the text; upper and lower case alike. At most " +
      `${MAX_SEARCH_LENGTH} characters. Null, empty or blank: all users.`,
  })
  @Checked(atMostCharacters(MAX_SEARCH_LENGTH))
  text?: string | null;
}
