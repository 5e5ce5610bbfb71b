/**
 * Batches of rows by number. One is written while the next is
 * made. The event loop turns in between.
 */
import { setImmediate as nextTurn } from "node:timers/promises";

/** Fewer cost a statement more often. */
const INSERT_BATCH = 1_000;
/** Making so many holds the event loop for some milliseconds. */
const MADE_AT_ONCE = 100;

export interface BatchWork<T> {
  make(number: number): T;
  write(rows: readonly T[]): Promise<void>;
  /** @param done rows written so far */
  onProgress(done: number): void;
}

/** Makes a batch while the one before is written. */
export async function writeBatches<T>(
  count: number,
  { make, write, onProgress }: BatchWork<T>,
): Promise<void> {
  let before = Promise.resolve();
  let done = 0;
  for (const numbers of batches(count)) {
    const rows = await makeInTurns(numbers, make);
    await before;
    before = write(rows).then(() => {
      done += rows.length;
      onProgress(done);
    });
    // Awaited a batch later.
    before.catch(() => {});
  }
  await before;
}

/** The event loop turns in between. */
export async function makeInTurns<T>(
  numbers: readonly number[],
  make: (number: number) => T,
): Promise<T[]> {
  const made: T[] = [];
  for (const number of numbers) {
    made.push(make(number));
    if (made.length % MADE_AT_ONCE === 0) await nextTurn();
  }
  return made;
}

/** 0..count-1 in runs of {@link INSERT_BATCH}. */
export function* batches(count: number): Generator<number[]> {
  for (let start = 0; start < count; start += INSERT_BATCH)
    yield Array.from(
      { length: Math.min(INSERT_BATCH, count - start) },
      (_, offset) => start + offset,
    );
}
