/**
 * Tallies of counts: read from Redis, loaded from Postgres, and
 * compared with it.
 */
import { Cluster, type Result } from "ioredis";
import { peopleCount, type StoredTally, type Tally, type TallyKey } from "../../domain/counters.js";
import type { NotLoaded } from "../client/memory-fence.js";
import { type CounterDeps, type ScriptArguments, shardOf } from "./keys.js";

declare module "ioredis" {
  interface RedisCommander<Context> {
    countersRead(
      numberOfKeys: number,
      ...keysAndArgs: ScriptArguments
    ): Result<TallyReply[], Context>;
    countersClaim(...keysAndArgs: ScriptArguments): Result<ClaimState, Context>;
    countersLoad(
      ...keysAndArgs: ScriptArguments
    ): Result<"not-claimed" | "outdated" | "loaded", Context>;
    countersDiff(
      ...keysAndArgs: ScriptArguments
    ): Result<[NotLoaded | "outdated" | "here", ...string[]], Context>;
  }
}

/**
 * By how much a tally has too many; "outdated" where a batch
 * was applied meanwhile.
 */
export type TallyDiff =
  | { readonly views: number; readonly shares: number }
  | NotLoaded
  | "outdated";

/** What a script says of one tally. */
type TallyReply = ["not-claimed" | NotLoaded | "here", ...string[]];

/** Whether a shard was claimed already, goes on, or has lost counts. */
type ClaimState = "known" | "continued" | "lost";

export function talliesOf({
  connection,
  call,
  places: { stateKeys, readArgs, loadArgs, diffArgs },
}: CounterDeps) {
  return {
    /**
     * Reads tallies, in the order asked. One round trip: an
     * EVALSHA for some hundred tallies, in a Cluster one for
     * each shard.
     * @param nowMs decides which periods go on
     */
    read: (
      wanted: readonly TallyKey[],
      nowMs: number,
    ): Promise<(Tally | NotLoaded | "not-claimed")[]> =>
      call("read", async () => {
        const groups = readTogether(wanted, connection instanceof Cluster);
        const replies = await Promise.all(
          groups.map((keys) => connection.countersRead(...readArgs(keys, nowMs))),
        );
        return inOrder(wanted, groups, replies).map(storedTally);
      }),
    /**
     * Lets this server count for a shard.
     * @param applied the last batch that Postgres applied
     * @param generation a name never used before
     */
    claimShard: (shard: number, applied: string, generation: string): Promise<ClaimState> =>
      call("claim", () => connection.countersClaim(...stateKeys(shard), applied, generation)),
    /**
     * Fills a tally with what Postgres has. One EVALSHA.
     * "outdated": Postgres has newer by now.
     */
    load: (
      key: TallyKey,
      stored: StoredTally,
      nowMs: number,
    ): Promise<"not-claimed" | "outdated" | "loaded"> =>
      call("load", () => connection.countersLoad(...loadArgs(key, stored, nowMs))),
    /**
     * By how much tallies exceed what Postgres has and what is
     * owed. In the order asked. One round trip, an EVALSHA each.
     */
    diff: (
      wanted: readonly TallyKey[],
      stored: readonly StoredTally[],
      repair: boolean,
    ): Promise<TallyDiff[]> =>
      call("diff", () =>
        Promise.all(
          stored.map(async (row, at) => {
            const args = diffArgs(wanted[at] as TallyKey, row);
            return toDiff(await connection.countersDiff(...args, Number(repair)));
          }),
        ),
      ),
  };
}

const toDiff = ([state, views, shares]: [
  NotLoaded | "outdated" | "here",
  ...string[],
]): TallyDiff => (state === "here" ? { views: Number(views), shares: Number(shares) } : state);

/** A script holds other clients up meanwhile. */
const MAX_READ_TOGETHER = 100;

/** Tallies that one script reads: of one slot, in a Cluster. */
function readTogether(wanted: readonly TallyKey[], isCluster: boolean): TallyKey[][] {
  const groups: TallyKey[][] = [];
  const open = new Map<number, TallyKey[]>();
  for (const key of wanted) {
    const slot = isCluster ? shardOf(key.productId) : 0;
    let group = open.get(slot);
    if (!group || group.length === MAX_READ_TOGETHER) {
      group = [];
      groups.push(group);
      open.set(slot, group);
    }
    group.push(key);
  }
  return groups;
}

function inOrder(
  wanted: readonly TallyKey[],
  groups: readonly (readonly TallyKey[])[],
  replies: readonly (readonly TallyReply[])[],
): TallyReply[] {
  const byKey = new Map(
    groups.flatMap((keys, group) => keys.map((key, at) => [key, replies[group]?.[at]])),
  );
  return wanted.map((key) => byKey.get(key) as TallyReply);
}

function storedTally([state, views, shares, viewers, isExact]: TallyReply):
  | Tally
  | NotLoaded
  | "not-claimed" {
  if (state !== "here") return state;
  return {
    views: Number(views),
    shares: Number(shares),
    viewers: peopleCount(Number(viewers), isExact === "1"),
  };
}
