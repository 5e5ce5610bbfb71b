/**
 * Sends notifications to everyone, one step a run. Woken by NOTIFY when one is committed; polling
 * goes on with what a killed worker left. Any number of workers may run: one of them at a time
 * works on a broadcast.
 */
import { BROADCAST_CHANNEL } from "../db/notification/broadcasts.js";
import type { Broadcasts } from "../services/notification/broadcasts.js";
import { type JobOptions, MORE } from "./runner.js";

/** @param pollMs how often to look without being woken */
export const broadcastJob = (broadcasts: Broadcasts, pollMs: number): JobOptions => ({
  name: "broadcasts",
  everyMs: pollMs,
  firstMs: 0,
  wake: { channel: BROADCAST_CHANNEL, delayMs: 0 },
  work: async () => ((await broadcasts.step()) ? MORE : null),
});
