import { LRUCache } from "lru-cache";
import { expect, test } from "vitest";
import { entriesUpTo } from "../../../src/domain/concurrency/bounded-cache.js";

test("A bounded cache keeps so many entries, and forgets the one used longest ago.", () => {
  const cache = new LRUCache<string, number>(entriesUpTo(3));
  for (const [index, key] of ["a", "b", "c"].entries()) cache.set(key, index);
  cache.get("a");
  cache.set("c", 7);
  cache.set("d", 3);
  expect([...cache.keys()].sort()).toEqual(["a", "c", "d"]);
});

test("A bounded cache takes no room for entries that it does not have.", () => {
  // The package allocates room for `max` entries when it is made.
  expect(new LRUCache(entriesUpTo(100_000)).max).toBe(0);
});
