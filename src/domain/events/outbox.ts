/**
 * Entries of the outbox: what a committed write still has to
 * announce. The kind names the handler; the keys say what it is
 * ordered by.
 */
import type { Topic, ValueTopicKind } from "./events.js";

/** The payload of an entry: JSON, as lists by name. */
export type OutboxPayload = Readonly<Record<string, readonly unknown[]>>;

/** An entry to append. */
export interface OutboxEntry {
  readonly kind: string;
  /**
   * Sent after earlier entries that share a key, in any order with
   * others.
   */
  readonly keys: readonly string[];
  readonly payload: OutboxPayload;
}

/** An entry that was appended. */
export interface OutboxRow extends OutboxEntry {
  readonly id: number;
}

/**
 * A publication that waits; the count of invalidations is added
 * when it is sent.
 */
export interface PendingEvent {
  readonly topic: Topic<ValueTopicKind>;
  readonly version: number;
}

/** Cache tags to invalidate, then events to publish. */
export interface PendingChange {
  readonly tags?: readonly string[];
  readonly events?: readonly PendingEvent[];
}

/** The kind of {@link changeEntry}. */
export const CHANGE_KIND = "change";

/**
 * An entry for changed values. Ordered by topic; invalidations
 * go in any order.
 */
export function changeEntry({ tags = [], events = [] }: PendingChange): OutboxEntry {
  const keys = events.map(({ topic }) => `${topic.kind}:${topic.id}`);
  return { kind: CHANGE_KIND, keys: [...new Set(keys)], payload: { tags, events } };
}
