/**
 * Sends notifications to everyone, one step a run. NOTIFY wakes
 * it when one is committed; polling continues what a killed
 * worker left. One of any number of workers works on a broadcast
 * at a time.
 */
import { BROADCAST_CHANNEL } from "../db/notification/broadcasts.js";
import type { Broadcasts } from "../services/notification/broadcasts.js";
import { type JobOptions, MORE } from "./runner.js";

/** @param pollMs how often to look without NOTIFY */
export const broadcastJob = (broadcasts: Broadcasts, pollMs: number): JobOptions => ({
  name: "broadcasts",
  everyMs: pollMs,
  firstMs: 0,
  wake: { channel: BROADCAST_CHANNEL, delayMs: 0 },
  work: async () => ((await broadcasts.step()) ? MORE : null),
});
