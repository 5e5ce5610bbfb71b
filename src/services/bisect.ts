/**
 * Work that is done together, and that a single item can fail for all: the others are done all the
 * same.
 */
import { ServiceUnavailable } from "../domain/errors.js";
import { refusalOf } from "../redis/client/refusals.js";

/** Whether a failure is that of a server, which no item is to blame for. */
export const concernsAll = (error: unknown): boolean =>
  error instanceof ServiceUnavailable && refusalOf(error) !== "command";

/**
 * Runs `work` over all items; where it fails, over each half, until every failing item is alone.
 * `work` changes nothing when it fails. O(failing items · log items) more runs. Rejects with the
 * failure of a server; items done before stay done.
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
