/**
 * Operation ids, by which clients can repeat
 * operations. A refusal is thrown within the
 * transaction, so that it uses up no id.
 */
import { type UserError, userError } from "../domain/errors.js";
import { sha256 } from "../domain/hash.js";

/** In UTF-16 units. */
export const MAX_OPERATION_ID = 128;

/** The broken rule; null when valid, or without an id. */
export function operationIdFault(
  operationId: string | null | undefined,
): "REQUIRED" | "TOO_LONG" | null {
  const length = operationId?.length ?? 1;
  if (length === 0) return "REQUIRED";
  return length > MAX_OPERATION_ID ? "TOO_LONG" : null;
}

/**
 * What is wrong with an operation id at `field`; null
 * when nothing is, or without one.
 */
export function checkOperationId(
  operationId: string | null | undefined,
  field: readonly string[] = ["operationId"],
): UserError | null {
  const fault = operationIdFault(operationId);
  return (
    fault && userError(fault, field, `operationId must have 1 to ${MAX_OPERATION_ID} characters.`)
  );
}

/**
 * Fingerprint of an operation's input, to recognise
 * repetitions: SHA-256 in hex.
 */
export const fingerprint = (input: readonly unknown[]): string =>
  sha256(JSON.stringify(input), "hex");

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
