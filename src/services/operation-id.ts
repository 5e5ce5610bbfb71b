/**
 * Operation ids, by which clients can repeat operations. A
 * refusal is thrown within the transaction, so that it uses
 * up no id.
 */
import { createHash } from "node:crypto";
import { type UserError, userError } from "../domain/errors.js";

const MAX_OPERATION_ID = 128;

/**
 * What is wrong with an operation id at `field`; null when
 * nothing is, or without one.
 */
export function checkOperationId(
  operationId: string | null | undefined,
  field: readonly string[] = ["operationId"],
): UserError | null {
  const length = operationId?.length ?? 1;
  if (length > 0 && length <= MAX_OPERATION_ID) return null;
  return userError(
    length === 0 ? "REQUIRED" : "TOO_LONG",
    field,
    `operationId must have 1 to ${MAX_OPERATION_ID} characters.`,
  );
}

/**
 * Fingerprint of an operation's input, to recognise
 * repetitions: SHA-256 in hex.
 */
export const fingerprint = (input: readonly unknown[]): string =>
  createHash("sha256").update(JSON.stringify(input)).digest("hex");

/** Rolls a transaction back with the error of the payload. */
export class Refused extends Error {
  constructor(readonly userError: UserError) {
    super(userError.message);
  }
}

/** The user error of a {@link Refused}; throws any other error. */
export function refusalIn(error: unknown): UserError {
  if (error instanceof Refused) return error.userError;
  throw error;
}
