/** Batches of counts on their way to Postgres. */
import type { Result } from "ioredis";
import {
  type BatchCounts,
  type CounterBatch,
  periodName,
  type Sketch,
  type TallyKey,
} from "../../domain/counters.js";
import { type CounterDeps, type ScriptArguments, SHARDS } from "./keys.js";

declare module "ioredis" {
  interface RedisCommander<Context> {
    countersCut(
      ...keysAndArgs: ScriptArguments
    ): Result<["not-claimed"] | [] | ["batch", ...string[]], Context>;
    countersSketchBuffer(...keysAndArgs: ScriptArguments): Result<Buffer[], Context>;
    countersUnflushed(
      ...keysAndArgs: ScriptArguments
    ): Result<[fields: number, ageMs: number], Context>;
    countersAck(...keysAndArgs: ScriptArguments): Result<0 | 1, Context>;
  }
}

const ALL_SHARDS = Array.from({ length: SHARDS }, (_, shard) => shard);

export function batchesOf({
  connection,
  keys,
  call,
  places: { stateKeys, sketchArgs },
}: CounterDeps) {
  return {
    /**
     * How many fields wait for Postgres in all shards. `oldestMs`
     * bounds the age of the oldest. One round trip, an EVALSHA
     * each.
     */
    unflushed: (): Promise<{ readonly fields: number; readonly oldestMs: number }> =>
      call("unflushed", async () => {
        const shards = await Promise.all(
          ALL_SHARDS.map((shard) => connection.countersUnflushed(...stateKeys(shard))),
        );
        return {
          fields: shards.reduce((sum, [fields]) => sum + fields, 0),
          oldestMs: Math.max(...shards.map(([, ageMs]) => ageMs)),
        };
      }),
    /**
     * Sets aside what each shard has counted, or answers what
     * was set aside before. One round trip, an EVALSHA each.
     */
    cutBatch: (
      shards: readonly number[],
      id: string,
    ): Promise<(CounterBatch | "not-claimed" | null)[]> =>
      call("cut", () =>
        Promise.all(
          shards.map(async (shard) =>
            toBatch(shard, await connection.countersCut(...stateKeys(shard), id)),
          ),
        ),
      ),
    /**
     * The viewers of tallies in a batch, to be stored with it;
     * null where a tally is not loaded. One round trip, an
     * EVALSHA each.
     */
    sketches: (batch: CounterBatch, wanted: readonly TallyKey[]): Promise<(Sketch | null)[]> =>
      call("sketch", () =>
        Promise.all(
          wanted.map(async (key) =>
            toSketch(key, await connection.countersSketchBuffer(...sketchArgs(batch, key))),
          ),
        ),
      ),
    /**
     * Drops a batch that is in Postgres, or one that cannot get
     * there. One EVALSHA.
     */
    ackBatch: ({ shard, id }: CounterBatch, fate: "applied" | "stray"): Promise<unknown> =>
      call("ack", () =>
        connection.countersAck(keys.counterShard(shard), keys.counterBatch(shard), id, fate),
      ),
  };
}

function toSketch(
  { productId, period }: TallyKey,
  [bytes, estimate, over, ...known]: Buffer[],
): Sketch | null {
  if (!bytes) return null;
  const isOver = String(over) === "1";
  const few = known.flatMap((viewer, at) =>
    at % 2 === 0 ? [{ viewer: String(viewer), day: Number(known[at + 1]) }] : [],
  );
  return {
    productId,
    period: periodName(period),
    bytes,
    isOver,
    viewers: isOver ? Number(estimate) : few.length,
    few,
  };
}

function toBatch(
  shard: number,
  [state, id = "", prev = "", ...fields]: ["not-claimed"] | [] | ["batch", ...string[]],
): CounterBatch | "not-claimed" | null {
  if (state === undefined) return null;
  if (state === "not-claimed") return state;
  const counts = new Map<string, { -readonly [Field in keyof BatchCounts]: BatchCounts[Field] }>();
  let unreadable = 0;
  for (let at = 0; at < fields.length; at += 2) {
    const [field = "", value = ""] = fields.slice(at, at + 2);
    if (!FIELD.test(field) || !VALUE.test(value)) {
      unreadable += 1;
      continue;
    }
    const [product, period = "", what] = field.split(":");
    const name = `${product}:${period}`;
    const row = counts.get(name) ?? {
      productId: Number(product),
      period,
      views: 0,
      shares: 0,
      viewersChanged: false,
    };
    counts.set(name, row);
    if (what === "viewers") row.viewersChanged = true;
    else if (what === "views" || what === "shares") row[what] = Number(value);
  }
  return { shard, id, prev, counts: [...counts.values()], ...(unreadable > 0 && { unreadable }) };
}

/**
 * What the scripts write: `<product>:<period>:<what>`, and a
 * count.
 */
const FIELD = /^[1-9]\d{0,15}:(all|\d{4}-\d\d(-\d\d)?):(views|shares|viewers)$/;
const VALUE = /^\d{1,16}$/;
