/**
 * Which operation names have a label of their own. Clients
 * choose names, and labels must be few: invented names must
 * neither fill memory nor hide real ones.
 *
 * Names of the manifest always have a label. The others compete
 * by use. A new name takes a free place. Otherwise it replaces
 * the least used name once it is clearly used more. Uses halve
 * in each {@link HALF_LIFE_MS}; a name that lost its place
 * begins anew. To hide a name, an attacker has to exceed its
 * traffic.
 */
import { LRUCache } from "lru-cache";
import { entriesUpTo } from "../domain/concurrency/bounded-cache.js";
import { MINUTE } from "../domain/time/time.js";

const MAX_NAMES = 100;
/** Names without a place whose uses are counted. */
const MAX_CANDIDATES = 1_000;
const HALF_LIFE_MS = MINUTE;
/** Keeps two names of similar use from taking turns. */
const isClearlyMore = (uses: number, than: number): boolean => uses > 2 * than + 10;

/** The names of one server's operations. */
export interface OperationNames {
  /** Names that always have a place. */
  keep(names: Iterable<string>): void;
  /** The label of an operation; only answered ones count as uses. */
  labelOf(name: string, isAnswered: boolean): string;
}

/** The label of operations without a name. */
export const ANONYMOUS_OPERATION = "anonymous";
/** The label of names without a place. */
const OTHER = "other";

/**
 * @param dropped called with a name that lost its place
 * @param nowMs a clock that only goes forward
 */
export function createOperationNames(
  dropped: (name: string) => void,
  nowMs: () => number,
): OperationNames {
  const kept = new Set([ANONYMOUS_OPERATION]);
  const placed = new Map<string, number>();
  const candidates = new LRUCache<string, number>(entriesUpTo(MAX_CANDIDATES));
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
