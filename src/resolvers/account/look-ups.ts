/** Accounts as admins look them up. The service checks rights. */
import { Arg, Args, Ctx, FieldResolver, ID, Query, Resolver, Root } from "type-graphql";
import type { UserRecord } from "../../domain/account/user.js";
import { decodeIdOf } from "../../domain/ids.js";
import { AccountView, UserConnection, UsersArgs } from "../../schema/account/look-ups.js";
import { Session } from "../../schema/account/viewer.js";
import { MAX_SEARCH_LENGTH } from "../../schema/page.js";
import { ListSize, Price, Works } from "../../schema/price.js";
import type { AccountLookUps, LookUpCaller } from "../../services/account/look-ups.js";
import { originOf, type RequestContext } from "../context.js";
import { ListPage, pageRequest, searchText } from "../list.js";
import { toSession, toUser } from "./viewer.js";

/** A search reads every account that matches. */
const SEARCH_USERS = 40;

/** Who looks, for authorisation and the log. */
export const lookUpCaller = (ctx: RequestContext): LookUpCaller => ({
  principal: ctx.principal,
  origin: originOf(ctx),
});

/** A page of accounts, with what was read. */
interface FoundUsers {
  readonly text: string | undefined;
  readonly records: ReadonlyMap<number, UserRecord>;
}

/** `Query.users`, `Query.user` and the edge of an account. */
@Resolver(() => AccountView)
export class AccountLookUpResolver {
  constructor(private readonly service: Pick<AccountLookUps, "users" | "user" | "sessions">) {}

  @Works({ by: "text", price: SEARCH_USERS })
  @Query(() => UserConnection, {
    description:
      "Accounts, the newest first: all, or those that a text finds. ADMIN only, otherwise " +
      "UNAUTHENTICATED or FORBIDDEN. The look-up is logged.",
  })
  async users(
    @Args(() => UsersArgs) args: UsersArgs,
    @Ctx() ctx: RequestContext,
  ): Promise<ListPage<FoundUsers>> {
    const text = searchText(args.text, { maxLength: MAX_SEARCH_LENGTH, argument: ["text"] });
    const list = { name: `users:${text ?? ""}`, sortedBy: "number" } as const;
    const page = pageRequest(list, args);
    const listing = text === undefined ? { page } : { text, page };
    const found = await this.service.users(lookUpCaller(ctx), listing);
    return new ListPage(list, { text, records: found.records }, page, found);
  }

  @Query(() => AccountView, {
    nullable: true,
    description:
      "An account by the id of its user; null when there is none, or when it is not the id of a " +
      "user. ADMIN only, otherwise UNAUTHENTICATED or FORBIDDEN. The look-up is logged.",
  })
  async user(
    @Arg("id", () => ID, { description: "The id of a user." }) id: string,
    @Ctx() ctx: RequestContext,
  ): Promise<AccountView | null> {
    const record = await this.service.user(lookUpCaller(ctx), decodeIdOf("User", id));
    return record && toAccount(record);
  }

  @ListSize({ most: 10 })
  @FieldResolver(() => [Session], {
    description:
      "Where the account is signed in, the latest used first. `revokeAllSessions` ends them; " +
      "one alone is ended by its owner. SERVICE_UNAVAILABLE while Redis is away, never empty " +
      "by that.",
  })
  async sessions(@Root() { record }: AccountView, @Ctx() ctx: RequestContext): Promise<Session[]> {
    const { principal } = ctx;
    const current = principal.kind === "user" ? principal.sessionId : null;
    const sessions = await this.service.sessions(lookUpCaller(ctx), record);
    return sessions.map((session) => toSession(session, current));
  }
}

/** What is behind a page of accounts. */
@Resolver(() => UserConnection)
export class UserConnectionResolver {
  constructor(private readonly service: Pick<AccountLookUps, "countUsers">) {}

  @FieldResolver()
  edges(@Root() list: ListPage<FoundUsers>) {
    const { records } = list.of;
    return list.edges(async (ids) =>
      ids.map((id) => {
        const record = records.get(id);
        return record ? toAccount(record) : null;
      }),
    );
  }

  @Price(20)
  @FieldResolver()
  totalCount(
    @Root() { of }: ListPage<FoundUsers>,
    @Ctx() ctx: RequestContext,
  ): Promise<number | null> {
    return this.service.countUsers(lookUpCaller(ctx), of.text);
  }
}

const toAccount = (record: UserRecord): AccountView => ({
  user: toUser(record),
  email: record.email,
  record,
});
