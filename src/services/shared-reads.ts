/**
 * One read for everybody who asks for the same at the same time. Whoever asks gets an answer that
 * was read after they asked; what is asked for again and again is read at most so often, however
 * many ask.
 */
import { setTimeout as delay } from "node:timers/promises";
import { LRUCache } from "lru-cache";

/** Shares reads. */
export interface SharedReads<T> {
  /** The next read of `key` that begins: now, or as soon as the last one began long enough ago. */
  read(key: string, load: () => Promise<T>): Promise<T>;
}

/** Keys that are told apart; the oldest is forgotten, and then read once too often at most. */
const MOST_KEYS = 10_000;

interface State<T> {
  begunAtMs: number;
  /** A read that has not begun. */
  next: Promise<T> | null;
}

/** @param everyMs shortest time between the beginnings of two reads of one key */
export function createSharedReads<T>(everyMs: number): SharedReads<T> {
  const states = new LRUCache<string, State<T>>({ max: MOST_KEYS });
  return {
    read(key, load) {
      const state = states.get(key) ?? { begunAtMs: Number.NEGATIVE_INFINITY, next: null };
      states.set(key, state);
      state.next ??= delay(Math.max(0, state.begunAtMs + everyMs - performance.now())).then(() => {
        state.next = null;
        state.begunAtMs = performance.now();
        return load();
      });
      return state.next;
    },
  };
}
