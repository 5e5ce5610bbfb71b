/** Loaders of notifications. */
import DataLoader from "dataloader";
import type { NotificationTable } from "../db/notification/inbox.js";
import type { NotificationRecord } from "../domain/notification.js";
import { byId, MAX_BATCH } from "./batch.js";

export interface NotificationLoaders {
  /**
   * By id, of any user. Read from Postgres each time: only the
   * owner may see it.
   */
  readonly notification: DataLoader<number, NotificationRecord | null>;
}

export const createNotificationLoaders = ({
  notifications,
}: {
  readonly notifications: Pick<NotificationTable, "byIds">;
}): NotificationLoaders => ({
  notification: new DataLoader(byId(notifications.byIds), { maxBatchSize: MAX_BATCH }),
});
