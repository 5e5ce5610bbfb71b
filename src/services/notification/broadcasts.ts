/**
 * Notifications to everyone, in steps. A step commits its
 * notifications, the progress of the broadcast and the outbox
 * row together. After a crash the next step goes on where the
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

export interface Broadcasts {
  /**
   * Sends to the next users. Resolves to false when there is
   * nothing to do.
   */
  step(): Promise<boolean>;
}

export interface BroadcastDeps extends OutboxWriteDeps {
  readonly logs: Pick<NotificationLogTable, "deliver">;
  readonly broadcasts: Pick<BroadcastTable, "next" | "advance" | "pause" | "failed">;
  /** Backoff of users whose notification fails. */
  readonly retry: RetryOptions;
  readonly log: Logger;
}

/**
 * Users of one step: bounds its locks, and the wait of other
 * senders for them.
 */
const USERS_AT_ONCE = 500;

export function createBroadcasts({
  logs,
  broadcasts,
  retry,
  log,
  ...parts
}: BroadcastDeps): Broadcasts {
  const write = createWriteWithOutbox(parts);

  /**
   * A failing user is tried again later; the others of the
   * step are sent theirs, in halves. Other broadcasts go on.
   */
  const stepOf = async (limit: number): Promise<boolean> => {
    let step: BroadcastStep | null = null;
    try {
      const { decision } = await write<boolean>(async (tx) => {
        step = await broadcasts.next(tx, limit);
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
      const details = { err: words, contentId, users, upTo: found.lastUser };
      if (setAside)
        log.error(
          details,
          "a notification to everyone was given up for some users; `npm run outbox -- list` " +
            "shows it",
        );
      else
        log.warn(
          details,
          "a notification to everyone could not be sent to a user, who is tried again",
        );
    }
  };

  return { step: () => stepOf(USERS_AT_ONCE) };
}
