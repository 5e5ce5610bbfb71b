/**
 * A client of the shop: queries and mutations over HTTP, subscriptions over one WebSocket that
 * comes back by itself.
 *
 * Operations are the typed documents of ./generated/operations.ts, which `npm run codegen` makes
 * from the .graphql files: results and variables are checked by the compiler, and there is not a
 * string of GraphQL in the program.
 */
import { ApolloClient, ApolloLink, HttpLink, InMemoryCache } from "@apollo/client";
import { GraphQLWsLink } from "@apollo/client/link/subscriptions";
import { OperationTypeNode } from "graphql";
import { type Client, CloseCode, createClient } from "graphql-ws";
import { WebSocket } from "ws";
import { createConsistentFetch } from "./consistency.js";
import { createGuestFetch } from "./guest.js";
import { createPatientFetch } from "./patience.js";

/** Where the shop is, and who calls. */
export interface ShopOptions {
  /**
   * Address of the GraphQL endpoint, e.g. `http://127.0.0.1:4000/graphql`; subscriptions go to the
   * same place.
   */
  readonly url: string;
  /** Service token, for the operations of admins. */
  readonly token?: string | undefined;
  /** Called whenever the WebSocket is open: the first time, and after every reconnect. */
  readonly onConnected?: () => void;
}

/** A client and what it holds open. */
export interface Shop {
  readonly apollo: ApolloClient;
  /**
   * The WebSocket itself, for subscriptions that begin elsewhere after a reconnect (see
   * notifications.ts).
   */
  readonly sockets: Client;
  /** Ends every subscription and closes the WebSocket. */
  close(): Promise<void>;
}

/** Makes a client. The WebSocket opens with the first subscription and closes with the last. */
export function createShop(options: ShopOptions): Shop {
  const sockets = createSockets(options);
  const http = new HttpLink({
    uri: options.url,
    fetch: createGuestFetch(createConsistentFetch(createPatientFetch())),
    headers: authorization(options),
  });
  const link = ApolloLink.split(
    ({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION,
    new GraphQLWsLink(sockets),
    http,
  );
  const apollo = new ApolloClient({ link, cache: createCache() });
  return {
    apollo,
    sockets,
    async close() {
      apollo.stop();
      await sockets.dispose();
    },
  };
}

/** A list or an event that comes again is the whole of it: it replaces what was there. */
const REPLACED = { merge: false };

/**
 * Objects merge by their ids, so select `id` wherever there is one: then an event of a subscription
 * changes what queries show. Put one fragment into both: what an event leaves out of a list is lost
 * to the query.
 */
const createCache = () =>
  new InMemoryCache({
    possibleTypes: {
      Node: ["Brand", "Category", "Leaderboard", "Notification", "Product", "Review", "User"],
      NotificationEvent: ["NotificationDelivered", "NotificationsRead", "StreamGap"],
    },
    typePolicies: {
      Cart: { fields: { lines: REPLACED } },
      LeaderboardEntryConnection: { fields: { edges: REPLACED } },
      Subscription: { fields: { notificationReceived: REPLACED } },
    },
  });

/**
 * The longest wait between two attempts: graphql-ws would double it for ever, and a client that was
 * away for a minute be away for two.
 */
const LONGEST_WAIT_MS = 10_000;
const FIRST_WAIT_MS = 250;

/**
 * Grows with every failed attempt; half of it is random, so that a fleet of clients does not come
 * back all at once.
 */
function waitBeforeRetry(retries: number): Promise<void> {
  const waitMs = Math.min(FIRST_WAIT_MS * 2 ** retries, LONGEST_WAIT_MS);
  return new Promise((resolve) => setTimeout(resolve, waitMs * (0.5 + Math.random() / 2)));
}

/**
 * Reconnects for ever, after a growing, bounded wait. Nothing has to be remembered meanwhile: a
 * snapshot subscription begins with the latest value, so whatever was missed is made good by its
 * first message. Close codes 4401 and 4403 mean that the token is not valid (any more): then it
 * stays closed.
 */
function createSockets({ url, token, onConnected }: ShopOptions): Client {
  return createClient({
    url: url.replace(/^http/, "ws"),
    webSocketImpl: WebSocket,
    connectionParams: authorization({ token }),
    retryAttempts: Number.POSITIVE_INFINITY,
    retryWait: waitBeforeRetry,
    shouldRetry: (reason) => (reason as { code?: number }).code !== CloseCode.Forbidden,
    keepAlive: 10_000,
    ...(onConnected ? { on: { connected: onConnected } } : {}),
  });
}

function authorization({ token }: Pick<ShopOptions, "token">): Record<string, string> {
  return token ? { authorization: `Bearer ${token}` } : {};
}
