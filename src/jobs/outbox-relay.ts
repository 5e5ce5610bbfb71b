/**
 * The relay: announces writes whose process died or lost Redis before it could. Woken by NOTIFY at
 * each commit, it gives the writer time to announce for itself; polling is the net for a lost
 * notification. Any number of relays may run; one works at a time.
 */
import { OUTBOX_CHANNEL } from "../db/outbox.js";
import type { Outbox } from "../services/outbox/outbox.js";
import { type Job, type RunnerDeps, startJob } from "./runner.js";

/** What the relay needs. */
export interface OutboxRelayOptions {
  readonly outbox: Pick<Outbox, "sendWaiting">;
  /** How long after a commit the writer may still be at it. */
  readonly drainMs: number;
  /** How often to look without being woken. */
  readonly pollMs: number;
}

/** Starts the relay. */
export const startOutboxRelay = (
  runner: RunnerDeps,
  { outbox, drainMs, pollMs }: OutboxRelayOptions,
): Promise<Job> =>
  startJob(runner, {
    name: "outbox relay",
    everyMs: pollMs,
    firstMs: 0,
    wake: { channel: OUTBOX_CHANNEL, delayMs: drainMs },
    work: () => outbox.sendWaiting(),
  });
