/**
 * Random numbers of the seed: the same on every machine and
 * version. They are addressable, so that any row can be made
 * by itself.
 */

/** A deterministic source of choices. */
export interface Random {
  /** 0 <= x < 1. */
  next(): number;
  /** An integer, both ends included. */
  between(min: number, max: number): number;
  /** True with this probability. */
  chance(probability: number): boolean;
  /** One of a list that is not empty. */
  pick<T>(list: readonly T[]): T;
}

/**
 * Numbers that depend on the seed and the address alone.
 * Source: mulberry32 (T. Ettinger), seeded by FNV-1a.
 * @param address what the numbers are for, e.g.
 * `("review", 17)`
 */
export function randomAt(seed: number, ...address: readonly (string | number)[]): Random {
  let state = hash(`${seed}/${address.join("/")}`);
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    next,
    between: (min, max) => min + Math.floor(next() * (max - min + 1)),
    chance: (probability) => next() < probability,
    pick: <T>(list: readonly T[]): T => list[Math.floor(next() * list.length)] as T,
  };
}

function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index++)
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  return value | 0;
}
