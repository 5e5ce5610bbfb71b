/**
 * The relay: announces writes whose process died or lost Redis before it could. Woken by NOTIFY at each commit, it gives the writer
 * time to announce for itself; polling is the net for a lost notification. Any number of relays may run; one works at a time.
 */
import type { Logger } from "pino";
import type { Database } from "../db/database.js";
import { OUTBOX_CHANNEL } from "../db/outbox.js";
import type { Outbox } from "../services/outbox.js";
import { startWoken } from "./woken.js";

/** What the relay needs. */
export interface OutboxRelayParts {
  readonly database: Pick<Database, "listen">;
  readonly outbox: Outbox;
  /** How long after a commit the writer may still be at it. */
  readonly drainMs: number;
  /** How often to look without being woken. */
  readonly pollMs: number;
  readonly log: Logger;
}

/** Starts the relay. `close()` resolves when the work under way has ended. */
export function startOutboxRelay({ outbox, drainMs, ...parts }: OutboxRelayParts): Promise<{ close(): Promise<void> }> {
  return startWoken({ ...parts, channel: OUTBOX_CHANNEL, delayMs: drainMs, work: () => outbox.sendWaiting() });
}
