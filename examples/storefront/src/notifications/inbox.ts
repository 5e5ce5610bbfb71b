/** The inbox in Apollo's cache: read once, then changed by the events of the log. */
import type { ApolloCache } from "@apollo/client";
import { graphql, makeFragmentData, readFragment } from "../generated";
import type { InboxQuery, WatchInboxSubscription } from "../generated/graphql";

export const INBOX = graphql(`
  query Inbox {
    viewer {
      unreadCount
      user {
        id
      }
      notifications(first: 20) {
        edges {
          cursor
          node {
            ...NotificationItem
          }
        }
      }
    }
  }
`);

export const NOTIFICATION = graphql(`
  fragment NotificationItem on Notification {
    id
    title
    body
    url
    createdAt
    readAt
  }
`);

export const WATCH_INBOX = graphql(`
  subscription WatchInbox($after: String) {
    notificationReceived(after: $after) {
      __typename
      ... on NotificationDelivered {
        cursor
        unreadCount
        notification {
          ...NotificationItem
        }
      }
      ... on NotificationsRead {
        cursor
        unreadCount
        ids
        upTo
      }
      ... on StreamGap {
        reason
        resumeFrom
      }
    }
  }
`);

type Viewer = NonNullable<InboxQuery["viewer"]>;
type Edge = Viewer["notifications"]["edges"][number];
type LogEvent = WatchInboxSubscription["notificationReceived"];
type Delivered = Extract<LogEvent, { __typename: "NotificationDelivered" }>;
type Read = Extract<LogEvent, { __typename: "NotificationsRead" }>;

/** A page that is open for days does not grow with what it is sent. */
const MAX_SHOWN = 100;

/** Puts a notification on top, unless it is there: after a doubt the log repeats nothing else. */
export const deliver = (cache: ApolloCache, { cursor, unreadCount, notification }: Delivered) =>
  change(cache, (viewer) => {
    const { edges } = viewer.notifications;
    const isThere = edges.some(({ cursor: known }) => known === cursor);
    const added: Edge = { __typename: "NotificationEdge", cursor, node: notification } as Edge;
    return { unreadCount, edges: isThere ? edges : [added, ...edges].slice(0, MAX_SHOWN) };
  });

/** Marks what was read here or on another device. */
export const markRead = (cache: ApolloCache, { unreadCount, ids, upTo }: Read) =>
  change(cache, ({ notifications: { edges } }) => {
    const from = upTo === null ? -1 : edges.findIndex(({ cursor }) => cursor === upTo);
    return {
      unreadCount,
      edges: edges.map((edge, at) => {
        const { id, readAt } = readFragment(NOTIFICATION, edge.node);
        const isRead = ids.includes(id) || (from >= 0 && at >= from);
        return isRead && readAt === null ? read(edge) : edge;
      }),
    };
  });

/** The event does not say when; that it was read is what the page shows. */
const read = (edge: Edge): Edge => {
  const readAt = new Date().toISOString();
  const node = { ...readFragment(NOTIFICATION, edge.node), readAt };
  return { ...edge, node: makeFragmentData(node, NOTIFICATION) };
};

function change(
  cache: ApolloCache,
  next: (viewer: Viewer) => { unreadCount: number; edges: Edge[] },
): void {
  cache.updateQuery({ query: INBOX }, (held) => {
    if (!held?.viewer) return held;
    const { unreadCount, edges } = next(held.viewer);
    const notifications = { ...held.viewer.notifications, edges };
    return { ...held, viewer: { ...held.viewer, unreadCount, notifications } };
  });
}
