/**
 * The relay: announces writes whose process died or lost Redis before it could. Woken by NOTIFY at each commit, it gives the writer
 * time to announce for itself; polling is the net for a lost notification. Any number of relays may run; one works at a time.
 */
import type { Logger } from "pino";
import type { Database } from "../db/database.js";
import { OUTBOX_CHANNEL } from "../db/outbox.js";
import type { Outbox } from "../services/outbox.js";

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
export async function startOutboxRelay({ database, outbox, drainMs, pollMs, log }: OutboxRelayParts): Promise<{ close(): Promise<void> }> {
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  let dueAt = Number.POSITIVE_INFINITY;
  let working: Promise<void> = Promise.resolve();

  const wakeIn = (delayMs: number): void => {
    const at = performance.now() + delayMs;
    if (closed || at >= dueAt) return;
    dueAt = at;
    clearTimeout(timer);
    timer = setTimeout(work, delayMs);
  };
  const work = (): void => {
    dueAt = Number.POSITIVE_INFINITY;
    working = outbox
      .sendWaiting()
      .catch((error: Error) => log.debug({ err: error.message }, "outbox: the relay tries again"))
      .then(() => wakeIn(pollMs));
  };

  const listening = await database.listen(OUTBOX_CHANNEL, () => wakeIn(drainMs));
  wakeIn(0);
  return {
    async close() {
      closed = true;
      clearTimeout(timer);
      await listening.close();
      await working;
    },
  };
}
