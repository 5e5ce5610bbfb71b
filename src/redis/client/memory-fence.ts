/**
 * The memory fence: no answer from a Redis that may have lost
 * or found memory.
 *
 * Data copied from Postgres carries the replication id of the
 * server it was loaded on. No server keeps that id over a
 * restart, a restored file or a failover. Scripts compare it
 * (memory-fence.lua) and answer "not-loaded" where it
 * differs; the caller loads and asks again.
 */
import { RedisUnavailable, type ServiceUnavailable } from "../../domain/errors.js";

/**
 * This server was not given what the answer needs, or has
 * lost it.
 */
export const NOT_LOADED = "not-loaded";
export type NotLoaded = typeof NOT_LOADED;

export interface AskOptions {
  /**
   * Longest row of questions; default 3. A server that forgets
   * at once restarts over and over.
   */
  readonly attempts?: number;
  /** What is thrown after the last; default RedisUnavailable. */
  readonly failure?: () => ServiceUnavailable;
}

/**
 * Asks until Redis has what the answer needs; `load` brings
 * that in between.
 */
export async function askLoaded<T>(
  ask: () => Promise<T | NotLoaded>,
  load: () => Promise<unknown>,
  { attempts = 3, failure = forgets }: AskOptions = {},
): Promise<T> {
  for (let left = attempts; left > 0; left--) {
    const answer = await ask();
    if (answer !== NOT_LOADED) return answer as T;
    if (left > 1) await load();
  }
  throw failure();
}

const forgets = (): RedisUnavailable =>
  new RedisUnavailable(new Error("Redis forgets what it was given"));
