/** Ending sessions. The service checks rights. */
import { Arg, Ctx, ID, Mutation, Resolver } from "type-graphql";
import { requireAdmin } from "../../domain/account/principal.js";
import type { UserError } from "../../domain/errors.js";
import { decodeIdOf } from "../../domain/ids.js";
import { RevokeAllInput, RevokePayload } from "../../schema/account/revocation.js";
import type { Revocations, RevocationTarget } from "../../services/account/revocations.js";
import { originOf, type RequestContext } from "../context.js";

/** The mutations that end sessions. */
@Resolver()
export class RevocationMutations {
  constructor(private readonly revocations: Revocations) {}

  @Mutation(() => RevokePayload, {
    description:
      "Ends one of the caller's sessions, everywhere and for good. Signed in only, otherwise " +
      "UNAUTHENTICATED.",
  })
  revokeSession(
    @Arg("id", () => ID, {
      description:
        "The session, of `viewer.sessions`. NOT_FOUND when the caller has no such session.",
    })
    id: string,
    @Ctx() ctx: RequestContext,
  ): Promise<RevokePayload> {
    return this.revocations.one(ctx.principal, id, originOf(ctx));
  }

  @Mutation(() => RevokePayload, {
    description:
      "Ends every session of the caller but the one that asks. Signed in only, otherwise " +
      "UNAUTHENTICATED.",
  })
  revokeOtherSessions(@Ctx() ctx: RequestContext): Promise<RevokePayload> {
    return this.revocations.others(ctx.principal, originOf(ctx));
  }

  @Mutation(() => RevokePayload, {
    description:
      "Ends all sessions of one user, or everybody's that were issued before a time; however " +
      "many, it takes the same few steps. ADMIN only, otherwise UNAUTHENTICATED or FORBIDDEN.",
  })
  async revokeAllSessions(
    @Arg("input", () => RevokeAllInput, { description: "Whose sessions." }) input: RevokeAllInput,
    @Ctx() ctx: RequestContext,
  ): Promise<RevokePayload> {
    requireAdmin(ctx.principal);
    const target = readTarget(input);
    return "code" in target
      ? { revoked: null, errors: [target] }
      : this.revocations.all(ctx.principal, target, originOf(ctx));
  }
}

function readTarget({ userId, issuedBefore }: RevokeAllInput): RevocationTarget | UserError {
  if (userId && issuedBefore)
    return { code: "INVALID", message: "Give userId or issuedBefore, not both.", field: ["input"] };
  if (issuedBefore) return { beforeMs: issuedBefore.getTime() };
  if (!userId)
    return { code: "REQUIRED", message: "Give userId or issuedBefore.", field: ["input"] };
  const key = decodeIdOf("User", userId);
  return key === null
    ? { code: "INVALID", message: "This is not the id of a user.", field: ["input", "userId"] }
    : { userId: key };
}
