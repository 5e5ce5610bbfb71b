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
 * Bounds of an account, in characters. The longest address is
 * what SMTP can deliver to.
 */
export const ACCOUNT_LIMITS = { email: 254, name: 100, password: { min: 8, max: 256 } } as const;
