/**
 * Follows the log of notifications, so that the page shows each once, however often its connection
 * breaks.
 *
 * The inbox says where the log is: the cursor of its newest notification. Each event moves the
 * cursor, and every subscription begins after it. It is kept in memory, for each tab its own: a
 * shared one would let a tab skip what another one has shown.
 */
import { CombinedGraphQLErrors } from "@apollo/client";
import { print } from "graphql";
import type { WatchInboxSubscription } from "../generated/graphql";
import type { Shop } from "../shop/shop";
import { deliver, INBOX, markRead, WATCH_INBOX } from "./inbox";

/** Follows until the returned function is called. `onError` ends it. */
export function followInbox({ apollo, sockets }: Shop, onError: (error: unknown) => void) {
  const { cache } = apollo;
  let isOver = false;
  let unsubscribe = (): void => {};
  let cursor = "";

  async function readInbox(): Promise<void> {
    const { data } = await apollo.query({ query: INBOX, fetchPolicy: "network-only" });
    // The empty text is the beginning of the log, for an inbox that is empty.
    cursor = data?.viewer?.notifications.edges[0]?.cursor ?? "";
  }
  function handle(event: WatchInboxSubscription["notificationReceived"]): void {
    if (event.__typename === "NotificationDelivered") deliver(cache, event);
    if (event.__typename === "NotificationsRead") markRead(cache, event);
    if (event.__typename !== "StreamGap") cursor = event.cursor;
    // What is missing is in the inbox. It is read before the log goes on after its newest.
    else restart();
  }
  function restart(): void {
    unsubscribe();
    readInbox().then(() => isOver || subscribe(), fail);
  }
  function subscribe(): void {
    unsubscribe = sockets.client.subscribe<WatchInboxSubscription>(
      {
        query: print(cache.transformDocument(WATCH_INBOX)),
        variables: {
          // Read when it is sent: also when graphql-ws subscribes again after a reconnect.
          get after() {
            return cursor;
          },
        },
      },
      {
        next({ data, errors }) {
          if (data && !isOver) handle(data.notificationReceived);
          if (errors) fail(errors);
        },
        error: fail,
        complete() {},
      },
    );
  }
  function fail(error: unknown): void {
    const failure = Array.isArray(error) ? new CombinedGraphQLErrors({ errors: error }) : error;
    if (!isOver && !isSessionOver(failure)) onError(failure);
  }

  restart();
  return () => {
    isOver = true;
    unsubscribe();
  };
}

/** The session has ended: the page is about to be a guest's. */
const isSessionOver = (error: unknown): boolean =>
  CombinedGraphQLErrors.is(error)
    ? error.errors[0]?.extensions?.code === "UNAUTHENTICATED"
    : (error as Partial<CloseEvent> | null)?.code === 4401;
