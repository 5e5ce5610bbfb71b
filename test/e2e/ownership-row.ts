/**
 * What each id of the schema names, and whether any caller may name it. Every subject has its rows
 * in a file of `ownership/` under its name; `ownership.test.ts` finds every place that takes an id
 * and wants one row for each. Rows of things that have an owner are tried against a running shop.
 *
 * To add a row for a new field, argument, input field or type with a global id (the failing test
 * prints its name):
 *
 * - Any caller may name it (a product): `open("why")`.
 * - It has an owner (an order, a session): `owned({ operation, theirs, missing })`. The operation
 *   takes the variable `$id` (or others: then `theirs` and `missing` answer an object of variables)
 *   and selects as much as it can. `theirs` makes the thing as `shop.owner` and answers its id;
 *   `missing` answers an id of the same form behind which there is nothing. The test then sends
 *   both as another user, as a guest and anonymously, and wants the same answer to both; and as the
 *   owner, who must be answered otherwise, or the row shows nothing.
 * - Only admins may: `adminOnly({ operation, theirs, missing })`, the same with an admin in the
 *   owner's place.
 *
 * Operations may be queries, mutations or subscriptions. Every row gets an owner of its own, so it
 * may end what it makes.
 */

import { encodeId } from "../../src/domain/ids.js";
import type { SignedIn } from "../support/accounts.js";
import type { Answer } from "../support/graphql.js";

/** The shop that a row is tried in. */
export interface Shop {
  readonly url: string;
  /** A user who has just signed up, whose things other callers try to reach. */
  readonly owner: SignedIn;
  /** A token with the rights of the role ADMIN. */
  readonly adminToken: string;
  /** Sends an operation as the owner. */
  asOwner(query: string, variables?: Record<string, unknown>): Promise<Answer>;
  /** Sends an operation as an admin. */
  asAdmin(query: string, variables?: Record<string, unknown>): Promise<Answer>;
}

type Variables = Readonly<Record<string, unknown>>;
type Naming = (shop: Shop) => string | Variables | Promise<string | Variables>;

/** How another caller reaches for something that has an owner. */
export interface Attempt {
  readonly operation: string;
  readonly theirs: Naming;
  readonly missing: Naming;
}

/** One row. */
export type Row =
  | { readonly kind: "open"; readonly why: string }
  | (Attempt & { readonly kind: "owned" | "admin" });

export const open = (why: string): Row => ({ kind: "open", why });
export const owned = (attempt: Attempt): Row => ({ kind: "owned", ...attempt });
export const adminOnly = (attempt: Attempt): Row => ({ kind: "admin", ...attempt });

/** The rows of one subject, by place. */
export type Rows = Readonly<Record<string, Row>>;

export const CATALOGUE = "the catalogue is public";
export const CURSOR = "a position in a public list, checked against that list";
export const OPERATION = "names nothing but a change of the caller's own";
/** The id of a user that never was. */
export const NO_USER = encodeId("User", 999_999_999);
