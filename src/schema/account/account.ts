/** Sign-up, sign-in and sign-out. */
import { Field, InputType, ObjectType } from "type-graphql";
import { ACCOUNT_LIMITS } from "../../domain/account/user.js";
import { declareEnum } from "../enums.js";
import { UserError } from "../user-error.js";
import { Viewer } from "./viewer.js";

/** How a client gets its token. */
export type TokenDelivery = "COOKIE" | "TOKEN";

export const TokenDeliveryEnum = declareEnum<TokenDelivery>({
  name: "TokenDelivery",
  description: "How a client keeps its session.",
  values: {
    COOKIE:
      "In a cookie that scripts cannot read: for browsers. Only over HTTP; over a WebSocket " +
      "it is BAD_USER_INPUT. For a page of another site than the server it is INVALID: its " +
      "browser would drop the cookie.",
    TOKEN:
      "In `token` of the answer, to be sent as `Authorization: Bearer …`: for clients " +
      "without cookies.",
  },
});

@InputType({ description: "The address and the password of an account." })
export class SignInInput {
  @Field(() => String, {
    description:
      "The address of the account; case, Unicode form and surrounding space do not matter.",
  })
  email!: string;

  @Field(() => String, { description: "The password of the account." })
  password!: string;

  @Field(() => TokenDeliveryEnum, {
    nullable: true,
    defaultValue: "COOKIE",
    description: "How the session is handed over.",
  })
  deliver?: TokenDelivery | null;
}

@InputType({ description: "A new account." })
export class SignUpInput {
  @Field(() => String, {
    description:
      `Address to sign in with, at most ${ACCOUNT_LIMITS.email} characters: INVALID when it ` +
      "cannot be one, TAKEN when it has an account.",
  })
  email!: string;

  @Field(() => String, {
    description:
      `${ACCOUNT_LIMITS.password.min} to ${ACCOUNT_LIMITS.password.max} characters of any ` +
      "kind, otherwise OUT_OF_RANGE or TOO_LONG.",
  })
  password!: string;

  @Field(() => String, {
    description:
      `Name as shown to everybody: one line, not blank, at most ${ACCOUNT_LIMITS.name} ` +
      "characters.",
  })
  name!: string;

  @Field(() => TokenDeliveryEnum, {
    nullable: true,
    defaultValue: "COOKIE",
    description: "How the session is handed over.",
  })
  deliver?: TokenDelivery | null;
}

@InputType({ description: "A change of the caller's password." })
export class ChangePasswordInput {
  @Field(() => String, { description: "The password as it is, otherwise BAD_CREDENTIALS." })
  currentPassword!: string;

  @Field(() => String, {
    description:
      `The password as it is to be: ${ACCOUNT_LIMITS.password.min} to ` +
      `${ACCOUNT_LIMITS.password.max} characters.`,
  })
  newPassword!: string;
}

/** Answer of `signUp` and `signIn`. */
@ObjectType({ description: "Who is signed in now.", simpleResolvers: true })
export class SignInPayload {
  @Field(() => Viewer, { nullable: true, description: "Who signed in; null when it was refused." })
  viewer!: Viewer | null;

  @Field(() => String, {
    nullable: true,
    description: "The token of the session, shown once; null unless `deliver` is TOKEN.",
  })
  token!: string | null;

  @Field(() => [UserError], { description: "Why nobody was signed in; empty when somebody was." })
  errors!: readonly UserError[];
}

/** Answer of `signOut`. */
@ObjectType({ description: "What became of a sign-out.", simpleResolvers: true })
export class SignOutPayload {
  @Field(() => Boolean, {
    description: "True when a session was ended; false when nobody was signed in.",
  })
  signedOut!: boolean;

  @Field(() => [UserError], { description: "Always empty: whoever asks is signed out." })
  errors!: readonly UserError[];
}

/** Answer of `changePassword`. */
@ObjectType({ description: "What became of a change of password.", simpleResolvers: true })
export class ChangePasswordPayload {
  @Field(() => Viewer, {
    nullable: true,
    description: "Whose password it is; null when the change was refused.",
  })
  viewer!: Viewer | null;

  @Field(() => String, {
    nullable: true,
    description:
      "The token that the caller's session has from now on, shown once; null when it is in " +
      "the cookie, and when the change was refused.",
  })
  token!: string | null;

  @Field(() => [UserError], { description: "Why it was refused; empty when it was made." })
  errors!: readonly UserError[];
}
