/**
 * A log that lives in Redis alone: for events that may be lost with it, as long as everybody is
 * told.
 *
 * One STREAM per log, bounded in count and age, whose ids are the sequences, one HASH with its
 * epoch and last sequence, and one STRING per operation id. One script appends, trims and
 * announces. A sequence is only worth something together with its epoch, which changes when history
 * is gone or may be: after a flush, on a server that restarted, was restored or took over, and when
 * nobody has used the log for as long as it is kept. Readers then get a gap with the position to go
 * on from, never silence. Redis down or full: appending rejects with RedisUnavailable, and what
 * timed out is unknown: repeat it under its operation id.
 */
import type { Result } from "ioredis";
import type { LogTopicKind, Topic } from "../../domain/events/events.js";
import { GAP_REASONS, type LogPage, type LogPosition } from "../../domain/events/log.js";
import { DAY } from "../../domain/time/time.js";
import type { RedisConnection } from "../client/connect.js";
import { withinDeadline } from "../client/deadline.js";
import type { Keys } from "../client/keys.js";
import { type LogBounds, pairs } from "./tail.js";

declare module "ioredis" {
  interface RedisCommander<Context> {
    eventLogAppend(
      events: string,
      state: string,
      operation: string,
      ...args: (string | number)[]
    ): Result<[epoch: string, sequence: string], Context>;
    eventLogRead(
      events: string,
      state: string,
      ...args: (string | number)[]
    ): Result<string[], Context>;
  }
}

/** Whoever repeats an append does so within hours; a day leaves room. */
const REMEMBER_MS = DAY;

/** Logs that live in Redis alone. All methods reject with RedisUnavailable. */
export type EventLog = ReturnType<typeof createEventLog>;

export function createEventLog(
  connection: RedisConnection,
  keys: Keys,
  { entries, keepMs, deadlineMs }: LogBounds,
) {
  const ask = async (
    { kind, id }: Topic<LogTopicKind>,
    { epoch, sequence }: LogPosition,
    most: number,
  ): Promise<LogPage<string>> => {
    const reply = connection.eventLogRead(
      keys.log(kind, id),
      keys.logState(kind, id),
      epoch,
      sequence,
      most,
      keepMs,
    );
    return toPage(await withinDeadline(reply, deadlineMs));
  };
  return {
    /**
     * Appends and announces, once for each operation id. One EVALSHA, O(1). Resolves to the
     * position after the entry.
     */
    async append(
      { kind, id }: Topic<LogTopicKind>,
      text: string,
      operationId: string,
    ): Promise<LogPosition> {
      const args = [text, keys.topic(kind, id), entries, keepMs, REMEMBER_MS];
      const where = [
        keys.log(kind, id),
        keys.logState(kind, id),
        keys.logOperation(kind, id, operationId),
      ] as const;
      const [epoch, sequence] = await withinDeadline(
        connection.eventLogAppend(...where, ...args),
        deadlineMs,
      );
      return { epoch, sequence: Number(sequence) };
    },
    /** Up to `most` entries after a position, or the gap that is there. One EVALSHA, O(entries). */
    read: ask,
    /** Where the log ends now. One EVALSHA. */
    async end(topic: Topic<LogTopicKind>): Promise<LogPosition> {
      const page = await ask(topic, { epoch: "", sequence: 0 }, 0);
      return "reason" in page ? page.resumeFrom : page.next;
    },
  };
}

function toPage([state, epoch = "", sequence, ...found]: string[]): LogPage<string> {
  const last = { epoch, sequence: Number(sequence) };
  const reason = GAP_REASONS.find((known) => known === state);
  if (reason) return { reason, resumeFrom: last };
  const entries = pairs(found).map(({ sequence: at, text }) => ({
    position: { epoch, sequence: at },
    event: text,
  }));
  const next = entries.at(-1)?.position ?? last;
  return { entries, next, more: next.sequence < last.sequence };
}
