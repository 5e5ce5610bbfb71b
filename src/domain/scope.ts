/** What a field says about its answers, for whoever hands one answer to many. */

/**
 * Who may be given the same answer, from the widest to the narrowest: everybody; everybody of one
 * role; whoever asks, alone.
 */
export const SCOPES = ["PUBLIC", "ROLE", "VIEWER"] as const;

/** A scope of {@link SCOPES}. A field that declares none is VIEWER. */
export type Scope = (typeof SCOPES)[number];

/**
 * What a subscription owes its clients. SNAPSHOT: the latest whole value, so a newer one may take
 * the place of one not yet sent. LOG: every event, in order. A subscription that declares none is
 * LOG.
 */
export type Delivery = "SNAPSHOT" | "LOG";
