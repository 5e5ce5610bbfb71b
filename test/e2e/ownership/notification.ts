/** Notifications: who may name them. */
import { BEGINNING, encodeEventLogCursor } from "../../../src/domain/events/event-log.js";
import { encodeId } from "../../../src/domain/ids.js";
import { notificationLog } from "../../../src/domain/notification.js";
import {
  adminOnly,
  NO_USER,
  OPERATION,
  open,
  owned,
  type Rows,
  type Shop,
} from "../ownership-row.js";

/** Has the form of a cursor, of the log of a user that never was. */
const A_CURSOR = encodeEventLogCursor(notificationLog(999_999_999), { ...BEGINNING, sequence: 1 });

/** Sends the owner a notification: its id, and its cursor in their log. */
async function notified({
  owner,
  asAdmin,
  asOwner,
}: Shop): Promise<{ id: string; cursor: string }> {
  const send =
    'mutation ($id: ID!) { sendNotification(input: { userIds: [$id], kind: "test", title: ' +
    '"Hello", body: "" }) { recipients } }';
  await asAdmin(send, { id: owner.id });
  const { data } = await asOwner(
    "{ viewer { notifications(first: 1) { edges { cursor node { id } } } } }",
  );
  const [edge] = data.viewer!.notifications!.edges as unknown as [
    { cursor: string; node: { id: string } },
  ];
  return { id: edge.node.id, cursor: edge.cursor };
}

export const rows: Rows = {
  "node(Notification)": owned({
    operation:
      "query ($id: ID!) { node(id: $id) { __typename id ... on Notification { kind title " +
      "body url createdAt readAt } } }",
    theirs: async (shop) => (await notified(shop)).id,
    missing: () => encodeId("Notification", 999_999_999),
  }),
  "nodes(Notification)": owned({
    operation:
      "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id ... on Notification { title " +
      "readAt } } }",
    theirs: async (shop) => ({
      ids: [(await notified(shop)).id, encodeId("Notification", 999_999_999)],
    }),
    missing: () => ({
      ids: [encodeId("Notification", 999_999_998), encodeId("Notification", 999_999_999)],
    }),
  }),
  "Viewer.notifications(after)": owned({
    operation:
      "query ($id: String!) { viewer { notifications(after: $id) { totalCount edges { cursor " +
      "node { id title } } } } }",
    theirs: async (shop) => (await notified(shop)).cursor,
    missing: () => A_CURSOR,
  }),
  "Subscription.notificationReceived(after)": owned({
    operation: `subscription ($id: String!) { notificationReceived(after: $id) { __typename
      ... on NotificationDelivered { cursor notification { id title } }
      ... on StreamGap { reason resumeFrom } } }`,
    theirs: async (shop) => {
      const { cursor } = await notified(shop);
      await notified(shop);
      return cursor;
    },
    missing: () => A_CURSOR,
  }),
  "Mutation.markNotificationsRead(ids)": owned({
    operation:
      "mutation ($ids: [ID!]!) { markNotificationsRead(ids: $ids) { marked unreadCount " +
      "errors { code message field } } }",
    theirs: async (shop) => ({ ids: [(await notified(shop)).id] }),
    missing: () => ({ ids: [encodeId("Notification", 999_999_999)] }),
  }),
  "Mutation.markNotificationsRead(upTo)": owned({
    operation:
      "mutation ($id: String!) { markNotificationsRead(upTo: $id) { marked unreadCount " +
      "errors { code message field } } }",
    theirs: async (shop) => (await notified(shop)).cursor,
    missing: () => A_CURSOR,
  }),
  "Mutation.sendNotification(input.userIds)": adminOnly({
    operation: `mutation ($id: ID!) {
      sendNotification(input: { userIds: [$id], kind: "test", title: "Hello", body: "" }) {
        recipients errors { code message field } } }`,
    theirs: ({ owner }) => owner.id,
    missing: () => NO_USER,
  }),
  "Mutation.sendNotification(input.operationId)": open(OPERATION),
};
