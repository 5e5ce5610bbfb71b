/** Notifications as clients of an app send, read and follow them. */
import { randomUUID } from "node:crypto";
import { connectSocket, type SocketClient } from "../server/websocket/socket-client.js";
import { ADMIN_TOKEN } from "./app.js";
import { type Data, patiently, post } from "./graphql.js";

const SEND =
  "mutation Send($input: NotificationInput!) { sendNotification(input: $input) { recipients " +
  "delivered errors { code field } } }";
const MARK =
  "mutation Mark($upTo: String, $ids: [ID!]) { markNotificationsRead(upTo: $upTo, ids: $ids) " +
  "{ marked unreadCount errors { code field } } }";
const INBOX = `query Inbox($first: Int, $after: String, $unreadOnly: Boolean) {
  viewer { unreadCount notifications(first: $first, after: $after, unreadOnly: $unreadOnly) {
    totalCount
    edges { cursor node { id kind title body url createdAt readAt } }
    pageInfo { hasNextPage endCursor }
  } }
}`;
const FOLLOW = `subscription Follow($after: String) { notificationReceived(after: $after) {
  __typename
  ... on NotificationDelivered { cursor unreadCount notification { id title readAt } }
  ... on NotificationsRead { cursor unreadCount ids upTo }
  ... on StreamGap { reason resumeFrom }
} }`;

/** Any of the three types of events. */
export interface LogEvent {
  readonly __typename: "NotificationDelivered" | "NotificationsRead" | "StreamGap";
  readonly cursor: string;
  readonly unreadCount: number;
  readonly notification: {
    readonly id: string;
    readonly title: string;
    readonly readAt: string | null;
  };
  readonly ids: readonly string[];
  readonly upTo: string | null;
  readonly reason: string;
  readonly resumeFrom: string;
}

/** An inbox as it is answered. */
export interface Inbox {
  readonly unreadCount: number;
  readonly notifications: {
    readonly totalCount: number;
    readonly edges: readonly {
      readonly cursor: string;
      readonly node: {
        readonly id: string;
        readonly title: string;
        readonly readAt: string | null;
      };
    }[];
    readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
  };
}

/** Sends as the service; the payload. */
export async function send(
  url: string,
  input: Record<string, unknown>,
  token = ADMIN_TOKEN,
): Promise<Data> {
  const whole = { kind: "test", title: "Hello", body: "", operationId: randomUUID(), ...input };
  const { data, errors } = await patiently(() => post(url, SEND, { input: whole }, { token }));
  return (data?.sendNotification ?? errors) as Data;
}

/** Marks as somebody; the payload. */
export async function markRead(
  url: string,
  token: string,
  what: { upTo?: string; ids?: readonly string[] },
): Promise<Data> {
  const { data, errors } = await post(url, MARK, what, { token });
  return (data?.markNotificationsRead ?? errors) as Data;
}

/** Reads an inbox. */
export async function inbox(
  url: string,
  token: string,
  args: Record<string, unknown> = {},
): Promise<Inbox> {
  const { data, errors } = await patiently(() =>
    post(url, INBOX, { first: 100, ...args }, { token }),
  );
  if (errors) throw new Error(JSON.stringify(errors));
  return data.viewer as unknown as Inbox;
}

/** One device that follows the log of its user. */
export interface Follower {
  readonly socket: SocketClient;
  /** The next event. */
  next(): Promise<LogEvent>;
  take(count: number): Promise<LogEvent[]>;
}

/**
 * Follows over a WebSocket of its own, after a cursor: `""` is the beginning, null is now. Nothing
 * tells a client when "now" was, so what is sent at once may come before it.
 */
export async function follow(
  wsUrl: string,
  token: string,
  after: string | null,
): Promise<Follower> {
  const socket = await connectSocket(wsUrl, { authorization: `Bearer ${token}` });
  socket.send({
    id: "follow",
    type: "subscribe",
    payload: { query: FOLLOW, variables: { after } },
  });
  const next = async (): Promise<LogEvent> => {
    const { payload, type } = await socket.next();
    const { data, errors } = payload as {
      data?: { notificationReceived: LogEvent };
      errors?: object[];
    };
    if (!data) throw new Error(`${type}: ${JSON.stringify(errors ?? payload)}`);
    return data.notificationReceived;
  };
  return {
    socket,
    next,
    async take(count) {
      const events: LogEvent[] = [];
      while (events.length < count) events.push(await next());
      return events;
    },
  };
}
