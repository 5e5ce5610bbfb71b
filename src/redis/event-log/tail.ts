/**
 * The tail of a durable log: a cache of its last entries, for
 * readers who were away for a moment.
 *
 * One STREAM per log, bounded in count and age, with
 * sequences as ids; one HASH says how far it reaches, and on
 * which server. The first reader loads the last sequence from
 * Postgres; later entries are appended and announced by one
 * script. Late entries leave a hole, which readers see by its
 * sequences and fill from Postgres. A tail is not loaded
 * after a flush or on a full server. Nor is it on one that
 * may have lost memory: "nothing is newer" is never a guess.
 * Redis down: everything rejects with RedisUnavailable within
 * a deadline; readers ask Postgres.
 */
import type { Result } from "ioredis";
import { DURABLE } from "../../domain/events/event-log.js";
import type { EventLogTopicKind, Topic } from "../../domain/events/events.js";
import type { RedisCaller } from "../client/call.js";
import type { Keys } from "../client/keys.js";
import { NOT_LOADED, type NotLoaded } from "../client/memory-fence.js";

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

export interface EventLogBounds {
  /** Entries of one log. */
  readonly entries: number;
  /** How long an entry is kept, and how long an unused log. */
  readonly keepMs: number;
  /** Longest wait for a reply. */
  readonly deadlineMs: number;
}

/** All methods reject with RedisUnavailable. */
export type EventLogTail = ReturnType<typeof createEventLogTail>;

export function createEventLogTail(
  { connection, call }: RedisCaller,
  keys: Keys,
  { entries, keepMs }: Pick<EventLogBounds, "entries" | "keepMs">,
) {
  const keysOf = ({ kind, id }: Topic<EventLogTopicKind>) =>
    [keys.eventLog(kind, id), keys.eventLogState(kind, id)] as const;
  const read = async (
    topic: Topic<EventLogTopicKind>,
    after: number | "",
    most: number,
    caller: string,
  ): Promise<TailRead | NotLoaded> => {
    const [found, last, nowMs, ...texts] = await call("read", () =>
      connection.eventLogTailRead(...keysOf(topic), after, most, caller, keepMs),
    );
    return found === "loaded"
      ? { last: Number(last), nowMs: Number(nowMs), entries: tailEntries(texts) }
      : NOT_LOADED;
  };
  return {
    /**
     * Announces an entry that Postgres has, and keeps it where
     * the tail is loaded. One EVALSHA, O(1). Can be repeated.
     */
    async append(topic: Topic<EventLogTopicKind>, sequence: number, text: string): Promise<void> {
      const news = JSON.stringify({ epoch: DURABLE, sequence });
      const args = [sequence, text, keys.topic(topic.kind, topic.id), news, entries, keepMs];
      await call("append", () => connection.eventLogTailAppend(...keysOf(topic), ...args));
    },
    /**
     * Up to `most` entries after a sequence. After "not-loaded"
     * this `caller` may {@link load} it. One EVALSHA,
     * O(entries).
     */
    read,
    /** How far the log reaches. One EVALSHA. */
    end: (topic: Topic<EventLogTopicKind>, caller: string): Promise<TailRead | NotLoaded> =>
      read(topic, "", 0, caller),
    /**
     * Loads the tail with the last sequence that `caller` has
     * found in Postgres since. False when something came in
     * between. One EVALSHA.
     */
    load: async (
      { kind, id }: Topic<EventLogTopicKind>,
      caller: string,
      last: number,
    ): Promise<boolean> =>
      (await call("load", () =>
        connection.eventLogTailLoad(keys.eventLogState(kind, id), caller, last, keepMs),
      )) === 1,
  };
}

/** Alternating sequences and texts. */
function tailEntries(
  found: readonly string[],
): { readonly sequence: number; readonly text: string }[] {
  return Array.from({ length: found.length / 2 }, (_, index) => ({
    sequence: Number(found[2 * index]),
    text: found[2 * index + 1] ?? "",
  }));
}
