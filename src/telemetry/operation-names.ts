/**
 * Which names of operations are told apart in the metrics. Names come from clients, and a label
 * holds few: invented names must neither fill the memory nor hide those that matter.
 *
 * Names of the manifest always are. Of the others, the most used are: a new name takes a free
 * place, or the place of the least used one once it was answered clearly more often. Uses count
 * half as much after each {@link HALF_LIFE_MS}; those without a place begin anew. An attacker has
 * to outdo the traffic of what he would hide.
 */
import { LRUCache } from "lru-cache";
import { MINUTE } from "../domain/time/time.js";

const MAX_NAMES = 100;
/** Names without a place whose uses are counted. */
const MAX_CANDIDATES = 1_000;
const HALF_LIFE_MS = MINUTE;
/** Two names of about the same use do not take turns. */
const isClearlyMore = (uses: number, than: number): boolean => uses > 2 * than + 10;

/** The names of one server's operations. */
export interface OperationNames {
  /** Names that have a place for good. */
  keep(names: Iterable<string>): void;
  /** The label of an operation; only an answered one counts as a use. */
  labelOf(name: string, isAnswered: boolean): string;
}

/** The label of operations without a name. */
export const ANONYMOUS_OPERATION = "anonymous";
/** The label of names without a place. */
const OTHER = "other";

/**
 * @param dropped told of a name that has lost its place; @param nowMs any clock that only goes
 * forward
 */
export function createOperationNames(
  dropped: (name: string) => void,
  nowMs: () => number,
): OperationNames {
  const kept = new Set([ANONYMOUS_OPERATION]);
  const placed = new Map<string, number>();
  const candidates = new LRUCache<string, number>({ max: MAX_CANDIDATES });
  let halvedAt = nowMs();

  const halve = () => {
    if (nowMs() - halvedAt < HALF_LIFE_MS) return;
    halvedAt = nowMs();
    for (const [name, uses] of placed) placed.set(name, uses / 2);
    candidates.clear();
  };
  /** Counts a use of a name without a place, which may gain it one. */
  const compete = (name: string): boolean => {
    const uses = (candidates.get(name) ?? 0) + 1;
    candidates.set(name, uses);
    if (placed.size >= MAX_NAMES) {
      const [least, leastUses] = leastOf(placed);
      if (!isClearlyMore(uses, leastUses)) return false;
      placed.delete(least);
      candidates.set(least, leastUses);
      dropped(least);
    }
    candidates.delete(name);
    placed.set(name, uses);
    return true;
  };

  return {
    keep(names) {
      for (const name of names) kept.add(name);
    },
    labelOf(name, isAnswered) {
      if (kept.has(name)) return name;
      halve();
      const uses = placed.get(name);
      if (uses === undefined) return isAnswered && compete(name) ? name : OTHER;
      if (isAnswered) placed.set(name, uses + 1);
      return name;
    },
  };
}

function leastOf(placed: ReadonlyMap<string, number>): [name: string, uses: number] {
  let least: [string, number] = ["", Number.POSITIVE_INFINITY];
  for (const entry of placed) if (entry[1] < least[1]) least = entry;
  return least;
}
