/**
 * An inbox in the cache of Apollo Client that stays right by itself: whatever shows `InboxDocument`
 * shows new notifications and read ones as they come, without asking again.
 *
 * The count merges by its identity: events carry `inbox { id unreadCount }`, and queries select the
 * same. A list is another matter. An event says what happened to it, so it is applied here; one that
 * comes twice, after a reconnect, changes nothing.
 */
import {
  InboxDocument,
  type InboxQuery,
  NotificationsReceivedDocument,
} from "./generated/operations.js";
import type { Delivered, Read } from "./notifications.js";
import type { Shop } from "./shop-client.js";

/** The page that is kept: the view that shows it asks with the same variables. */
export const SHOWN = { first: 20 };

type Notifications = NonNullable<InboxQuery["viewer"]>["notifications"];

/** Keeps the inbox until the returned function is called. The inbox has to be read before. */
export async function keepInbox(
  { apollo }: Pick<Shop, "apollo">,
  onError: (error: Error) => void,
): Promise<() => void> {
  const { data } = await apollo.query({ query: InboxDocument, variables: SHOWN });
  const after = data?.viewer?.notifications.edges[0]?.cursor ?? "";
  const readAgain = () => void apollo.refetchQueries({ include: [InboxDocument] }).catch(onError);
  const apply = (change: (list: Notifications) => Notifications | null) =>
    apollo.cache.updateQuery({ query: InboxDocument, variables: SHOWN }, (shown) => {
      const viewer = shown?.viewer;
      const notifications = viewer && change(viewer.notifications);
      if (!notifications) readAgain();
      return notifications ? { ...shown, viewer: { ...viewer, notifications } } : undefined;
    });
  const following = apollo
    .subscribe({ query: NotificationsReceivedDocument, variables: { after } })
    .subscribe({
      next({ data: received, error }) {
        if (error) return onError(error);
        const event = received?.notificationReceived;
        if (event?.__typename === "NotificationDelivered") apply((list) => withNew(list, event));
        else if (event?.__typename === "NotificationsRead") apply((list) => withRead(list, event));
        else if (event) readAgain();
      },
      error: onError,
    });
  return () => following.unsubscribe();
}

function withNew(list: Notifications, { cursor, notification }: Delivered): Notifications {
  if (list.edges.some((edge) => edge.cursor === cursor)) return list;
  const edge = { __typename: "NotificationEdge", cursor, node: { ...notification, readAt: null } };
  return { ...list, totalCount: (list.totalCount ?? 0) + 1, edges: [edge, ...list.edges] };
}

/** Null where the list does not hold what tells which are read. */
function withRead(list: Notifications, { ids, upTo }: Read): Notifications | null {
  const newest = list.edges.findIndex(({ cursor }) => cursor === upTo);
  if (upTo !== null && newest === -1) return null;
  const readAt = new Date().toISOString();
  const edges = list.edges.map((edge, at) => {
    const isRead = upTo === null ? ids.includes(edge.node.id) : at >= newest;
    return isRead && edge.node.readAt === null ? { ...edge, node: { ...edge.node, readAt } } : edge;
  });
  return { ...list, edges };
}
