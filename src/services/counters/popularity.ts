/**
 * Lets POPULAR lists follow the counters: products that are due get their popularity anew, and the
 * lists are told once for all of them.
 */
import type { Logger } from "pino";
import type { Database } from "../../db/client/database.js";
import { computePopularity, skipDue, takeDue } from "../../db/counters/popularity.js";
import { POPULARITY_TAG } from "../../domain/catalogue/tags.js";
import { changeEntry } from "../../domain/events/outbox.js";
import { concernsAll } from "../bisect.js";
import { createWriteWithOutbox, type OutboxWriteDeps } from "../outbox/write-with-outbox.js";

/** Keeps popularity. */
export interface Popularity {
  /** Brings every product that is due up to date. Resolves to how many moved. */
  refresh(): Promise<number>;
}

/** Products in one transaction: bounds how long admins may wait for a row. */
const AT_ONCE = 500;

/** What a round did. */
interface PopularityRound {
  /** Products that were looked at. */
  readonly due: number;
  /** Those whose popularity is another now. */
  readonly changed: number;
}

/** What it takes. */
export interface PopularityParts extends OutboxWriteDeps {
  readonly database: Pick<Database, "transaction">;
  readonly log: Logger;
}

export function createPopularity({ log, ...parts }: PopularityParts): Popularity {
  const write = createWriteWithOutbox(parts);

  /** A product that fails is left out; what it shares a round with is tried in halves. */
  const round = async (limit: number): Promise<PopularityRound> => {
    let due: readonly number[] = [];
    try {
      const { decision } = await write(async (tx) => {
        due = await takeDue(tx, limit);
        const changed = due.length > 0 ? await computePopularity(tx, due) : 0;
        return {
          decision: { due: due.length, changed },
          owes: changed > 0 ? [changeEntry({ tags: [POPULARITY_TAG] })] : [],
        };
      });
      return decision;
    } catch (error) {
      const [productId] = due;
      if (concernsAll(error) || productId === undefined) throw error;
      if (due.length > 1) return round(Math.ceil(due.length / 2));
      await parts.database.transaction((tx) => skipDue(tx, productId));
      log.error(
        { err: error, productId },
        "the popularity of a product cannot be computed; it waits for its next count",
      );
      return { due: 1, changed: 0 };
    }
  };
  return {
    async refresh() {
      let moved = 0;
      for (
        let { due, changed } = await round(AT_ONCE);
        due > 0;
        { due, changed } = await round(AT_ONCE)
      )
        moved += changed;
      return moved;
    },
  };
}
