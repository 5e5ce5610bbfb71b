/** Sessions and their revocations. */
import type { OutboxEntry } from "../events/outbox.js";
import type { Role } from "./user.js";

/**
 * Strength of authentication; so far a password only. A
 * session below the required level counts as ended.
 */
export const AUTH_LEVELS = { password: 1 } as const;

/** The level that a session needs. */
export const REQUIRED_AUTH_LEVEL = AUTH_LEVELS.password;

/** A live session. Times in ms since epoch, by the Redis clock. */
export interface SessionRecord {
  /**
   * SHA-256 of the token, in base64url: names the session,
   * and authenticates no one.
   */
  readonly id: string;
  readonly userId: number;
  readonly role: Role;
  /** One of {@link AUTH_LEVELS}. */
  readonly authLevel: number;
  /** The User-Agent at sign-in. */
  readonly device: string;
  readonly ip: string;
  readonly createdMs: number;
  /** Rises at most once a minute. */
  readonly seenMs: number;
  /** Its end without further use, at most the absolute cap. */
  readonly expiresMs: number;
}

/**
 * A revocation. It is committed in Postgres first; applying
 * it to Redis can be repeated, in any order. An *epoch* rises
 * with every revocation of all sessions of a user: sessions
 * of older epochs are dead.
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
  /** All sessions issued before a time, in ms since epoch. */
  | { readonly kind: "everyone"; readonly beforeMs: number };

/** State of a user's sessions in Postgres, which overrules Redis. */
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
