/**
 * Exponential backoff with jitter: how long to wait before something that failed is tried again.
 */

/** The bounds of a wait. */
export interface Backoff {
  /** Longest wait after the first failure. */
  readonly firstMs: number;
  /** Longest wait after any failure. */
  readonly longestMs: number;
}

/**
 * The wait after so many failures in a row, ms. Doubles with each failure up to the longest.
 * Between half of that and all of it, at random, so that those who failed together do not return
 * together.
 */
export function backoffMs(failures: number, { firstMs, longestMs }: Backoff): number {
  const most = Math.min(firstMs * 2 ** Math.max(0, failures - 1), longestMs);
  return most * (0.5 + Math.random() / 2);
}
