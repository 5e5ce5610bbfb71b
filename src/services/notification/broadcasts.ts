/**
 * Notifications to everyone, step by step. Each step commits the notifications, how far the
 * broadcast is and what the outbox owes together: killed anywhere, the next step goes on where the
 * last one ended.
 */
import type { Logger } from "pino";
import type { Tx } from "../../db/client/database.js";
import { isLocked } from "../../db/client/failures.js";
import type { BroadcastStep } from "../../db/notification/broadcast-steps.js";
import type { BroadcastTable } from "../../db/notification/broadcasts.js";
import type { NotificationLogTable } from "../../db/notification/log.js";
import type { RetryOptions } from "../../db/outbox.js";
import { concernsAll } from "../bisect.js";
import { wordsOf } from "../failures.js";
import { createWriteWithOutbox, type OutboxWriteDeps } from "../outbox/write-with-outbox.js";
import { deliver } from "./sending.js";

/** Sends to everyone. */
export interface Broadcasts {
  /** Sends to the next users. Resolves to false when there is nothing to do. */
  step(): Promise<boolean>;
}

/** What it takes. */
export interface BroadcastParts extends OutboxWriteDeps {
  readonly logs: Pick<NotificationLogTable, "deliver">;
  readonly broadcasts: Pick<BroadcastTable, "next" | "advance" | "pause" | "failed">;
  /** How users whose notification fails are tried again. */
  readonly retry: RetryOptions;
  readonly log: Logger;
}

/** Users of one step: bounds its locks, and how long a sender to one of them may wait. */
const USERS_AT_ONCE = 500;

export function createBroadcasts({
  logs,
  broadcasts,
  retry,
  log,
  ...parts
}: BroadcastParts): Broadcasts {
  const write = createWriteWithOutbox(parts);

  /**
   * A user whose notification fails is tried again later; the others of the step get theirs, in
   * halves. Other broadcasts go on.
   */
  const stepOf = async (most: number): Promise<boolean> => {
    let step: BroadcastStep | null = null;
    try {
      const { decision } = await write<boolean>(async (tx) => {
        step = await broadcasts.next(tx, most);
        if (!step) return { decision: false, owes: [] };
        await broadcasts.advance(tx, step, retry);
        return {
          decision: true,
          owes: step.userIds.length > 0 ? [await deliver(logs, tx, step)] : [],
        };
      });
      return decision;
    } catch (error) {
      if (!step || (concernsAll(error) && !isLocked(error))) throw error;
      await postpone(step, error);
      return true;
    }
  };

  const postpone = async (step: BroadcastStep, error: unknown): Promise<void> => {
    const { contentId, userIds, held, found } = step;
    const [users, words] = [[...userIds, ...held], wordsOf(error)];
    const within = <T>(work: (tx: Tx) => Promise<T>): Promise<T> =>
      parts.database.transaction(work);
    if (isLocked(error)) {
      await within((tx) => broadcasts.pause(tx, step, words, retry));
      log.warn({ err: words, contentId }, "a notification to everyone waits for another session");
    } else if (users.length > 1) await stepOf(Math.ceil(users.length / 2));
    else {
      const { setAside } = await within((tx) => broadcasts.failed(tx, step, words, retry));
      const told = { err: words, contentId, users, upTo: found.lastUser };
      if (setAside)
        log.error(
          told,
          "a notification to everyone was given up for some users; `npm run outbox -- list` " +
            "shows it",
        );
      else
        log.warn(
          told,
          "a notification to everyone could not be sent to a user, who is tried again",
        );
    }
  };

  return { step: () => stepOf(USERS_AT_ONCE) };
}
