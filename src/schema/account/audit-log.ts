/** The audit log, for admins. */
import { GraphQLDateTime, GraphQLSafeInt } from "graphql-scalars";
import { ArgsType, Field, ID, ObjectType } from "type-graphql";
import type { AuditEvent, AuditRecord } from "../../domain/account/audit.js";
import { isIdOf } from "../../domain/argument-rules.js";
import { MAX_COUNTED_ROWS } from "../../domain/page.js";
import { Checked } from "../argument-rule.js";
import { declareConnection } from "../connection.js";
import { declareEnum } from "../enums.js";
import { PageArgs } from "../page.js";

/** An event as clients spell it. */
export type AuditEventWord = Uppercase<AuditEvent>;

export const AuditEventEnum = declareEnum<AuditEventWord>({
  name: "AuditEvent",
  description: "What happened to an account, or to the sessions of all.",
  values: {
    SIGNED_UP: "The account was made.",
    SIGNED_IN: "A session began.",
    SIGNED_OUT: "A session ended by its own request.",
    PASSWORD_CHANGED: "The password was changed, and every session before it ended.",
    SESSION_REVOKED: "One session was ended.",
    OTHER_SESSIONS_REVOKED: "Every session but the one that asked was ended.",
    ALL_SESSIONS_REVOKED: "Every session of the account was ended by an admin.",
    GLOBAL_REVOCATION: "The sessions of all accounts issued before `issuedBefore` were ended.",
    SIGN_IN_REFUSED: "A wrong password, or an address without an account; counted.",
    PASSWORD_CHANGE_REFUSED: "A wrong current password at a change; counted.",
    SIGN_IN_LIMITED: "Too many attempts to sign in; counted.",
  },
});

@ObjectType({
  description:
    "An entry of the audit log. It holds no password, no token and no address of an account.",
  simpleResolvers: true,
})
export class AuditLogEntry {
  @Field(() => GraphQLDateTime, {
    description: "When it happened; of a counted event, the end of the minute that was counted.",
  })
  at!: string;

  @Field(() => AuditEventEnum, { description: "What happened." })
  event!: AuditEventWord;

  @Field(() => GraphQLSafeInt, {
    description: "How often; above 1 only for counted events, from one address within a minute.",
  })
  count!: number;

  @Field(() => ID, {
    nullable: true,
    description:
      "The account concerned, even where it is gone; null where there was none: an unknown " +
      "address, or all accounts.",
  })
  userId!: string | null;

  @Field(() => Boolean, { description: "Whether the holder of the service token did it." })
  byService!: boolean;

  @Field(() => ID, {
    nullable: true,
    description: "The account that did it, even where it is gone; null where none is known.",
  })
  byUserId!: string | null;

  @Field(() => ID, {
    nullable: true,
    description:
      "The session that began or ended; where several ended, the one that asked. It is no token.",
  })
  sessionId!: string | null;

  @Field(() => String, {
    nullable: true,
    description:
      "The address it came from; of a counted event a /64 for IPv6, and null where several are " +
      "counted together.",
  })
  ip!: string | null;

  @Field(() => String, {
    nullable: true,
    description:
      "What the client called itself (`User-Agent`); escape it in a page. Null of a counted event.",
  })
  device!: string | null;

  @Field(() => String, {
    nullable: true,
    description: "The request, as in `extensions.requestId`. Null of a counted event.",
  })
  requestId!: string | null;

  @Field(() => GraphQLDateTime, {
    nullable: true,
    description: "Of GLOBAL_REVOCATION: sessions that were issued before this time ended.",
  })
  issuedBefore!: string | null;

  /** For resolvers; not a field. */
  record!: AuditRecord;
}

export const { Connection: AuditLogConnection } = declareConnection(
  "AuditLog",
  { plural: "entries of the audit log", maxCount: MAX_COUNTED_ROWS },
  () => AuditLogEntry,
);

/** Arguments of `Query.auditLog`. */
@ArgsType()
export class AuditLogArgs extends PageArgs {
  @Field(() => ID, {
    nullable: true,
    description:
      "Only what concerns this user, who may be gone. BAD_USER_INPUT when it is not the id of a " +
      "user.",
  })
  @Checked(isIdOf("User"))
  userId?: string | null;

  @Field(() => AuditEventEnum, { nullable: true, description: "Only entries of this event." })
  event?: AuditEventWord | null;
}
