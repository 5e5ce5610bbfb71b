/**
 * Sends notifications to everyone, step by step. Woken by NOTIFY when one is committed; polling goes on with what a killed worker left.
 * Any number of workers may run: a broadcast is worked on by one of them at a time.
 */
import type { Logger } from "pino";
import { BROADCAST_CHANNEL } from "../db/broadcasts.js";
import type { Database } from "../db/database.js";
import type { NotificationSending } from "../services/notification-sending.js";
import { startWoken } from "./woken.js";

/** What the job needs. */
export interface BroadcastParts {
  readonly database: Pick<Database, "listen">;
  readonly sending: Pick<NotificationSending, "broadcastStep">;
  /** How often to look without being woken. */
  readonly pollMs: number;
  readonly log: Logger;
}

/** Starts the job. `close()` resolves when the step under way has ended. */
export function startBroadcasts({ sending, ...parts }: BroadcastParts): Promise<{ close(): Promise<void> }> {
  return startWoken({
    ...parts,
    channel: BROADCAST_CHANNEL,
    delayMs: 0,
    async work(stopping) {
      while (!stopping() && (await sending.broadcastStep()));
    },
  });
}
