/**
 * DataLoaders: N single loads become one read of the cache. One
 * statement loads what the cache lacks. Every operation has new
 * loaders. So no value outlives the consistency token it was
 * read by.
 */
import type { AccountLoaders } from "./account.js";
import type { CatalogueLoaders } from "./catalogue.js";
import type { CounterLoaders } from "./counters.js";
import type { NotificationLoaders } from "./notification.js";

/**
 * The loaders of one operation. Subjects add theirs by
 * declaration merging.
 */
export interface Loaders
  extends AccountLoaders,
    CatalogueLoaders,
    CounterLoaders,
    NotificationLoaders {}
