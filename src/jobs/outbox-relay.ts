/**
 * The relay: sends outbox rows whose writer died or lost Redis.
 * NOTIFY wakes it at each commit; it first gives the writer time
 * to dispatch. Polling covers lost notifications. Of any number
 * of relays, one works at a time.
 */
import { OUTBOX_CHANNEL } from "../db/outbox.js";
import type { Outbox } from "../services/outbox/outbox.js";
import type { JobOptions } from "./runner.js";

export interface OutboxRelayOptions {
  /** How long after a commit the writer may still dispatch. */
  readonly drainMs: number;
  /** How often to look without NOTIFY. */
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
