/**
 * The audit log of accounts and sessions.
 * docs/decisions/0066-audit-log.md lists what is left out.
 */
import type { Principal } from "./principal.js";

/**
 * Events that anonymous clients can cause at will: counted,
 * never written one by one.
 */
export const COUNTED_EVENTS = [
  /** A wrong password, or an address without account. */
  "sign_in_refused",
  /** A wrong current password at a change. */
  "password_change_refused",
  /** Too many attempts. */
  "sign_in_limited",
] as const;

/** All events. */
export const AUDIT_EVENTS = [
  "signed_up",
  "signed_in",
  "signed_out",
  "password_changed",
  "session_revoked",
  "other_sessions_revoked",
  "all_sessions_revoked",
  "global_revocation",
  ...COUNTED_EVENTS,
] as const;

/** An event of {@link AUDIT_EVENTS}. */
export type AuditEvent = (typeof AUDIT_EVENTS)[number];

/** An event of {@link COUNTED_EVENTS}. */
export type CountedEvent = (typeof COUNTED_EVENTS)[number];

/** Longest User-Agent that is stored, in UTF-16 units. */
export const MAX_DEVICE = 200;

export interface RequestOrigin {
  /** The User-Agent of the client. */
  readonly device: string;
  readonly ip: string;
  readonly requestId: string;
}

export type Actor =
  | { readonly kind: "user"; readonly userId: number }
  | { readonly kind: "service" };

/**
 * The actor of a principal. Anonymous callers cause only
 * counted events.
 */
export const actorOf = (principal: Principal): Actor =>
  principal.kind === "user" ? { kind: "user", userId: principal.userId } : { kind: "service" };

export interface AuditEntry {
  readonly event: Exclude<AuditEvent, CountedEvent>;
  /** The account concerned; null for an event of all accounts. */
  readonly userId: number | null;
  readonly by: Actor;
  /**
   * SHA-256 of the session that began or ended; for several,
   * of the one that asked.
   */
  readonly sessionId: string | null;
  readonly origin: RequestOrigin;
  /** For all sessions: the time before which they were issued. */
  readonly detail?: string;
}

/** Number of refusals, to one account from one address. */
export interface RefusalCount {
  readonly event: CountedEvent;
  /** The account that was meant; null where there is none. */
  readonly userId: number | null;
  /** An IPv4 address or a /64 of IPv6; null beyond the bound of rows. */
  readonly from: string | null;
  readonly count: number;
}

/** Which entries are listed: those that satisfy each condition given. */
export interface AuditFilter {
  readonly userId?: number;
  readonly event?: AuditEvent;
}

/** An entry as it is stored. */
export interface AuditRecord {
  /** ISO 8601. A count ends at it, and began at most a minute before. */
  readonly at: string;
  readonly event: AuditEvent;
  readonly count: number;
  /** The account concerned, which may be gone; null where there is none. */
  readonly userId: number | null;
  readonly byService: boolean;
  readonly byUserId: number | null;
  readonly sessionId: string | null;
  readonly ip: string | null;
  readonly device: string | null;
  readonly requestId: string | null;
  readonly detail: string | null;
}

export const isAuditEvent = (word: string): word is AuditEvent =>
  AUDIT_EVENTS.some((event) => event === word);
