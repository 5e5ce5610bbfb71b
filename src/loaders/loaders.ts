/**
 * DataLoaders: N ids asked for one at a time by resolvers become one read of the cache, and one
 * statement for what it does not hold. Made anew for every operation, so that nothing outlives the
 * client whose consistency token they read by.
 */
import type { AccountLoaders } from "./account.js";
import type { CatalogueLoaders } from "./catalogue.js";
import type { CounterLoaders } from "./counters.js";
import type { NotificationLoaders } from "./notification.js";

/** The loaders of one operation. A subject adds its own by declaration merging. */
export interface Loaders
  extends AccountLoaders,
    CatalogueLoaders,
    CounterLoaders,
    NotificationLoaders {}
