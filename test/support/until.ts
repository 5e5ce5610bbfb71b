/**
 * Waiting for something that sends no signal: asked again until it holds, or the test has clearly
 * hung.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { GuardedChild } from "../../src/embedded/guarded-child.js";
import { scaled } from "./pace.js";

const STEP_MS = 10;
const HANG_MS = scaled(30_000);

/**
 * Asks until the answer is neither false, null nor undefined, and returns it. A question that
 * throws counts as "not yet".
 * @throws Error naming `what` after `deadlineMs`, with the last failure as cause
 */
export async function until<T>(
  what: string,
  ask: () => Promise<T> | T,
  deadlineMs = HANG_MS,
): Promise<NonNullable<T>> {
  const giveUpAt = performance.now() + deadlineMs;
  let failure: unknown;
  while (performance.now() < giveUpAt) {
    try {
      const answer = await ask();
      if (answer !== false && answer !== null && answer !== undefined) return answer;
      failure = undefined;
    } catch (error) {
      failure = error;
    }
    await delay(STEP_MS);
  }
  throw new Error(`still waiting for ${what} after ${deadlineMs} ms`, { cause: failure });
}

/**
 * Asks a server that was just started until it answers; fails at once, with its last words, when it
 * has ended instead.
 */
export async function upUnlessEnded(
  what: string,
  child: GuardedChild,
  ask: () => Promise<boolean>,
): Promise<void> {
  const ended = child.exited.then(
    ({ code, output }) => `${what} ended with code ${code}: ${output}`,
  );
  const failure = await until(what, async () => (await Promise.race([ended, ask()])) || false);
  if (typeof failure === "string") throw new Error(failure);
}
