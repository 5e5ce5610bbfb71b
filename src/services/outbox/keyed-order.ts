/**
 * Concurrent work, in order per key: items that share
 * a key run one after the other.
 */

/**
 * Runs `work` for every item, after the earlier ones
 * of its keys. Rejects with the first rejection.
 */
export async function inOrderByKey<T>(
  items: readonly T[],
  keysOf: (item: T) => readonly string[],
  work: (item: T) => Promise<void>,
): Promise<void> {
  const last = new Map<string, Promise<void>>();
  const all = items.map((item) => {
    const keys = keysOf(item);
    const earlier = new Set(keys.flatMap((key) => last.get(key) ?? []));
    const mine = Promise.all(earlier).then(() => work(item));
    for (const key of keys) last.set(key, mine);
    return mine;
  });
  await Promise.all(all);
}
