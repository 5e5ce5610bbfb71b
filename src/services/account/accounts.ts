/**
 * Accounts: signing up, signing in, changing the password.
 *
 * Signing in answers alike for an address with an account and
 * one without, after the same statements and hashing. Only
 * signing up reveals accounts, which it cannot avoid.
 */
import { randomBytes } from "node:crypto";
import type { AuditTable } from "../../db/account/audit.js";
import type { Account, UserTable } from "../../db/account/users.js";
import type { Database } from "../../db/client/database.js";
import type { RequestOrigin } from "../../domain/account/audit.js";
import { type Principal, requireUser, type UserPrincipal } from "../../domain/account/principal.js";
import { ACCOUNT_LIMITS, type UserRecord } from "../../domain/account/user.js";
import { RateLimited, type UserError, userError } from "../../domain/errors.js";
import {
  canonicalPassword,
  checkText,
  holdsUnseen,
  lengthOf,
  typed,
  typedEmail,
} from "../../domain/text.js";
import type { Passwords } from "./passwords.js";
import type { RefusedSignIns } from "./refused-sign-ins.js";
import type { Revocations } from "./revocations.js";
import type { OpenedSession, Sessions } from "./sessions.js";
import type { Admitted, SignInGuard } from "./sign-in-guard.js";

export interface Credentials {
  readonly email: string;
  readonly password: string;
}

/** Origin of a sign-in, and the session that it replaces. */
export interface SignInOrigin extends RequestOrigin {
  /**
   * The user of the client's cookie, where the new session
   * replaces it.
   */
  readonly replaces?: UserPrincipal;
}

export type SignInOutcome =
  | { readonly errors: readonly []; readonly user: UserRecord; readonly opened: OpenedSession }
  | { readonly errors: readonly UserError[]; readonly user: null; readonly opened: null };

/**
 * Methods throw RateLimited when the guard refuses. They
 * throw ServiceUnavailable without Redis or Postgres, or when
 * the queue of hashing is full.
 */
export interface Accounts {
  /** A new customer, signed in. */
  signUp(
    input: Credentials & { readonly name: string },
    origin: SignInOrigin,
  ): Promise<SignInOutcome>;
  /**
   * One question to the guard, one look-up and one Argon2id,
   * for any address. A correct password with a weaker hash is
   * hashed again.
   */
  signIn(input: Credentials, origin: SignInOrigin): Promise<SignInOutcome>;
  /**
   * Changes the caller's password, ends all sessions of the
   * account, and opens a new one for the caller. Throws
   * Unauthenticated.
   */
  changePassword(
    principal: Principal,
    input: { readonly current: string; readonly next: string },
    origin: RequestOrigin,
  ): Promise<SignInOutcome>;
}

export interface AccountsDeps {
  readonly database: Database;
  readonly users: UserTable;
  readonly passwords: Passwords;
  readonly sessions: Pick<Sessions, "open">;
  readonly revocations: Pick<Revocations, "together" | "signOut">;
  readonly guard: SignInGuard;
  readonly audit: Pick<AuditTable, "append">;
  readonly refused: Pick<RefusedSignIns, "note">;
}

const USER_TAG_BYTES = 12;

export function createAccounts(parts: AccountsDeps): Accounts {
  const { users, passwords, revocations, guard, refused } = parts;
  const open = loggedOpening(parts);
  const admit = countedAdmission(guard, refused);

  return {
    async signUp(input, origin) {
      const { email, name, password } = {
        ...input,
        email: typedEmail(input.email),
        name: typed(input.name),
      };
      const errors = [
        checkEmail(email),
        checkText(NAME, name),
        checkPassword(password, "password"),
      ].filter((error) => error !== null);
      if (errors.length > 0) return { ...NOT_SIGNED_IN, errors };
      await guard.signUp(origin.ip);
      const passwordHash = await passwords.hash(password);
      const user = await makeCustomer(parts, { email, name, passwordHash }, origin);
      if (!user) return { ...NOT_SIGNED_IN, errors: [TAKEN] };
      return open({ user, passwordHash, sessions: { epoch: FIRST_EPOCH, revokedIds: [] } }, origin);
    },
    async signIn({ password, ...input }, origin) {
      const email = typedEmail(input.email);
      // Decided by the input alone, so it reveals nothing. No
      // password is as long, and hashing it would only cost.
      if (password.length > LONGEST_PASSWORD) {
        refused.note("sign_in_refused", null, origin.ip);
        return { ...NOT_SIGNED_IN, errors: [BAD_CREDENTIALS] };
      }
      const attempt = await admit({ account: email, ip: origin.ip }, null);
      const account = await users.accountByEmail(email);
      const right = await passwords.matches(password, account?.passwordHash ?? null);
      if (!right || !account) {
        refused.note("sign_in_refused", account?.user.id ?? null, origin.ip);
        return { ...NOT_SIGNED_IN, errors: [BAD_CREDENTIALS] };
      }
      await attempt.right();
      await strengthen(parts, account, password);
      return open(account, origin);
    },
    async changePassword(principal, { current, next }, origin) {
      const { userId, sessionId } = requireUser(principal);
      const error = checkPassword(next, "newPassword");
      if (error) return { ...NOT_SIGNED_IN, errors: [error] };
      const account = await users.accountById(userId);
      if (!account) return { ...NOT_SIGNED_IN, errors: [WRONG_PASSWORD] };
      const attempt = await admit(
        { account: account.user.email, ip: origin.ip, sessionId },
        userId,
      );
      if (!(await passwords.matches(current, account.passwordHash))) {
        refused.note("password_change_refused", userId, origin.ip);
        return { ...NOT_SIGNED_IN, errors: [WRONG_PASSWORD] };
      }
      await attempt.right();
      const passwordHash = await passwords.hash(next);
      const raised = await revocations.together({ userId, sessionId, origin }, (tx) =>
        users.replaceHash(tx, userId, account.passwordHash, passwordHash),
      );
      if (!raised) return { ...NOT_SIGNED_IN, errors: [CHANGED_MEANWHILE] };
      return open(
        { ...account, passwordHash, sessions: { epoch: raised.epoch, revokedIds: [] } },
        origin,
      );
    },
  };
}

