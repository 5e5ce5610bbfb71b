/**
 * Bisection of batched work: isolates the items that
 * fail a whole batch, and completes the others.
 */
import { ServiceUnavailable } from "../domain/errors.js";
import { refusalOf } from "../redis/client/refusals.js";

/** Whether a server failed, and no item. */
export const concernsAll = (error: unknown): boolean =>
  error instanceof ServiceUnavailable && refusalOf(error) !== "command";

/**
 * Runs `work` over all items. Where it fails, over
 * each half, until every failing item is alone. A
 * failed `work` must change nothing. O(failing items ·
 * log items) more runs. Rejects when a server fails;
 * finished items stay done.
 */
export async function bisect<T>(
  items: readonly T[],
  work: (items: readonly T[]) => Promise<void>,
  onPoisoned: (item: T, error: unknown) => Promise<void> | void,
): Promise<void> {
  try {
    await work(items);
  } catch (error) {
    const [first] = items;
    if (concernsAll(error) || first === undefined) throw error;
    if (items.length === 1) return onPoisoned(first, error);
    const half = Math.ceil(items.length / 2);
    await bisect(items.slice(0, half), work, onPoisoned);
    await bisect(items.slice(half), work, onPoisoned);
  }
}
