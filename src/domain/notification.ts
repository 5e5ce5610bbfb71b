/** Notifications as they travel between rooms, and the log of each user that tells of them. */

/** What a notification says; the same for everybody it is sent to. */
export interface NotificationContent {
  /** What it is about, as a word that programs branch on. */
  readonly kind: string;
  readonly title: string;
  readonly body: string;
  /** Where it leads: an address, or a path of the shop. */
  readonly url: string | null;
  /** When it is of no use any more: from then on it is as if it had never been. */
  readonly expiresAt: string | null;
}

/** A notification in the inbox of one user. */
export interface NotificationRecord extends NotificationContent {
  readonly id: number;
  readonly userId: number;
  /** Its place in the user's log. */
  readonly sequence: number;
  readonly createdAt: string;
  readonly readAt: string | null;
}

/** A list of an inbox: all of it, or what is unread. */
export interface InboxListing {
  readonly userId: number;
  readonly unreadOnly: boolean;
}

/** Bounds, in characters but for `users` and `ids`: how many can be named at once. */
export const NOTIFICATION_LIMITS = {
  kind: 64,
  title: 200,
  body: 2_000,
  url: 2_048,
  users: 1_000,
  ids: 1_000,
} as const;

/**
 * One entry of a user's log, as of its commit; `unread` is how many unread ones there were then.
 */
export type NotificationEvent =
  | {
      readonly type: "delivered";
      readonly notification: NotificationRecord;
      readonly unread: number;
    }
  | {
      readonly type: "read";
      /** The ones that were named and are read by this; empty where `upTo` says it. */
      readonly ids: readonly number[];
      /** Sequence of the newest that this marked, where everything up to it is read now. */
      readonly upTo: number | null;
      readonly unread: number;
    };

/** One notification in one inbox. */
export interface Delivery {
  readonly userId: number;
  readonly sequence: number;
  readonly id: number;
  readonly unread: number;
}

/**
 * What a committed write adds to the logs of users, as the outbox keeps it: the content once,
 * however many it is for.
 */
export type NotificationAppend =
  | {
      readonly type: "delivered";
      readonly content: NotificationContent;
      readonly createdAt: string;
      readonly to: readonly Delivery[];
    }
  | ({ readonly type: "read"; readonly userId: number; readonly sequence: number } & Omit<
      Extract<NotificationEvent, { type: "read" }>,
      "type"
    >);

/** Names the log of a user: its list, its cursors. */
export const notificationLog = (userId: number): string => `notifications:${userId}`;
