/**
 * Notifications to everyone, in steps. A step commits
 * its notifications, the progress of the broadcast and
 * the outbox row together. After a crash the next step
 * goes on where the last one ended.
 */
import type { Logger } from "pino";
import { isLocked } from "../../db/client/failures.js";
import type { BroadcastStep } from "../../db/notification/broadcast-steps.js";
import type { BroadcastTable } from "../../db/notification/broadcasts.js";
import type { NotificationLogTable } from "../../db/notification/event-log.js";
import type { RetryOptions } from "../../db/outbox.js";
import { concernsAll } from "../bisect.js";
import { wordsOf } from "../failures.js";
import {
  createWriteWithOutbox,
  type OutboxWriteDeps,
  type WriteWithOutbox,
} from "../outbox/write-with-outbox.js";
import { deliver } from "./sending.js";

export interface Broadcasts {
  /**
   * Sends to the next users. Resolves to false when
   * there is nothing to do.
   */
  step(): Promise<boolean>;
}

export interface BroadcastDeps extends OutboxWriteDeps {
  readonly eventLogs: Pick<NotificationLogTable, "deliver">;
  readonly broadcasts: Pick<BroadcastTable, "next" | "advance" | "pause" | "failed">;
  /** Backoff of users whose notification fails. */
  readonly retry: RetryOptions;
  readonly log: Logger;
}

/**
 * Users of one step: bounds its locks, and the wait of
 * other senders for them.
 */
const USERS_AT_ONCE = 500;

export function createBroadcasts(deps: BroadcastDeps): Broadcasts {
  const sender = { ...deps, write: createWriteWithOutbox(deps) };
  return { step: () => sendStep(sender, USERS_AT_ONCE) };
}

interface BroadcastSender extends BroadcastDeps {
  readonly write: WriteWithOutbox;
}

/**
 * Bisects a failed step: a failing user is retried later.
 * The others are served. Other broadcasts go on.
 */
async function sendStep(sender: BroadcastSender, limit: number): Promise<boolean> {
  const { write, broadcasts, eventLogs, retry } = sender;
  let step: BroadcastStep | null = null;
  try {
    const { decision } = await write<boolean>(async (tx) => {
      step = await broadcasts.next(tx, limit);
      if (!step) return { decision: false, owes: [] };
      await broadcasts.advance(tx, step, retry);
      const owes = step.userIds.length > 0 ? [await deliver(eventLogs, tx, step)] : [];
      return { decision: true, owes };
    });
    return decision;
  } catch (error) {
    if (!step || (concernsAll(error) && !isLocked(error))) throw error;
    await postpone(sender, step, error);
    return true;
  }
}

async function postpone(
  sender: BroadcastSender,
  step: BroadcastStep,
  error: unknown,
): Promise<void> {
  const { database, broadcasts, retry, log } = sender;
  const users = step.userIds.length + step.held.length;
  if (isLocked(error)) {
    const err = wordsOf(error);
    await database.transaction((tx) => broadcasts.pause(tx, step, err, retry));
    log.warn(
      { err, contentId: step.contentId },
      "a notification to everyone waits for another session",
    );
  } else if (users > 1) await sendStep(sender, Math.ceil(users / 2));
  else await recordFailure(sender, step, error);
}

/** Postpones or gives up the only user of a step. */
async function recordFailure(
  { database, broadcasts, retry, log }: BroadcastDeps,
  step: BroadcastStep,
  error: unknown,
): Promise<void> {
  const { contentId, userIds, held, found } = step;
  const err = wordsOf(error);
  const { setAside } = await database.transaction((tx) => broadcasts.failed(tx, step, err, retry));
  const details = { err, contentId, users: [...userIds, ...held], upTo: found.lastUser };
  if (setAside)
    log.error(
      details,
      "a notification to everyone was given up for some users; `npm run outbox -- list` " +
        "shows it",
    );
  else
    log.warn(details, "a notification to everyone could not be sent to a user, who is tried again");
}
