/** Deadlines of single commands: a reply that does not come is RedisUnavailable, because ioredis would wait for a black-holed link for minutes. */
import { RedisUnavailable } from "../domain/errors.js";

/**
 * The reply, or RedisUnavailable when there is none within `deadlineMs` or the command fails. A late reply is dropped: a write
 * that ran out of time is unknown, not refused.
 */
export function withinDeadline<T>(reply: Promise<T>, deadlineMs: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new RedisUnavailable(new Error(`no reply within ${deadlineMs} ms`))), deadlineMs);
    reply.then(resolve, (cause: unknown) => reject(new RedisUnavailable(cause))).finally(() => clearTimeout(timer));
  });
}
