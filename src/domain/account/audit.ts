/**
 * The audit log: what happened to accounts and their sessions, as it is written.
 * docs/decisions/0066-audit-log.md says what is left out.
 */
import type { Principal } from "./principal.js";

/** Events that anybody can cause at will: they are counted, never written one by one. */
export const COUNTED_EVENTS = [
  /** A wrong password, or an address without account. */
  "sign_in_refused",
  /** A wrong current password at a change. */
  "password_change_refused",
  /** Too many attempts. */
  "sign_in_limited",
] as const;

/** What may have happened. */
export const AUDIT_EVENTS = [
  "signed_up",
  "signed_in",
  "signed_out",
  "password_changed",
  "session_revoked",
  "other_sessions_revoked",
  "all_sessions_revoked",
  "everybody_revoked",
  ...COUNTED_EVENTS,
] as const;

/** An event of {@link AUDIT_EVENTS}. */
export type AuditEvent = (typeof AUDIT_EVENTS)[number];

/** An event of {@link COUNTED_EVENTS}. */
export type CountedEvent = (typeof COUNTED_EVENTS)[number];

/** Where a request came from. */
export interface RequestOrigin {
  /** What the client calls itself. */
  readonly device: string;
  readonly ip: string;
  readonly requestId: string;
}

/** Who did something. */
export type Actor =
  | { readonly kind: "user"; readonly userId: number }
  | { readonly kind: "service" };

/** Who a principal is to the log. Nobody else does anything that is logged. */
export const actorOf = (principal: Principal): Actor =>
  principal.kind === "user" ? { kind: "user", userId: principal.userId } : { kind: "service" };

/** One entry. */
export interface AuditEntry {
  readonly event: Exclude<AuditEvent, CountedEvent>;
  /** Whose account it is about; null for everybody's. */
  readonly userId: number | null;
  readonly by: Actor;
  /**
   * The session that began or ended, or for several, the one that asked: its SHA-256, which signs
   * nobody in.
   */
  readonly sessionId: string | null;
  readonly origin: RequestOrigin;
  /** What else there is to know: for everybody's sessions, before when they were issued. */
  readonly detail?: string;
}

/** How often something was refused, to one account from one address. */
export interface RefusalCount {
  readonly event: CountedEvent;
  /** The account that was meant; null where there is none. */
  readonly userId: number | null;
  /** An IPv4 address or a /64 of IPv6; null for those beyond what is told apart. */
  readonly from: string | null;
  readonly count: number;
}
