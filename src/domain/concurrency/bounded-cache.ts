/**
 * Options of an LRU cache with room for `count` entries. It
 * grows as it fills. The option `max` would allocate room for
 * all of them at once.
 */
export const entriesUpTo = (
  count: number,
): { readonly maxSize: number; readonly sizeCalculation: () => number } => ({
  maxSize: count,
  sizeCalculation: () => 1,
});