/** A new account, logged; null where the address is taken. */
const makeCustomer = (
  { database, users, audit }: AccountsDeps,
  fields: Readonly<Record<"email" | "name" | "passwordHash", string>>,
  origin: SignInOrigin,
): Promise<UserRecord | null> =>
  database.transaction(async (tx) => {
    const made = await users.create(tx, { tag: newTag(), role: "CUSTOMER", ...fields });
    if (made)
      await audit.append(tx, {
        ...byThemselves(made.id),
        event: "signed_up",
        sessionId: null,
        origin,
      });
    return made;
  });

/** Hashes a password again whose hash is weaker than configured. */
async function strengthen(
  { database, users, passwords }: AccountsDeps,
  { user, passwordHash }: Account,
  password: string,
): Promise<void> {
  if (passwords.isWeak(passwordHash))
    await users.replaceHash(database, user.id, passwordHash, await passwords.hash(password));
}

/**
 * Opens a session after authentication. Where the log fails,
 * the token is not handed over: its session has no holder,
 * and expires.
 */
function loggedOpening({ database, sessions, revocations, audit }: AccountsDeps) {
  return async (
    account: Account,
    { replaces, ...origin }: SignInOrigin,
  ): Promise<SignInOutcome> => {
    // Only a thief could still hold it.
    if (replaces) await revocations.signOut(replaces, origin);
    const opened = await sessions.open(account, origin);
    const { userId, sessionId } = opened.principal;
    await audit.append(database, {
      ...byThemselves(userId),
      event: "signed_in",
      sessionId,
      origin,
    });
    return { errors: [], user: account.user, opened };
  };
}

const byThemselves = (userId: number) => ({ userId, by: { kind: "user", userId } }) as const;

/** Asks the guard, and counts refusals. */
function countedAdmission(
  guard: Pick<SignInGuard, "signIn">,
  refused: Pick<RefusedSignIns, "note">,
) {
  return async (
    attempt: Parameters<SignInGuard["signIn"]>[0],
    userId: number | null,
  ): Promise<Admitted> => {
    try {
      return await guard.signIn(attempt);
    } catch (error) {
      if (error instanceof RateLimited) refused.note("sign_in_limited", userId, attempt.ip);
      throw error;
    }
  };
}

/** The default in Postgres. */
const FIRST_EPOCH = 1;

const newTag = (): string => randomBytes(USER_TAG_BYTES).toString("base64url");
const NOT_SIGNED_IN = { user: null, opened: null } as const;

const TAKEN = userError(
  "TAKEN",
  ["input", "email"],
  "There is an account with this address. Sign in instead.",
);
const BAD_CREDENTIALS = userError(
  "BAD_CREDENTIALS",
  ["input"],
  "The address and the password do not belong together, or there is no such account.",
);
const WRONG_PASSWORD = userError(
  "BAD_CREDENTIALS",
  ["input", "currentPassword"],
  "This is not the password of the account.",
);
const CHANGED_MEANWHILE = userError(
  "CONFLICT",
  ["input", "currentPassword"],
  "The password was changed meanwhile. Sign in again.",
);

/**
 * Longest password in UTF-16 units, before normalising: a
 * decomposed character has up to four of two units.
 */
const LONGEST_PASSWORD = 4 * 2 * ACCOUNT_LIMITS.password.max;
const NAME = { field: "name", kind: "line", max: ACCOUNT_LIMITS.name } as const;

function checkEmail(email: string): UserError | null {
  if (email === "") return userError("REQUIRED", ["input", "email"], "email must not be blank.");
  if (lengthOf(email) > ACCOUNT_LIMITS.email)
    return userError(
      "TOO_LONG",
      ["input", "email"],
      `email has more than ${ACCOUNT_LIMITS.email} characters.`,
    );
  // Only a message proves an address; this catches what
  // cannot be one.
  return /^[^@]+@[^@]+$/u.test(email) && !holdsUnseen(email)
    ? null
    : userError("INVALID", ["input", "email"], "email is not an address such as ada@shop.example.");
}

function checkPassword(password: string, field: string): UserError | null {
  const { min, max } = ACCOUNT_LIMITS.password;
  const length = lengthOf(canonicalPassword(password));
  if (length > max)
    return userError("TOO_LONG", ["input", field], `${field} has more than ${max} characters.`);
  return length < min
    ? userError("OUT_OF_RANGE", ["input", field], `${field} must have at least ${min} characters.`)
    : null;
}
