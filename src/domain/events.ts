/**
 * Topics of live messages and what is published on them. Publications carry ids and versions, never documents: whoever
 * receives one reads the current value itself. Dates cross as ISO strings.
 */

/** Payload of each kind of topic. `seen` is the count of invalidations that the reader must have seen to read the new value. */
export interface TopicPayloads {
  /** A product was created, changed or removed. Topic: `{ kind: "productChanged", id }`. */
  productChanged: { readonly id: number; readonly version: number; readonly seen: number };
  /** Too much of the catalogue changed at once to name it (an import): whoever watches any of it reads again. Topic: {@link CATALOGUE_TOPIC}. */
  catalogueChanged: { readonly id: number; readonly version: number; readonly seen: number };
}

/** A kind of topic. */
export type TopicKind = keyof TopicPayloads;

/** One topic: its kind and the thing it is about. */
export interface Topic<K extends TopicKind = TopicKind> {
  readonly kind: K;
  readonly id: number;
}

/** The one topic of the whole catalogue. */
export const CATALOGUE_TOPIC: Topic<"catalogueChanged"> = { kind: "catalogueChanged", id: 0 };

/** A publication waiting in the outbox; `seen` is added when it is sent. */
export interface PendingEvent {
  readonly topic: Topic;
  readonly version: number;
}

/** What a committed write owes the outside: cache tags to invalidate, then events to publish, in this order. */
export interface OutboxMessage {
  readonly tags: readonly string[];
  readonly events: readonly PendingEvent[];
}

/** An outbox row. Rows of one topic are sent in the order of `id`. */
export interface OutboxRow extends OutboxMessage {
  readonly id: number;
}
