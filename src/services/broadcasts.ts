/**
 * Notifications to everyone, step by step. Each step commits the notifications, how far the broadcast is and what the outbox owes
 * together: killed anywhere, the next step goes on where the last one ended.
 */
import type { Logger } from "pino";
import type { BroadcastStep, BroadcastTable } from "../db/broadcasts.js";
import { isLocked } from "../db/failures.js";
import type { NotificationLogTable } from "../db/notification-log.js";
import type { RetryOptions } from "../db/outbox.js";
import { type AnnouncedWriteParts, createAnnouncedWrite } from "./announced-write.js";
import { concernsAll } from "./bisect.js";
import { deliver } from "./notification-sending.js";

/** Sends to everyone. */
export interface Broadcasts {
  /** Sends to the next users. Resolves to false when there is nothing to do. */
  step(): Promise<boolean>;
}

/** What it takes. */
export interface BroadcastParts extends AnnouncedWriteParts {
  readonly logs: Pick<NotificationLogTable, "deliver">;
  readonly broadcasts: Pick<BroadcastTable, "next" | "advance" | "failed">;
  /** How users whose notification fails are tried again. */
  readonly retry: RetryOptions;
  readonly log: Logger;
}

/** Users of one step: bounds its locks, and how long a sender to one of them may wait. */
const USERS_AT_ONCE = 500;

export function createBroadcasts({ logs, broadcasts, retry, log, ...parts }: BroadcastParts): Broadcasts {
  const write = createAnnouncedWrite(parts);

  /** A user whose notification fails is tried again later; the others of the step get theirs, in halves. Other broadcasts go on. */
  const stepOf = async (most: number): Promise<boolean> => {
    let step: BroadcastStep | null = null;
    try {
      const { decision } = await write<boolean>(async (tx) => {
        step = await broadcasts.next(tx, most);
        if (!step) return { decision: false, message: null };
        await broadcasts.advance(tx, step);
        return { decision: true, message: step.userIds.length > 0 ? await deliver(logs, tx, step) : null };
      });
      return decision;
    } catch (error) {
      if (concernsAll(error) || !step) throw error;
      return postpone(step, error);
    }
  };

  const postpone = async (step: BroadcastStep, error: unknown): Promise<boolean> => {
    const { contentId, userIds } = step;
    if (userIds.length > 1) return stepOf(Math.ceil(userIds.length / 2));
    const failure = { error: error instanceof Error ? error.message : String(error), isLocked: isLocked(error) };
    const { setAside } = await parts.database.transaction((tx) => broadcasts.failed(tx, step, failure, retry));
    const told = { err: failure.error, contentId, userIds };
    if (setAside) log.error(told, "a notification to everyone was given up for some users; `npm run outbox -- list` shows it");
    else log.warn(told, "a notification to everyone could not be sent to a user, who is tried again");
    return true;
  };

  return { step: () => stepOf(USERS_AT_ONCE) };
}
