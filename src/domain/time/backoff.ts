/** Exponential backoff with jitter. */

export interface Backoff {
  /** Longest wait after the first failure. */
  readonly firstMs: number;
  /** Longest wait after any failure. */
  readonly longestMs: number;
}

/**
 * The wait after so many failures in a row, in ms. It doubles
 * with each failure up to the longest. It is random between
 * half of that and all of it. So clients do not return
 * together.
 */
export function backoffMs(failures: number, { firstMs, longestMs }: Backoff): number {
  const ceilingMs = Math.min(firstMs * 2 ** Math.max(0, failures - 1), longestMs);
  return ceilingMs * (0.5 + Math.random() / 2);
}
