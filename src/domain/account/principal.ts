import { Forbidden, RedisUnavailable, Unauthenticated } from "../errors.js";
import type { Role, UserRecord } from "./user.js";

/** A signed-in user. */
export interface UserPrincipal {
  readonly kind: "user";
  readonly userId: number;
  readonly userTag: string;
  readonly role: Role;
  readonly sessionId: string;
  /**
   * How long the session lives on without use, in ms since it
   * was looked up.
   */
  readonly leftMs: number;
}

/** The caller. */
export type Principal =
  /** No credentials. */
  | { readonly kind: "anonymous" }
  /**
   * Holder of the service token (`ADMIN_TOKEN`): has the
   * rights of an admin.
   */
  | { readonly kind: "service" }
  | UserPrincipal
  /**
   * Its session could not be looked up: gets public answers,
   * and ServiceUnavailable for others.
   */
  | { readonly kind: "unknown" };

export const ANONYMOUS: Principal = { kind: "anonymous" };
export const SERVICE: Principal = { kind: "service" };
export const UNKNOWN: Principal = { kind: "unknown" };

/**
 * Lets admins through. Throws Unauthenticated for anonymous
 * callers, Forbidden for customers.
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
 * The signed-in user; null for anonymous callers and for the
 * service token. Throws RedisUnavailable when it is unknown.
 */
export function signedIn(principal: Principal): UserPrincipal | null {
  if (principal.kind === "unknown") throw new RedisUnavailable();
  return principal.kind === "user" ? principal : null;
}

/**
 * Lets signed-in users through. Throws Unauthenticated for
 * others, RedisUnavailable when it is unknown.
 */
export function requireUser(principal: Principal): UserPrincipal {
  const user = signedIn(principal);
  if (!user) throw new Unauthenticated("This needs somebody who is signed in.");
  return user;
}

/**
 * The account that a session was opened for: a restored
 * database may give its id to another. Throws Unauthenticated
 * where it is gone.
 */
export function accountOfSession(
  { userTag }: Pick<UserPrincipal, "userTag">,
  user: UserRecord | null,
): UserRecord {
  if (user?.tag !== userTag) throw new Unauthenticated("The account of this session is gone.");
  return user;
}
