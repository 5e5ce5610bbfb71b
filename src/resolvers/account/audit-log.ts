/** The audit log, for admins. The service checks rights. */
import { Args, Ctx, FieldResolver, Query, Resolver, Root } from "type-graphql";
import type { AuditEvent, AuditFilter, AuditRecord } from "../../domain/account/audit.js";
import { decodeIdOf, encodeId } from "../../domain/ids.js";
import {
  type AuditEventWord,
  AuditLogArgs,
  AuditLogConnection,
  AuditLogEntry,
} from "../../schema/account/audit-log.js";
import { User } from "../../schema/account/viewer.js";
import { Price } from "../../schema/price.js";
import type { AccountLookUps } from "../../services/account/look-ups.js";
import type { RequestContext } from "../context.js";
import { ListPage, pageRequest } from "../list.js";
import { lookUpCaller } from "./look-ups.js";
import { toUser } from "./viewer.js";

/** A page of the log, with what was read. */
interface FoundEntries {
  readonly filter: AuditFilter;
  readonly records: ReadonlyMap<number, AuditRecord>;
}

/** `Query.auditLog` and the edges of an entry. */
@Resolver(() => AuditLogEntry)
export class AuditLogResolver {
  constructor(private readonly service: Pick<AccountLookUps, "auditLog">) {}

  @Query(() => AuditLogConnection, {
    description:
      "Sign-ins, password changes and revocations, the latest first; refused sign-ins are " +
      "counted, and are there within a minute. ADMIN only, otherwise UNAUTHENTICATED or " +
      "FORBIDDEN. The look-up is logged.",
  })
  async auditLog(
    @Args(() => AuditLogArgs) args: AuditLogArgs,
    @Ctx() ctx: RequestContext,
  ): Promise<ListPage<FoundEntries>> {
    const filter = toAuditFilter(args);
    const list = { name: `auditLog:${JSON.stringify(filter)}`, sortedBy: "number" } as const;
    const page = pageRequest(list, args);
    const found = await this.service.auditLog(lookUpCaller(ctx), filter, page);
    return new ListPage(list, { filter, records: found.records }, page, found);
  }

  @FieldResolver(() => User, {
    nullable: true,
    description: "The account concerned; null where there was none, and where it is gone.",
  })
  user(@Root() { record }: AuditLogEntry, @Ctx() ctx: RequestContext): Promise<User | null> {
    return readUser(ctx, record.userId);
  }

  @FieldResolver(() => User, {
    nullable: true,
    description: "The account that did it; null where none is known, and where it is gone.",
  })
  byUser(@Root() { record }: AuditLogEntry, @Ctx() ctx: RequestContext): Promise<User | null> {
    return readUser(ctx, record.byUserId);
  }
}

/** What is behind a page of the log. */
@Resolver(() => AuditLogConnection)
export class AuditLogConnectionResolver {
  constructor(private readonly service: Pick<AccountLookUps, "countAuditLog">) {}

  @FieldResolver()
  edges(@Root() list: ListPage<FoundEntries>) {
    const { records } = list.of;
    return list.edges(async (ids) =>
      ids.map((id) => {
        const record = records.get(id);
        return record ? toAuditLogEntry(record) : null;
      }),
    );
  }

  @Price(20)
  @FieldResolver()
  totalCount(
    @Root() { of }: ListPage<FoundEntries>,
    @Ctx() ctx: RequestContext,
  ): Promise<number | null> {
    return this.service.countAuditLog(lookUpCaller(ctx), of.filter);
  }
}

/** Null and absent conditions are left out; ids were checked before. */
function toAuditFilter({ userId, event }: AuditLogArgs): AuditFilter {
  const key = userId ? decodeIdOf("User", userId) : null;
  return {
    ...(key === null ? {} : { userId: key }),
    ...(event ? { event: event.toLowerCase() as AuditEvent } : {}),
  };
}

function toAuditLogEntry(record: AuditRecord): AuditLogEntry {
  const { at, event, count, byService, sessionId, ip, device, requestId, detail } = record;
  return {
    ...{ at, count, byService, sessionId, ip, device, requestId, record },
    event: event.toUpperCase() as AuditEventWord,
    userId: userIdOf(record.userId),
    byUserId: userIdOf(record.byUserId),
    issuedBefore: event === "global_revocation" ? detail : null,
  };
}

const userIdOf = (key: number | null): string | null =>
  key === null ? null : encodeId("User", key);

async function readUser({ loaders }: RequestContext, key: number | null): Promise<User | null> {
  const record = key === null ? null : await loaders.user.load(key);
  return record && toUser(record);
}
