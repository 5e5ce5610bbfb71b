/**
 * Accounts: signing up, signing in, changing the password.
 *
 * Signing in answers alike with and without an
 * account, after equal statements and hashing. Only
 * signing up reveals accounts, which it cannot avoid.
 */
import { randomBytes } from "node:crypto";
import type { AuditTable } from "../../db/account/audit.js";
import type { Account, UserTable } from "../../db/account/users.js";
import type { Database } from "../../db/client/database.js";
import type { RequestOrigin } from "../../domain/account/audit.js";
import { type Principal, requireUser, type UserPrincipal } from "../../domain/account/principal.js";
import type { UserRecord } from "../../domain/account/user.js";
import { RateLimited, type UserError, userError } from "../../domain/errors.js";
import { typed, typedEmail } from "../../domain/text.js";
import { checkEmail, checkName, checkPassword, LONGEST_PASSWORD } from "./draft.js";
import type { Passwords } from "./passwords.js";
import type { RefusedSignIns } from "./refused-sign-ins.js";
import { byThemselves, type Revocations } from "./revocations.js";
import type { OpenedSession, Sessions } from "./sessions.js";
import type { Admitted, SignInGuard } from "./sign-in-guard.js";

export interface Credentials {
  readonly email: string;
  readonly password: string;
}

/** Origin of a sign-in, and the session that it replaces. */
export interface SignInOrigin extends RequestOrigin {
  /**
   * The user of the client's cookie, where the new
   * session replaces it.
   */
  readonly replaces?: UserPrincipal;
}

export type SignInOutcome =
  | { readonly errors: readonly []; readonly user: UserRecord; readonly opened: OpenedSession }
  | { readonly errors: readonly UserError[]; readonly user: null; readonly opened: null };

/**
 * Methods throw RateLimited when the guard refuses.
 * They throw ServiceUnavailable without Redis or
 * Postgres, or when the queue of hashing is full.
 */
export interface Accounts {
  /** A new customer, signed in. */
  signUp(
    input: Credentials & { readonly name: string },
    origin: SignInOrigin,
  ): Promise<SignInOutcome>;
  /**
   * One question to the guard, one look-up and one
   * Argon2id, for any address. A correct password with a
   * weaker hash is hashed again.
   */
  signIn(input: Credentials, origin: SignInOrigin): Promise<SignInOutcome>;
  /**
   * Changes the caller's password. Ends all sessions of
   * the account, and opens a new one. Throws
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

export function createAccounts(deps: AccountsDeps): Accounts {
  const steps: AccountSteps = {
    ...deps,
    open: loggedOpening(deps),
    admit: countedAdmission(deps.guard, deps.refused),
  };
  return {
    signUp: (input, origin) => signUp(steps, input, origin),
    signIn: (input, origin) => signIn(steps, input, origin),
    changePassword: (principal, input, origin) => changePassword(steps, principal, input, origin),
  };
}

interface AccountSteps extends AccountsDeps {
  readonly open: ReturnType<typeof loggedOpening>;
  readonly admit: ReturnType<typeof countedAdmission>;
}

async function signUp(
  steps: AccountSteps,
  input: Parameters<Accounts["signUp"]>[0],
  origin: SignInOrigin,
): Promise<SignInOutcome> {
  const { password } = input;
  const [email, name] = [typedEmail(input.email), typed(input.name)];
  const errors = [checkEmail(email), checkName(name), checkPassword(password, "password")].filter(
    (error) => error !== null,
  );
  if (errors.length > 0) return { ...NOT_SIGNED_IN, errors };
  await steps.guard.signUp(origin.ip);
  const passwordHash = await steps.passwords.hash(password);
  const user = await makeCustomer(steps, { email, name, passwordHash }, origin);
  if (!user) return notSignedIn(TAKEN);
  const sessions = { epoch: FIRST_EPOCH, revokedIds: [] };
  return steps.open({ user, passwordHash, sessions }, origin);
}

async function signIn(
  steps: AccountSteps,
  { password, ...input }: Credentials,
  origin: SignInOrigin,
): Promise<SignInOutcome> {
  const { users, passwords, refused } = steps;
  const email = typedEmail(input.email);
  // Decided by the input alone, so it reveals nothing. No
  // password is as long, and hashing it would only cost.
  if (password.length > LONGEST_PASSWORD) {
    refused.note("sign_in_refused", null, origin.ip);
    return notSignedIn(BAD_CREDENTIALS);
  }
  const attempt = await steps.admit({ account: email, ip: origin.ip }, null);
  const account = await users.accountByEmail(email);
  const right = await passwords.matches(password, account?.passwordHash ?? null);
  if (!right || !account) {
    refused.note("sign_in_refused", account?.user.id ?? null, origin.ip);
    return notSignedIn(BAD_CREDENTIALS);
  }
  await attempt.right();
  await strengthen(steps, account, password);
  return steps.open(account, origin);
}

async function changePassword(
  steps: AccountSteps,
  principal: Principal,
  { current, next }: Parameters<Accounts["changePassword"]>[1],
  origin: RequestOrigin,
): Promise<SignInOutcome> {
  const { users, passwords } = steps;
  const { userId, sessionId } = requireUser(principal);
  const error = checkPassword(next, "newPassword");
  if (error) return notSignedIn(error);
  const account = await users.accountById(userId);
  if (!account) return notSignedIn(WRONG_PASSWORD);
  const { email } = account.user;
  const attempt = await steps.admit({ account: email, ip: origin.ip, sessionId }, userId);
  if (!(await passwords.matches(current, account.passwordHash))) {
    steps.refused.note("password_change_refused", userId, origin.ip);
    return notSignedIn(WRONG_PASSWORD);
  }
  await attempt.right();
  const passwordHash = await passwords.hash(next);
  const raised = await steps.revocations.together({ userId, sessionId, origin }, (tx) =>
    users.replaceHash(tx, userId, account.passwordHash, passwordHash),
  );
  if (!raised) return notSignedIn(CHANGED_MEANWHILE);
  const sessions = { epoch: raised.epoch, revokedIds: [] };
  return steps.open({ ...account, passwordHash, sessions }, origin);
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
 * Opens a session after authentication. Where the log
 * fails, the token is not handed over: its session has
 * no holder, and expires.
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
const notSignedIn = (error: UserError): SignInOutcome => ({ ...NOT_SIGNED_IN, errors: [error] });

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
