/** Notifications, and the log of each user that holds them. */

/** Content of a notification; the same for all recipients. */
export interface NotificationContent {
  /** The subject, as a word that programs branch on. */
  readonly kind: string;
  readonly title: string;
  readonly body: string;
  /** Where it leads: an address, or a path of the shop. */
  readonly url: string | null;
  /** When it expires: from then on it is invisible. */
  readonly expiresAt: string | null;
}

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

/**
 * Bounds, in characters; `users` and `ids` bound how many can
 * be named at once.
 */
export const NOTIFICATION_LIMITS = {
  kind: 64,
  title: 200,
  body: 2_000,
  url: 2_048,
  users: 1_000,
  ids: 1_000,
} as const;

/**
 * An entry of a user's log, as of its commit; `unread` is the
 * number at that time.
 */
export type NotificationEvent =
  | {
      readonly type: "delivered";
      readonly notification: NotificationRecord;
      readonly unread: number;
    }
  | {
      readonly type: "read";
      /**
       * The ones that were named and are read by this; empty
       * with `upTo`.
       */
      readonly ids: readonly number[];
      /**
       * Sequence of the newest that this marked; everything
       * up to it is read.
       */
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
 * What a committed write adds to logs, as the outbox keeps
 * it: the content once, for any number of users.
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

/** Names the log of a user for its list and its cursors. */
export const notificationLog = (userId: number): string => `notifications:${userId}`;
