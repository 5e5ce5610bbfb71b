/**
 * Shared reads: callers of one key share the next read
 * that has not begun. An answer is never older than
 * the question. However many ask, each key is read at
 * most once per window.
 */
import { setTimeout as delay } from "node:timers/promises";
import { LRUCache } from "lru-cache";
import { entriesUpTo } from "../domain/concurrency/bounded-cache.js";
import { SingleFlight } from "../domain/concurrency/single-flight.js";

export interface SharedReads<T> {
  /** The next read: now, or a window after the last one. */
  read(key: string, load: () => Promise<T>): Promise<T>;
}

/** Bounds memory; a forgotten key is read once more. */
const MAX_KEYS = 10_000;

/** @param everyMs shortest time between two reads of one key */
export function createSharedReads<T>(everyMs: number): SharedReads<T> {
  const waiting = new SingleFlight<T>();
  const begunAtMs = new LRUCache<string, number>(entriesUpTo(MAX_KEYS));
  return {
    read: (key, load) =>
      waiting.run(key, async () => {
        const dueAtMs = (begunAtMs.get(key) ?? Number.NEGATIVE_INFINITY) + everyMs;
        await delay(Math.max(0, dueAtMs - performance.now()));
        // Later callers share the next read: this one may be
        // older than their question.
        waiting.forget(key);
        begunAtMs.set(key, performance.now());
        return load();
      }),
  };
}
