/**
 * How slow this machine is for us right now, measured once per run (vitest.config.ts). Deadlines of
 * tests catch hangs, so they are multiplied by it: a machine that is shared with eight busy
 * processes is slow, not broken.
 */

/** What the sample takes on an idle development machine, in ms. */
const NOMINAL_MS = 230;
/** A machine that seems faster may be busy a minute later. */
const LEAST_PACE = 2;
/** Beyond this a hang is not told from slowness in a useful time. */
const MAX_PACE = 12;
/** Enough for the scheduler to have its turn with the others. */
const ROUNDS = 200_000_000;

/** Runs a fixed piece of work and compares its wall time with the nominal one: 2 to 12. */
export function measurePace(): number {
  const startedAt = performance.now();
  let state = 1;
  for (let round = 0; round < ROUNDS; round++) state = (Math.imul(state, 48_271) + round) >>> 0;
  // The result is used, or the loop would be optimised away.
  const took = performance.now() - startedAt + (state === 0 ? 1 : 0);
  return Math.min(MAX_PACE, Math.max(LEAST_PACE, took / NOMINAL_MS));
}

/** The pace of this run; 1 where a file runs outside of Vitest. */
export const PACE = Number(process.env.TEST_PACE ?? 1);

/** A deadline in ms, for this machine. */
export const scaled = (ms: number): number => Math.ceil(ms * PACE);
