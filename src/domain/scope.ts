/** Sharing of answers, as fields declare it. */

/**
 * Audience of one answer, from the widest to the narrowest:
 * all; all of one role; the caller alone.
 */
export const SCOPES = ["PUBLIC", "ROLE", "VIEWER"] as const;

/** A scope of {@link SCOPES}. A field without one is VIEWER. */
export type AnswerScope = (typeof SCOPES)[number];

/**
 * Delivery of a subscription. SNAPSHOT: the latest whole
 * value; a newer one may replace one not yet sent. LOG: every
 * event, in order. A subscription without one is LOG.
 */
export type DeliveryClass = "SNAPSHOT" | "LOG";
