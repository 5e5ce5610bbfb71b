/**
 * The relay: announces writes whose process died or lost Redis before it could. Woken by NOTIFY at
 * each commit, it gives the writer time to announce for itself; polling is the net for a lost
 * notification. Any number of relays may run; one works at a time.
 */
import { OUTBOX_CHANNEL } from "../db/outbox.js";
import type { Outbox } from "../services/outbox/outbox.js";
import type { JobOptions } from "./runner.js";

/** When the relay runs. */
export interface OutboxRelayOptions {
  /** How long after a commit the writer may still be at it. */
  readonly drainMs: number;
  /** How often to look without being woken. */
  readonly pollMs: number;
}

export const outboxRelayJob = (
  outbox: Pick<Outbox, "sendWaiting">,
  { drainMs, pollMs }: OutboxRelayOptions,
): JobOptions => ({
  name: "outbox relay",
  everyMs: pollMs,
  firstMs: 0,
  wake: { channel: OUTBOX_CHANNEL, delayMs: drainMs },
  work: () => outbox.sendWaiting(),
});
