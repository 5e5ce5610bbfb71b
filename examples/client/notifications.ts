/**
 * Following notifications so that none is missed and none is shown twice, whatever happens to the
 * server or to this client.
 *
 * The cursor of the last event that was handled is all there is to remember. It is stored after the
 * event was handled, and every subscription begins after it: on the same socket, on a new one after
 * a reconnect, in another process a month later. Whoever handles an event and dies before the
 * cursor is stored handles it again, so handling is made repeatable by the id.
 */
import type { ApolloClient } from "@apollo/client";
import { print } from "graphql";
import {
  InboxDocument,
  NotificationsReceivedDocument,
  type NotificationsReceivedSubscription,
} from "./generated/operations.js";
import type { Shop } from "./shop-client.js";

type LogEvent = NotificationsReceivedSubscription["notificationReceived"];
/** A notification that was sent. */
export type Delivered = Extract<LogEvent, { __typename: "NotificationDelivered" }>;
/** Notifications that were read, here or on another device. */
export type Read = Extract<LogEvent, { __typename: "NotificationsRead" }>;
/** Events may be missing: the inbox is to be read again. */
export type Gap = Extract<LogEvent, { __typename: "StreamGap" }>;

/** Where the cursor is kept: localStorage, a file, a row. */
export interface CursorStore {
  load(): string | null;
  save(cursor: string): void;
}

/** Who is told. Calls come one after the other, in the order of the log. */
export interface Follower {
  onDelivered(event: Delivered): void;
  onRead(event: Read): void;
  onGap(event: Gap): void;
  /** The subscription was refused: the session has ended. */
  onError(error: Error): void;
}

/**
 * Follows the log until the returned function is called. A client that has no cursor yet begins
 * with the newest notification of the inbox, which it has read before; the empty text is the
 * beginning, for an inbox that was empty.
 */
export async function followNotifications(
  { apollo, sockets }: Shop,
  store: CursorStore,
  follower: Follower,
): Promise<() => void> {
  if (store.load() === null) store.save(await newestCursor(apollo));
  // Read when it is sent: also when graphql-ws subscribes again by itself after a reconnect.
  const variables = {
    get after() {
      return store.load();
    },
  };
  return sockets.subscribe<NotificationsReceivedSubscription>(
    { query: print(NotificationsReceivedDocument), variables },
    {
      next({ data, errors }) {
        if (data) handle(data.notificationReceived, store, follower);
        else follower.onError(new Error(errors?.map(({ message }) => message).join("\n")));
      },
      error: (error) =>
        follower.onError(
          error instanceof Error
            ? error
            : new Error(`the subscription was refused: ${JSON.stringify(error)}`),
        ),
      complete() {},
    },
  );
}

function handle(event: LogEvent, store: CursorStore, follower: Follower): void {
  if (event.__typename === "NotificationDelivered") follower.onDelivered(event);
  else if (event.__typename === "NotificationsRead") follower.onRead(event);
  else follower.onGap(event);
  const cursor = event.__typename === "StreamGap" ? event.resumeFrom : event.cursor;
  if (cursor !== null) store.save(cursor);
}

async function newestCursor(apollo: ApolloClient): Promise<string> {
  const { data } = await apollo.query({
    query: InboxDocument,
    variables: { first: 1 },
    fetchPolicy: "network-only",
  });
  return data?.viewer?.notifications.edges[0]?.cursor ?? "";
}
