/**
 * Reconciliation: compares Redis with Postgres and
 * unflushed counts. Compares the number of likes with
 * their rows. Postgres is right: a repair makes Redis
 * load it again, and counts likes anew.
 */

import type { Tx } from "../../db/client/database.js";
import type { CounterTable } from "../../db/counters/counters.js";
import type { LikeTable } from "../../db/counters/likes.js";
import type { OutboxTable } from "../../db/outbox.js";
import { likesTag } from "../../domain/catalogue/tags.js";
import type { TallyKey } from "../../domain/counters.js";
import { changeEntry } from "../../domain/events/outbox.js";
import { type CounterStore, shardOf, type TallyDiff } from "../../redis/counters/counters.js";

/** A number that differs: `excess` over the right one. */
export interface Disagreement {
  readonly productId: number;
  readonly what: "views" | "shares" | "likes";
  readonly excess: number;
}

export interface Reconciliation {
  readonly products: number;
  /** Products that Redis has loaded; others are loaded when read. */
  readonly compared: number;
  readonly disagreements: readonly Disagreement[];
}

export interface ReconcileDeps {
  readonly store: Pick<CounterStore, "diff">;
  readonly table: Pick<CounterTable, "stored" | "counted">;
  readonly likes: Pick<LikeTable, "recount">;
  readonly outboxTable: Pick<OutboxTable, "append">;
}

const COMPARED_AT_ONCE = 500;
/** A batch applied meanwhile differs; compared again, it does not. */
const MAX_COMPARISONS = 5;

/** Compares every counted product. @param repair corrects it */
export async function reconcile(
  { store, table, likes, outboxTable }: ReconcileDeps,
  repair: boolean,
): Promise<Reconciliation> {
  const disagreements: Disagreement[] = [];
  let [products, compared] = [0, 0];
  for (
    let ids = await table.counted(0, COMPARED_AT_ONCE);
    ids.length > 0;
    ids = await table.counted(ids.at(-1) ?? 0, COMPARED_AT_ONCE)
  ) {
    const diffs = await compare({ store, table }, ids, repair);
    products += ids.length;
    compared += diffs.filter((diff) => typeof diff === "object").length;
    disagreements.push(...diffs.flatMap((diff, at) => disagreementsOf(ids[at] ?? 0, diff)));
  }
  const forget = async (tx: Tx, ids: readonly number[]): Promise<void> => {
    for (let done = 0; done < ids.length; done += COMPARED_AT_ONCE)
      await outboxTable.append(tx, [
        changeEntry({ tags: ids.slice(done, done + COMPARED_AT_ONCE).map(likesTag) }),
      ]);
  };
  const wrong = await likes.recount(repair ? forget : undefined);
  return {
    products,
    compared,
    disagreements: [...disagreements, ...wrong.map((row) => ({ ...row, what: "likes" as const }))],
  };
}

function disagreementsOf(productId: number, diff: TallyDiff): Disagreement[] {
  if (typeof diff === "string") return [];
  return (["views", "shares"] as const).flatMap((what) =>
    diff[what] === 0 ? [] : [{ productId, what, excess: diff[what] }],
  );
}

async function compare(
  { store, table }: Pick<ReconcileDeps, "store" | "table">,
  ids: readonly number[],
  repair: boolean,
): Promise<TallyDiff[]> {
  let diffs: TallyDiff[] = ids.map(() => "outdated");
  for (let rounds = 0; rounds < MAX_COMPARISONS && diffs.includes("outdated"); rounds++) {
    const keys = ids.flatMap((productId, at): TallyKey[] =>
      diffs[at] === "outdated" ? [{ productId, period: "all" }] : [],
    );
    const found = await store.diff(keys, await table.stored(keys, shardOf), repair);
    diffs = diffs.map((diff) => (diff === "outdated" ? (found.shift() ?? diff) : diff));
  }
  return diffs;
}
