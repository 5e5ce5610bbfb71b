/** Bounds of an account: address, name and password. */
import { ACCOUNT_LIMITS } from "../../domain/account/user.js";
import { type UserError, userError } from "../../domain/errors.js";
import { canonicalPassword, checkText, holdsUnseen, lengthOf } from "../../domain/text.js";

/**
 * Longest password in UTF-16 units, before normalising: a
 * decomposed character has up to four of two units.
 */
export const LONGEST_PASSWORD = 4 * 2 * ACCOUNT_LIMITS.password.max;

const NAME_BOUNDS = { field: "name", kind: "line", max: ACCOUNT_LIMITS.name } as const;

export const checkName = (name: string): UserError | null => checkText(NAME_BOUNDS, name);

export function checkEmail(email: string): UserError | null {
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

export function checkPassword(password: string, field: string): UserError | null {
  const { min, max } = ACCOUNT_LIMITS.password;
  const length = lengthOf(canonicalPassword(password));
  if (length > max)
    return userError("TOO_LONG", ["input", field], `${field} has more than ${max} characters.`);
  return length < min
    ? userError("OUT_OF_RANGE", ["input", field], `${field} must have at least ${min} characters.`)
    : null;
}
