/**
 * Calls that no breaker refuses: what proves a link, reads
 * the clock or the state of a server, and PUBLISH. A late
 * reply to one of them says nothing of the next.
 *
 * Each is measured as the calls of a structure are
 * (call.ts). The deadline is ours: ioredis would wait for a
 * black-holed link for minutes.
 */
import { ReplyError } from "ioredis";
import { RedisUnavailable } from "../../domain/errors.js";
import type { Telemetry } from "../../domain/telemetry/telemetry.js";
import { lateError, withDeadline } from "../../domain/time/deadline.js";

/** Where the duration of calls is reported. */
export type CallTelemetry = Pick<Telemetry, "redisRoundTrip">;

/**
 * Calls of one structure; `action` names the call in
 * metrics, after the structure.
 */
export interface DirectCaller {
  /** Waits without a deadline. Errors of ioredis pass through. */
  send<T>(action: string, call: () => Promise<T>): Promise<T>;
  /**
   * @throws RedisUnavailable after `deadlineMs` or a failure;
   * its `cause` is the error of ioredis
   */
  sendWithin<T>(deadlineMs: number, action: string, call: () => Promise<T>): Promise<T>;
}

export function createDirectCaller(telemetry: CallTelemetry, structure: string): DirectCaller {
  const send: DirectCaller["send"] = (action, call) => {
    const startedAt = performance.now();
    const report = (failed: boolean): void =>
      telemetry.redisRoundTrip(`${structure} ${action}`, performance.now() - startedAt, failed);
    return begin(call).then(
      (reply) => {
        report(false);
        return reply;
      },
      (error: unknown) => {
        report(true);
        throw error;
      },
    );
  };
  return {
    send,
    sendWithin: (deadlineMs, action, call) =>
      send(action, () => withinDeadline(call(), deadlineMs)),
  };
}

/** A call that throws at once rejects, too. */
function begin<T>(call: () => Promise<T>): Promise<T> {
  try {
    return call();
  } catch (error) {
    return Promise.reject(error);
  }
}

/**
 * The reply, or RedisUnavailable after `deadlineMs` or a
 * failure. A write that ran out of time is unknown, not
 * refused: `mayBeDone` says so.
 */
function withinDeadline<T>(reply: Promise<T>, deadlineMs: number): Promise<T> {
  return withDeadline(reply, deadlineMs, lateError("no reply", deadlineMs)).catch(
    (cause: unknown) => {
      throw new RedisUnavailable(cause, mayBeDone(cause));
    },
  );
}

/**
 * The error of ioredis for a command that it never sent, for
 * lack of connection.
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
