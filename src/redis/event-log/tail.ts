/**
 * The tail of a log: a cache of the last entries that
 * Postgres has, for readers that were away for a moment.
 *
 * One STREAM per log, bounded in count and age, whose ids
 * are the sequences. One HASH says how far it reaches, and
 * on which server. The first reader of a log loads its tail
 * with the last sequence in Postgres; later entries are
 * appended and announced by one script. Entries that arrive
 * out of order leave a hole, which readers see by its
 * sequences and fill from Postgres. A server that may have
 * lost or found memory, a flush, or a full server makes a
 * tail not loaded: it never says "nothing is newer" without
 * knowing. Redis down: everything rejects with
 * RedisUnavailable within a deadline; readers ask Postgres.
 */
import type { Result } from "ioredis";
import type { LogTopicKind, Topic } from "../../domain/events/events.js";
import { DURABLE } from "../../domain/events/log.js";
import type { RedisConnection } from "../client/connect.js";
import { withinDeadline } from "../client/deadline.js";
import type { Keys } from "../client/keys.js";

declare module "ioredis" {
  interface RedisCommander<Context> {
    eventLogTailAppend(
      tail: string,
      state: string,
      ...args: (string | number)[]
    ): Result<0 | 1, Context>;
    eventLogTailRead(
      tail: string,
      state: string,
      ...args: (string | number)[]
    ): Result<string[], Context>;
    eventLogTailLoad(
      state: string,
      caller: string,
      last: number,
      keepMs: number,
    ): Result<0 | 1, Context>;
  }
}

/** What follows a sequence in a tail; entries may have holes. */
export interface TailRead {
  /** The log reaches at least to here. */
  readonly last: number;
  /** When this was read, in ms since epoch, by the Redis clock. */
  readonly nowMs: number;
  readonly entries: readonly { readonly sequence: number; readonly text: string }[];
}

export interface LogBounds {
  /** Entries of one log. */
  readonly entries: number;
  /** How long an entry is kept, and how long an unused log. */
  readonly keepMs: number;
  /** Longest wait for a reply. */
  readonly deadlineMs: number;
}

/** The tails of logs. All methods reject with RedisUnavailable. */
export type EventLogTail = ReturnType<typeof createEventLogTail>;

export function createEventLogTail(
  connection: RedisConnection,
  keys: Keys,
  { entries, keepMs, deadlineMs }: LogBounds,
) {
  const within = <T>(reply: Promise<T>): Promise<T> => withinDeadline(reply, deadlineMs);
  const read = async (
    { kind, id }: Topic<LogTopicKind>,
    after: number | "",
    most: number,
    caller: string,
  ): Promise<TailRead | "unloaded"> => {
    const reply = connection.eventLogTailRead(
      keys.log(kind, id),
      keys.logState(kind, id),
      after,
      most,
      caller,
      keepMs,
    );
    const [state, last, nowMs, ...found] = await within(reply);
    return state === "loaded"
      ? { last: Number(last), nowMs: Number(nowMs), entries: pairs(found) }
      : "unloaded";
  };
  return {
    /**
     * Announces an entry that Postgres has, and keeps it
     * where the tail is loaded. One EVALSHA, O(1). Can be
     * repeated.
     */
    async append({ kind, id }: Topic<LogTopicKind>, sequence: number, text: string): Promise<void> {
      const news = JSON.stringify({ epoch: DURABLE, sequence });
      const args = [sequence, text, keys.topic(kind, id), news, entries, keepMs];
      await within(
        connection.eventLogTailAppend(keys.log(kind, id), keys.logState(kind, id), ...args),
      );
    },
    /**
     * Up to `most` entries after a sequence. After
     * "unloaded" this `caller` may {@link load} it. One
     * EVALSHA, O(entries).
     */
    read,
    /** How far the log reaches. One EVALSHA. */
    end: (topic: Topic<LogTopicKind>, caller: string): Promise<TailRead | "unloaded"> =>
      read(topic, "", 0, caller),
    /**
     * Loads the tail with the last sequence that `caller`
     * found in Postgres. False when an entry came in
     * between. One EVALSHA.
     */
    load: async (
      { kind, id }: Topic<LogTopicKind>,
      caller: string,
      last: number,
    ): Promise<boolean> =>
      (await within(connection.eventLogTailLoad(keys.logState(kind, id), caller, last, keepMs))) ===
      1,
  };
}

/** Alternating sequences and texts. */
function pairs(found: readonly string[]): { readonly sequence: number; readonly text: string }[] {
  return Array.from({ length: found.length / 2 }, (_, index) => ({
    sequence: Number(found[2 * index]),
    text: found[2 * index + 1] ?? "",
  }));
}
