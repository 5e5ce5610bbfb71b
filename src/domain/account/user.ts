/** Accounts. */

export const ROLES = ["CUSTOMER", "ADMIN"] as const;

/** A role of {@link ROLES}. */
export type Role = (typeof ROLES)[number];

export interface UserRecord {
  readonly id: number;
  /** Random: begins the tokens of its sessions, and names their keys. */
  readonly tag: string;
  /** Lower case; unique. */
  readonly email: string;
  /** Public: the author of reviews. */
  readonly name: string;
  readonly role: Role;
  readonly createdAt: string;
}

/**
 * What the cache holds of an account: neither its address, nor
 * its role, which stands in the session.
 */
export type CachedUser = Pick<UserRecord, "id" | "name" | "createdAt">;

/**
 * Cache tag of an account. Whatever changes a {@link CachedUser}
 * must invalidate it.
 */
export const accountTag = (id: number): string => `account:${id}`;

/**
 * Bounds of an account, in characters. The longest address is
 * what SMTP can deliver to.
 */
export const ACCOUNT_LIMITS = { email: 254, name: 100, password: { min: 8, max: 256 } } as const;
