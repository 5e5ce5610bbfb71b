/** Exponential backoff by key. */
import { type Backoff, backoffMs } from "../domain/time/backoff.js";

export interface KeyedBackoff<K> {
  isDue(key: K): boolean;
  /** Records a failure. Returns the number in a row. */
  failed(key: K): number;
  succeeded(key: K): void;
}

/**
 * A first failure may be chance: it causes no pause.
 * @param bounds of the pauses
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
