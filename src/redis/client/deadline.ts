/**
 * Deadlines of single commands: ioredis would wait for a
 * black-holed link for minutes.
 */
import { ReplyError } from "ioredis";
import { RedisUnavailable } from "../../domain/errors.js";
import { lateError, withDeadline } from "../../domain/time/deadline.js";

/**
 * The reply, or RedisUnavailable after `deadlineMs` or a
 * failure. A write that ran out of time is unknown, not
 * refused: `mayBeDone` says so.
 */
export function withinDeadline<T>(reply: Promise<T>, deadlineMs: number): Promise<T> {
  return withDeadline(reply, deadlineMs, lateError("no reply", deadlineMs)).catch(
    (cause: unknown) => {
      throw new RedisUnavailable(cause, mayBeDone(cause));
    },
  );
}

/**
 * ioredis says this of a command that it did not send,
 * because there is no connection.
 */
const NOT_SENT = /enableOfflineQueue options is false/;

/**
 * False for a command that Redis refused, or that was never
 * sent.
 */
export function mayBeDone(cause: unknown): boolean {
  return (
    !(cause instanceof ReplyError) && !(cause instanceof Error && NOT_SENT.test(cause.message))
  );
}
