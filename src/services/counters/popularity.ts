/** Computes the popularity of products that are due. */
import type { Logger } from "pino";
import type { Database } from "../../db/client/database.js";
import { computePopularity, skipDue, takeDue } from "../../db/counters/popularity.js";
import { POPULARITY_TAG } from "../../domain/catalogue/tags.js";
import { changeEntry } from "../../domain/events/outbox.js";
import { concernsAll } from "../bisect.js";
import { createWriteWithOutbox, type OutboxWriteDeps } from "../outbox/write-with-outbox.js";

export interface Popularity {
  /** Resolves to the number of products that changed. */
  refresh(): Promise<number>;
}

/** Per transaction: bounds how long admins wait for a row. */
const PRODUCTS_AT_ONCE = 500;

interface PopularityRound {
  readonly due: number;
  /** Products with another popularity now. */
  readonly changed: number;
}

export interface PopularityDeps extends OutboxWriteDeps {
  readonly database: Pick<Database, "transaction">;
  readonly log: Logger;
}

export function createPopularity({ log, ...deps }: PopularityDeps): Popularity {
  const write = createWriteWithOutbox(deps);

  /** Bisects batches; a failing product is left out. */
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
      await deps.database.transaction((tx) => skipDue(tx, productId));
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
        let { due, changed } = await round(PRODUCTS_AT_ONCE);
        due > 0;
        { due, changed } = await round(PRODUCTS_AT_ONCE)
      )
        moved += changed;
      return moved;
    },
  };
}
