/** Exponential backoff of things that fail one by one, by their key: each waits for itself. */
import { type Backoff, backoffMs } from "../domain/time/backoff.js";

/** Who waits, and until when. */
export interface KeyedBackoff<K> {
  /** Whether a thing may be tried now. */
  isDue(key: K): boolean;
  /** Notes a failure. Resolves to how many there were in a row. */
  failed(key: K): number;
  succeeded(key: K): void;
}

/**
 * A first failure may be chance, so it is tried again the next time.
 * @param bounds of the pauses, the first of which follows the second failure
 */
export function createKeyedBackoff<K>(bounds: Backoff): KeyedBackoff<K> {
  const waiting = new Map<K, { readonly failures: number; readonly dueMs: number }>();
  return {
    isDue: (key) => (waiting.get(key)?.dueMs ?? 0) <= performance.now(),
    failed(key) {
      const before = waiting.get(key)?.failures ?? 0;
      const pauseMs = before === 0 ? 0 : backoffMs(before, bounds);
      waiting.set(key, { failures: before + 1, dueMs: performance.now() + pauseMs });
      return before + 1;
    },
    succeeded: (key) => void waiting.delete(key),
  };
}
