/** Notifications as their owner sees them: the inbox. */
import { Args, FieldResolver, Int, Resolver, Root } from "type-graphql";
import { signedIn } from "../domain/account/principal.js";
import { encodeCacheId, encodeId } from "../domain/ids.js";
import {
  type InboxListing,
  type NotificationRecord,
  notificationLog,
} from "../domain/notification.js";
import { Viewer } from "../schema/account/viewer.js";
import { Inbox } from "../schema/notification/inbox.js";
import {
  InboxArgs,
  type Notification,
  NotificationConnection,
} from "../schema/notification/notification.js";
import { Price } from "../schema/price.js";
import type { Notifications } from "../services/notification/notifications.js";
import type { RequestContext } from "./context.js";
import { ListPage, pageRequest } from "./list.js";

/** A notification as clients see it. */
export function toNotificationType({
  id,
  kind,
  title,
  body,
  url,
  createdAt,
  readAt,
}: NotificationRecord): Notification {
  return { id: encodeId("Notification", id), kind, title, body, url, createdAt, readAt };
}

/**
 * An inbox as clients see it. @param unread known count; it is
 * read without
 */
export function toInbox(userId: number, unread: number | null = null): Inbox {
  return { id: encodeCacheId("Inbox", userId), userId, knownUnread: unread };
}

/** A notification by its id, for its owner alone. */
export async function visibleNotification(
  ctx: RequestContext,
  key: number,
): Promise<Notification | null> {
  const user = signedIn(ctx.principal);
  const record = user && (await ctx.loaders.notification.load(key));
  return record && record.userId === user.userId ? toNotificationType(record) : null;
}

/**
 * A list of an inbox, with the page that was read. Positions are
 * sequences, so cursors are those of the log.
 */
interface InboxList extends InboxListing {
  readonly rows: ReadonlyMap<number, NotificationRecord>;
}

/** The edges of a viewer that are about notifications. */
@Resolver(() => Viewer)
export class InboxResolver {
  constructor(private readonly service: Pick<Notifications, "page" | "unread">) {}

  @FieldResolver(() => NotificationConnection, {
    description:
      "The inbox, newest first. Its cursors are those of `notificationReceived`, which goes " +
      "on after any of them.",
  })
  async notifications(
    @Root() { principal: { userId } }: Viewer,
    @Args(() => InboxArgs) args: InboxArgs,
  ): Promise<ListPage<InboxList>> {
    const list = { name: notificationLog(userId), sortedBy: "number" } as const;
    const listing = { userId, unreadOnly: args.unreadOnly ?? false };
    const request = pageRequest(list, args);
    const { rows, hasNextPage } = await this.service.page(listing, request);
    const positions = rows.map(({ sequence }) => ({ value: sequence, id: sequence }));
    const inbox = { ...listing, rows: new Map(rows.map((row) => [row.sequence, row])) };
    return new ListPage(list, inbox, request, { rows: positions, hasNextPage });
  }

  @Price(2)
  @FieldResolver(() => Int, { description: "How many notifications are unread." })
  unreadCount(@Root() { principal }: Viewer): Promise<number> {
    return this.service.unread(principal.userId);
  }

  @FieldResolver(() => Inbox, {
    description: "The inbox with its count, as events of `notificationReceived` carry it.",
  })
  inbox(@Root() { principal }: Viewer): Inbox {
    return toInbox(principal.userId);
  }
}

/** The count of an inbox. */
@Resolver(() => Inbox)
export class InboxCountResolver {
  constructor(private readonly service: Pick<Notifications, "unread">) {}

  @Price(2)
  @FieldResolver(() => Int, { description: "How many notifications are unread." })
  unreadCount(@Root() { userId, knownUnread }: Inbox): number | Promise<number> {
    return knownUnread ?? this.service.unread(userId);
  }
}

/** What is behind a page of an inbox. */
@Resolver(() => NotificationConnection)
export class NotificationConnectionResolver {
  constructor(private readonly service: Pick<Notifications, "count">) {}

  @FieldResolver()
  edges(@Root() list: ListPage<InboxList>) {
    const { rows } = list.of;
    return list.edges(async (sequences) =>
      sequences.map((sequence) => ownNotification(rows.get(sequence))),
    );
  }

  @Price(5)
  @FieldResolver()
  totalCount(@Root() { of }: ListPage<InboxList>): Promise<number> {
    return this.service.count(of);
  }
}

const ownNotification = (record: NotificationRecord | undefined): Notification | null =>
  record ? toNotificationType(record) : null;
