/**
 * Reconciliation: whether what is counted twice over agrees. Redis against Postgres and what is
 * still to be flushed; the number of a product's likes against the rows. Postgres is right:
 * repairing makes Redis read it again, and counts the rows anew.
 */

import type { Tx } from "../../db/client/database.js";
import type { CounterTable } from "../../db/counters/counters.js";
import type { LikeTable } from "../../db/counters/likes.js";
import type { OutboxTable } from "../../db/outbox.js";
import { likesTag } from "../../domain/catalogue/tags.js";
import type { TallyKey } from "../../domain/counters.js";
import { changeEntry } from "../../domain/events/outbox.js";
import { type CounterStore, type Drift, shardOf } from "../../redis/counters/counters.js";

/** Something that does not agree: by how much the one that is not the truth has too many. */
export interface Disagreement {
  readonly productId: number;
  readonly what: "views" | "shares" | "likes";
  readonly excess: number;
}

/** What was found. */
export interface Reconciliation {
  /** Products that were looked at. */
  readonly products: number;
  /** Those among them that Redis has loaded: the others it reads from Postgres when it is asked. */
  readonly compared: number;
  readonly disagreements: readonly Disagreement[];
}

/** What it takes. */
export interface ReconcileParts {
  readonly store: Pick<CounterStore, "drift">;
  readonly table: Pick<CounterTable, "stored" | "counted">;
  readonly likes: Pick<LikeTable, "recount">;
  readonly outboxTable: Pick<OutboxTable, "append">;
}

const AT_ONCE = 500;
/** A batch that is applied between two looks is no drift; one more look tells. */
const MOST_LOOKS = 5;

/**
 * Looks at every product that has been counted. @param repair makes what is not the truth follow it
 */
export async function reconcile(
  { store, table, likes, outboxTable }: ReconcileParts,
  repair: boolean,
): Promise<Reconciliation> {
  const disagreements: Disagreement[] = [];
  let [products, compared] = [0, 0];
  for (
    let ids = await table.counted(0, AT_ONCE);
    ids.length > 0;
    ids = await table.counted(ids.at(-1) ?? 0, AT_ONCE)
  ) {
    const drifts = await look({ store, table }, ids, repair);
    products += ids.length;
    compared += drifts.filter((drift) => typeof drift === "object").length;
    disagreements.push(...drifts.flatMap((drift, at) => disagreementsOf(ids[at] ?? 0, drift)));
  }
  const forget = async (tx: Tx, ids: readonly number[]): Promise<void> => {
    for (let done = 0; done < ids.length; done += AT_ONCE)
      await outboxTable.append(tx, [
        changeEntry({ tags: ids.slice(done, done + AT_ONCE).map(likesTag) }),
      ]);
  };
  const wrong = await likes.recount(repair ? forget : undefined);
  return {
    products,
    compared,
    disagreements: [...disagreements, ...wrong.map((row) => ({ ...row, what: "likes" as const }))],
  };
}

function disagreementsOf(productId: number, drift: Drift): Disagreement[] {
  if (typeof drift === "string") return [];
  return (["views", "shares"] as const).flatMap((what) =>
    drift[what] === 0 ? [] : [{ productId, what, excess: drift[what] }],
  );
}

async function look(
  { store, table }: Pick<ReconcileParts, "store" | "table">,
  ids: readonly number[],
  repair: boolean,
): Promise<Drift[]> {
  let drifts: Drift[] = ids.map(() => "outdated");
  for (let looks = 0; looks < MOST_LOOKS && drifts.includes("outdated"); looks++) {
    const keys = ids.flatMap((productId, at): TallyKey[] =>
      drifts[at] === "outdated" ? [{ productId, period: "all" }] : [],
    );
    const found = await store.drift(keys, await table.stored(keys, shardOf), repair);
    drifts = drifts.map((drift) => (drift === "outdated" ? (found.shift() ?? drift) : drift));
  }
  return drifts;
}
