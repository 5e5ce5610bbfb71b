/** Sessions and their revocations, as they travel between rooms. */
import type { OutboxEntry } from "../events/outbox.js";
import type { Role } from "./user.js";

/**
 * How strongly somebody has proved who they are. One proof so far: a password. A session whose
 * level is below what is asked for today counts as ended, so that asking for more leaves nobody in
 * who has proved less.
 */
export const AUTH_LEVELS = { password: 1 } as const;

/** The level that a session needs. */
export const REQUIRED_AUTH_LEVEL = AUTH_LEVELS.password;

/** A session that was found alive. Times in ms since epoch, by the Redis clock. */
export interface SessionRecord {
  /** SHA-256 of the token, in base64url: names the session, and signs nobody in. */
  readonly id: string;
  readonly userId: number;
  readonly role: Role;
  /** One of {@link AUTH_LEVELS}. */
  readonly authLevel: number;
  /** What the client called itself at sign-in. */
  readonly device: string;
  readonly ip: string;
  readonly createdMs: number;
  /** Rises at most once a minute. */
  readonly seenMs: number;
  /** When it ends unless it is used before, at the latest at the absolute cap. */
  readonly expiresMs: number;
}

/**
 * What a revocation ends. It is committed in Postgres first; applying it to Redis can be repeated,
 * and out of order. An *epoch* rises with every revocation of all sessions of a user: a session of
 * an older epoch is dead.
 */
export type Revocation =
  /** One session. */
  | {
      readonly kind: "session";
      readonly userId: number;
      readonly userTag: string;
      readonly sessionId: string;
    }
  /** All sessions of a user, but for the one that is kept. */
  | {
      readonly kind: "user";
      readonly userId: number;
      readonly userTag: string;
      readonly epoch: number;
      readonly keptId: string | null;
    }
  /** Everybody's that were issued before a time, in ms since epoch. */
  | { readonly kind: "everyone"; readonly beforeMs: number };

/** What Postgres knows of a user's sessions: whatever Redis holds is measured by this. */
export interface SessionState {
  readonly epoch: number;
  /** Sessions ended one by one, for as long as they could live. */
  readonly revokedIds: readonly string[];
}

/** The kind of {@link revocationEntry}. */
export const REVOCATION_KIND = "revocation";

/** An outbox entry for revocations. They go in any order: each can be repeated. */
export const revocationEntry = (revocations: readonly Revocation[]): OutboxEntry => ({
  kind: REVOCATION_KIND,
  keys: [],
  payload: { revocations },
});
