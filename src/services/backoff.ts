/** Exponential backoff of things that fail one by one, by their key: each waits for itself. */

/** Who waits, and until when. */
export interface Backoff<K> {
  /** Whether a thing may be tried now. */
  isDue(key: K): boolean;
  /** Notes a failure. Resolves to how many there were in a row. */
  failed(key: K): number;
  succeeded(key: K): void;
}

/**
 * A first failure may be chance, so it is tried again the next time.
 * @param firstMs the pause after the second failure; each further one doubles it, up to `longestMs`
 */
export function createBackoff<K>({ firstMs, longestMs }: { readonly firstMs: number; readonly longestMs: number }): Backoff<K> {
  const waiting = new Map<K, { readonly failures: number; readonly dueMs: number }>();
  return {
    isDue: (key) => (waiting.get(key)?.dueMs ?? 0) <= performance.now(),
    failed(key) {
      const before = waiting.get(key)?.failures ?? 0;
      const pauseMs = before === 0 ? 0 : Math.min(firstMs * 2 ** (before - 1), longestMs);
      waiting.set(key, { failures: before + 1, dueMs: performance.now() + pauseMs });
      return before + 1;
    },
    succeeded: (key) => void waiting.delete(key),
  };
}
