/**
 * Where subscriptions get their events: type-graphql's publish/subscribe seam, over the services
 * that watch values and follow logs.
 */
import type { PubSub } from "type-graphql";
import { ServiceUnavailable } from "../domain/errors.js";
import type { TopicId, ValueTopicKind } from "../domain/events/events.js";
import { own } from "../domain/own.js";
import type { Due, Live } from "../services/live/live.js";

/** An event with the memory of its subscription. */
export type WatchEvent<I extends TopicId = TopicId> = Due<I> & {
  /**
   * Highest version sent so far to this subscription, by id: what keeps versions from going back.
   */
  readonly sent: Map<I, number>;
};

/**
 * By kind, what has to hold before topics are watched; it rejects with what the client is told.
 * Kinds without are watched at once.
 */
export type Admission = Readonly<
  Partial<Record<ValueTopicKind, (ids: readonly TopicId[]) => Promise<void>>>
>;

/**
 * By kind of topic, how it is followed: from what a field gives as `topicId`. Kinds without are
 * watched as values.
 */
export type Streams = Readonly<Record<string, (what: unknown) => AsyncIterable<unknown>>>;

/** What subscriptions follow. */
export interface EventSources {
  readonly live: Live;
  readonly streams: Streams;
  readonly admission: Admission;
}

/**
 * Lets subscriptions follow topics: `topics` names the kind; `topicId` the keys of values, or what
 * the stream of the kind takes. Closing the iterator releases the topics.
 */
export function createEvents({ live, streams, admission }: EventSources): PubSub {
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
      // graphql-js waits for the stream that a field opens, though type-graphql's type does not say
      // so.
      return (
        admitted ? admitted.then(() => watch(topicKind, ids)) : watch(topicKind, ids)
      ) as AsyncIterable<unknown>;
    },
  };
}

/**
 * What cannot be judged now is watched all the same: its first value says what is wrong, as soon as
 * it can be read.
 */
function unlessTransient(error: unknown): void {
  if (!(error instanceof ServiceUnavailable)) throw error;
}

function withMemory(events: AsyncIterableIterator<Due>): AsyncIterableIterator<WatchEvent> {
  const sent = new Map<TopicId, number>();
  return mapped(events, (due) => ({ ...due, sent }));
}

/**
 * Hand-written, because the `return()` of an async generator waits for a pending `next()`: a quiet
 * subscription would never close.
 */
export function mapped<From, To>(
  events: AsyncIterableIterator<From>,
  toEvent: (event: From) => To,
): AsyncIterableIterator<To> {
  return {
    async next() {
      const result = await events.next();
      return result.done
        ? { done: true, value: undefined }
        : { done: false, value: toEvent(result.value) };
    },
    async return() {
      await events.return?.();
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
