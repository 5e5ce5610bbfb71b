/** The signed-in user, and their devices. */
import { Ctx, FieldResolver, ID, Query, Resolver, Root } from "type-graphql";
import { accountOfSession, signedIn, type UserPrincipal } from "../../domain/account/principal.js";
import type { SessionRecord } from "../../domain/account/session.js";
import type { UserRecord } from "../../domain/account/user.js";
import { encodeCacheId, encodeId } from "../../domain/ids.js";
import type { Loaders } from "../../loaders/loaders.js";
import { Session, type User, Viewer } from "../../schema/account/viewer.js";
import { ListSize } from "../../schema/price.js";
import type { Sessions } from "../../services/account/sessions.js";
import type { RequestContext } from "../context.js";

/** An account as its owner and admins see it. */
export function toUser({ id, name, role, createdAt }: Omit<UserRecord, "tag" | "email">): User {
  return { id: encodeId("User", id), name, role, createdAt };
}

/** The caller as they see themselves. */
export function toViewer(user: UserRecord, principal: UserPrincipal): Viewer {
  return { user: toUser(user), knownEmail: user.email, principal };
}

/** An account by its id, for its owner and admins. */
export async function visibleUser(
  { principal, loaders }: RequestContext,
  key: number,
): Promise<User | null> {
  const mayLook =
    principal.kind === "service" ||
    (principal.kind === "user" && (principal.userId === key || principal.role === "ADMIN"));
  if (!mayLook) return null;
  if (principal.kind === "user" && principal.userId === key) return readOwnUser(loaders, principal);
  const user = await loaders.user.load(key);
  return user && toUser(user);
}

/** With the role of the session, which decides what it may do. */
const readOwnUser = async ({ ownUser }: Loaders, principal: UserPrincipal): Promise<User> =>
  toUser({ ...(await ownUser.load(principal)), role: principal.role });

/** The signed-in user's account; null without one. */
export async function readViewer({ principal, loaders }: RequestContext): Promise<Viewer | null> {
  const user = signedIn(principal);
  if (!user) return null;
  return { user: await readOwnUser(loaders, user), knownEmail: null, principal: user };
}

/** `Query.viewer` and the edge of a viewer. */
@Resolver(() => Viewer)
export class ViewerResolver {
  constructor(private readonly service: Pick<Sessions, "list">) {}

  @Query(() => Viewer, {
    nullable: true,
    description:
      "Who is signed in; null means that nobody is, never that it could not be told: that is " +
      "SERVICE_UNAVAILABLE.",
  })
  viewer(@Ctx() ctx: RequestContext): Promise<Viewer | null> {
    return readViewer(ctx);
  }

  @FieldResolver(() => ID, {
    description:
      "Names the viewer for a client's own cache, which then merges what several queries " +
      "select. No operation takes it; the account is `user`.",
  })
  id(@Root() { principal }: Viewer): string {
    return encodeCacheId("Viewer", principal.userId);
  }

  @FieldResolver(() => String, {
    description: "The address that the account signs in with. Only its owner and admins see it.",
  })
  async email(
    @Root() { principal, knownEmail }: Viewer,
    @Ctx() { loaders }: RequestContext,
  ): Promise<string> {
    if (knownEmail !== null) return knownEmail;
    return accountOfSession(principal, await loaders.user.load(principal.userId)).email;
  }

  @ListSize({ most: 10 })
  @FieldResolver(() => [Session], {
    description: "Where the account is signed in, the latest used first.",
  })
  async sessions(@Root() { principal }: Viewer): Promise<Session[]> {
    return (await this.service.list(principal)).map((session) =>
      toSession(session, principal.sessionId),
    );
  }
}

/** @param currentId of the session that asks; null without one */
export function toSession(
  { id, device, ip, createdMs, seenMs, expiresMs }: SessionRecord,
  currentId: string | null,
): Session {
  const [createdAt, lastSeenAt, expiresAt] = [createdMs, seenMs, expiresMs].map((ms) =>
    new Date(ms).toISOString(),
  ) as [string, string, string];
  return { id, current: id === currentId, device, ip, createdAt, lastSeenAt, expiresAt };
}
