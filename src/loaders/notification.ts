/** Loaders of notifications. */
import DataLoader from "dataloader";
import type { NotificationTable } from "../db/notification/inbox.js";
import type { NotificationRecord } from "../domain/notification.js";
import type { ReadContext } from "../domain/reading/read-context.js";
import { byId, MAX_BATCH, uncached } from "./batch.js";

export interface NotificationLoaders {
  /**
   * By id, of any user. Read from Postgres each time: only the
   * owner may see it.
   */
  readonly notification: DataLoader<number, NotificationRecord | null>;
}

export const createNotificationLoaders = (
  { notifications }: { readonly notifications: Pick<NotificationTable, "byIds"> },
  reading: ReadContext,
): NotificationLoaders => ({
  notification: new DataLoader(uncached(reading, byId(notifications.byIds)), {
    maxBatchSize: MAX_BATCH,
  }),
});
