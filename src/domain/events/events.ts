/**
 * Topics of live messages, and their payloads. Payloads carry
 * ids and versions, never documents: receivers read the current
 * value. Dates cross as ISO strings.
 */

/** Subject of a topic: the key of a row, or a name. */
export type TopicId = number | string;

/**
 * A new version of a value. Readers must have seen `seen`
 * invalidations to read it.
 */
export interface Change {
  readonly id: TopicId;
  readonly version: number;
  readonly seen: number;
}

/**
 * A log has grown, at least to this sequence; readers continue.
 * `epoch` is empty for a durable log.
 */
export interface EventLogAppend {
  readonly epoch: string;
  readonly sequence: number;
}

/** Payload of each kind of topic. */
export interface TopicPayloads {
  /**
   * A product was created, changed or removed.
   * Topic: `{ kind: "productChanged", id }`.
   */
  productChanged: Change;
  /**
   * Too many catalogue changes to name, e.g. an import: all are
   * read again. Topic: {@link CATALOGUE_TOPIC}.
   */
  catalogueChanged: Change;
  /**
   * A cart changed. Topic: `{ kind: "cartChanged", id }`, where
   * `id` names its owner.
   */
  cartChanged: Change;
  /**
   * A place on a board changed, or its period. Topic: `{ kind:
   * "leaderboardChanged", id: "<slug>:<period>" }`.
   */
  leaderboardChanged: Change;
  /**
   * A product was viewed, liked or shared. Topic: `{ kind:
   * "productStatsChanged", id }`.
   */
  productStatsChanged: Change;
  /**
   * Sessions of a user ended; id 0 means of all users. Servers
   * check theirs again. Topic: {@link SESSIONS_TOPIC}.
   */
  sessionsEnded: { readonly userId: number };
  /**
   * The log of a user's notifications has grown. Topic: `{ kind:
   * "notification", id: <user> }`.
   */
  notification: EventLogAppend;
}

/** A kind of topic. */
export type TopicKind = keyof TopicPayloads;

/** One topic: its kind and the thing it is about. */
export interface Topic<K extends TopicKind = TopicKind> {
  readonly kind: K;
  readonly id: TopicId;
}

/** The one topic of the whole catalogue. */
export const CATALOGUE_TOPIC: Topic<"catalogueChanged"> = { kind: "catalogueChanged", id: 0 };

/** The one topic of ended sessions, of all users. */
export const SESSIONS_TOPIC: Topic<"sessionsEnded"> = { kind: "sessionsEnded", id: 0 };

/** A kind of topic that is a log. */
export type EventLogTopicKind = {
  [K in TopicKind]: TopicPayloads[K] extends EventLogAppend ? K : never;
}[TopicKind];

/**
 * A kind of topic whose values are watched: each id has a
 * version.
 */
export type ValueTopicKind = {
  [K in TopicKind]: TopicPayloads[K] extends Change ? K : never;
}[TopicKind];
