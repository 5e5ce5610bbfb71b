import { Forbidden, RedisUnavailable, Unauthenticated } from "../errors.js";
import type { Role } from "./user.js";

/** Somebody who is signed in. */
export interface UserPrincipal {
  readonly kind: "user";
  readonly userId: number;
  readonly userTag: string;
  readonly role: Role;
  readonly sessionId: string;
  /** How long the session lives on if it is not used, in ms since it was looked up. */
  readonly leftMs: number;
}

/** Who is asking. */
export type Principal =
  /** Nobody we know. */
  | { readonly kind: "anonymous" }
  /** Holder of the service token (`ADMIN_TOKEN`): may do what an admin may. */
  | { readonly kind: "service" }
  | UserPrincipal
  /**
   * Has shown a session that could not be looked up: gets what is public, and is told so about
   * anything else.
   */
  | { readonly kind: "unknown" };

export const ANONYMOUS: Principal = { kind: "anonymous" };
export const SERVICE: Principal = { kind: "service" };
export const UNKNOWN: Principal = { kind: "unknown" };

/**
 * Lets through who may do what an admin may. Throws Unauthenticated for nobody we know, Forbidden
 * for customers.
 */
export function requireAdmin(principal: Principal): void {
  if (principal.kind === "unknown") throw new RedisUnavailable();
  if (principal.kind === "anonymous")
    throw new Unauthenticated(
      "This needs an admin: sign in as one, or send the service token as `Authorization: " +
        "Bearer …`.",
    );
  if (principal.kind === "user" && principal.role !== "ADMIN")
    throw new Forbidden("This needs an admin.");
}

/**
 * Who is signed in; null for nobody, and for the service token, which is no person. Throws
 * RedisUnavailable when it cannot be told.
 */
export function signedIn(principal: Principal): UserPrincipal | null {
  if (principal.kind === "unknown") throw new RedisUnavailable();
  return principal.kind === "user" ? principal : null;
}

/**
 * Lets through who is signed in. Throws Unauthenticated for others, RedisUnavailable when it cannot
 * be told.
 */
export function requireUser(principal: Principal): UserPrincipal {
  const user = signedIn(principal);
  if (!user) throw new Unauthenticated("This needs somebody who is signed in.");
  return user;
}
