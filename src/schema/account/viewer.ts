/** The signed-in caller and its devices. */
import { GraphQLDateTime } from "graphql-scalars";
import { Field, ID, ObjectType } from "type-graphql";
import type { UserPrincipal } from "../../domain/account/principal.js";
import type { Role } from "../../domain/account/user.js";
import { declareEnum } from "../enums.js";
import { Node } from "../node.js";

export const RoleEnum = declareEnum<Role>({
  name: "Role",
  description: "What an account may do.",
  values: {
    CUSTOMER: "Buys, and reviews what it bought.",
    ADMIN: "Also changes the catalogue, looks accounts up, and ends anybody's sessions.",
  },
});

@ObjectType({
  description:
    "An account. Seen by its owner and by admins; for anybody else there is nothing behind its id.",
  implements: Node,
  simpleResolvers: true,
})
export class User extends Node {
  @Field(() => String, { description: "Name as shown to everybody, in plain text." })
  name!: string;

  @Field(() => RoleEnum, { description: "What the account may do." })
  role!: Role;

  @Field(() => GraphQLDateTime, { description: "When the account was made." })
  createdAt!: string;
}

@ObjectType({ description: "One device that is signed in.", simpleResolvers: true })
export class Session {
  @Field(() => ID, {
    description: "Names the session, for `revokeSession`. It is no token: nobody signs in with it.",
  })
  id!: string;

  @Field(() => Boolean, { description: "True for the session that asks." })
  current!: boolean;

  @Field(() => String, {
    description:
      "What the client called itself at sign-in (`User-Agent`), possibly empty; escape it in " +
      "a page.",
  })
  device!: string;

  @Field(() => String, { description: "The address it signed in from." })
  ip!: string;

  @Field(() => GraphQLDateTime, { description: "When it signed in." })
  createdAt!: string;

  @Field(() => GraphQLDateTime, { description: "When it was last used, to the minute." })
  lastSeenAt!: string;

  @Field(() => GraphQLDateTime, { description: "When it ends unless it is used before." })
  expiresAt!: string;
}

@ObjectType({
  description: "Who is signed in: the account of the session that asks.",
  simpleResolvers: true,
})
export class Viewer {
  @Field(() => User, { description: "The account." })
  user!: User;

  /** For resolvers; not a field. */
  principal!: UserPrincipal;

  /** Null where it was not read yet. For resolvers; not a field. */
  knownEmail!: string | null;
}
