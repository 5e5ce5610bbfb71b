/**
 * Sends notifications to everyone, step by step. Woken by NOTIFY when one is committed; polling
 * goes on with what a killed worker left. Any number of workers may run: a broadcast is worked on
 * by one of them at a time.
 */
import { BROADCAST_CHANNEL } from "../db/notification/broadcasts.js";
import type { Broadcasts } from "../services/notification/broadcasts.js";
import { type Job, MORE, type RunnerDeps, startJob } from "./runner.js";

/** What the job needs. */
export interface BroadcastOptions {
  readonly broadcasts: Broadcasts;
  /** How often to look without being woken. */
  readonly pollMs: number;
}

/** Starts the job: one step is one run. */
export const startBroadcasts = (
  runner: RunnerDeps,
  { broadcasts, pollMs }: BroadcastOptions,
): Promise<Job> =>
  startJob(runner, {
    name: "broadcasts",
    everyMs: pollMs,
    firstMs: 0,
    wake: { channel: BROADCAST_CHANNEL, delayMs: 0 },
    work: async () => ((await broadcasts.step()) ? MORE : null),
  });
