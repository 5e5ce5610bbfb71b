/** Loaders of accounts. */
import DataLoader from "dataloader";
import type { UserTable } from "../db/account/users.js";
import type { UserRecord } from "../domain/account/user.js";
import type { ReadContext } from "../domain/reading/read-context.js";
import { byId, MAX_BATCH, uncached } from "./batch.js";

export interface AccountLoaders {
  /**
   * Read from Postgres each time: accounts are private, so never
   * in the cache.
   */
  readonly user: DataLoader<number, UserRecord | null>;
}

export const createAccountLoaders = (
  { users }: { readonly users: Pick<UserTable, "byIds"> },
  reading: ReadContext,
): AccountLoaders => ({
  user: new DataLoader(uncached(reading, byId(users.byIds)), { maxBatchSize: MAX_BATCH }),
});
