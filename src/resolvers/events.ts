/**
 * The events of subscriptions, for type-graphql's pub/sub
 * interface.
 */
import type { PubSub } from "type-graphql";
import { mapStream } from "../domain/concurrency/stream.js";
import { ServiceUnavailable } from "../domain/errors.js";
import type { TopicId, ValueTopicKind } from "../domain/events/events.js";
import { own } from "../domain/own.js";
import type { Due, Live } from "../services/live/live.js";

/** An event, with what its subscription has sent. */
export type WatchEvent<I extends TopicId = TopicId> = Due<I> & {
  /** Highest version sent, by id: keeps versions from going back. */
  readonly sent: Map<I, number>;
};

/** Checks ids before they are watched; rejects with the error. */
export type TopicAdmission = Readonly<
  Partial<Record<ValueTopicKind, (ids: readonly TopicId[]) => Promise<void>>>
>;

/**
 * How kinds of topics are followed, by what a field gives as
 * `topicId`. Other kinds are watched as values.
 */
export type Streams = Readonly<Record<string, (what: unknown) => AsyncIterable<unknown>>>;

export interface EventDeps {
  readonly live: Live;
  readonly streams: Streams;
  readonly admission: TopicAdmission;
}

/**
 * `topics` of a subscription names the kind. `topicId` names
 * the ids, or the argument of the kind's stream. Closing the
 * iterator releases the topics.
 */
export function createEvents({ live, streams, admission }: EventDeps): PubSub {
  const watch = (kind: ValueTopicKind, ids: readonly TopicId[]) =>
    withMemory(live.watch(kind, ids));
  return {
    publish() {
      throw new Error("Events are published by services, after the write has succeeded.");
    },
    subscribe(kind, what) {
      const stream = own(streams, kind);
      if (stream) return stream(what);
      const [topicKind, ids] = [kind as ValueTopicKind, what as readonly TopicId[]];
      const admitted = admission[topicKind]?.(ids).catch(unlessTransient);
      // graphql-js awaits the stream of a field;
      // type-graphql's type does not say so.
      return (
        admitted ? admitted.then(() => watch(topicKind, ids)) : watch(topicKind, ids)
      ) as AsyncIterable<unknown>;
    },
  };
}

/** Ids that cannot be checked now are watched all the same. */
function unlessTransient(error: unknown): void {
  if (!(error instanceof ServiceUnavailable)) throw error;
}

function withMemory(events: AsyncIterableIterator<Due>): AsyncIterableIterator<WatchEvent> {
  const sent = new Map<TopicId, number>();
  return mapStream(events, (due) => ({ ...due, sent }));
}
