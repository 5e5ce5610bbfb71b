/** Lets POPULAR lists follow the counters: products that are due get their popularity anew, and the lists are told once for all of them. */
import type { Database } from "../db/database.js";
import { refreshPopularity } from "../db/popularity.js";
import { POPULARITY_TAG } from "../domain/tags.js";
import { type AnnouncedWriteParts, createAnnouncedWrite } from "./announced-write.js";

/** Keeps popularity. */
export interface Popularity {
  /** Brings every product that is due up to date. Resolves to how many moved. */
  refresh(): Promise<number>;
}

/** Products in one transaction: bounds how long admins may wait for a row. */
const AT_ONCE = 500;

export function createPopularity(parts: AnnouncedWriteParts & { readonly database: Pick<Database, "transaction"> }): Popularity {
  const write = createAnnouncedWrite(parts);
  return {
    async refresh() {
      let moved = 0;
      for (;;) {
        const { decision: round } = await write(async (tx) => {
          const { due, changed } = await refreshPopularity(tx, AT_ONCE);
          return { decision: { due, changed }, message: changed > 0 ? { tags: [POPULARITY_TAG], events: [] } : null };
        });
        moved += round.changed;
        if (round.due < AT_ONCE) return moved;
      }
    },
  };
}
