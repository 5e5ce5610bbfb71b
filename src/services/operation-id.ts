/** Ids that clients give to operations, so that they can be repeated. */
import type { UserError } from "../domain/errors.js";

const MAX_OPERATION_ID = 128;

/** What is wrong with an operation id; null when nothing is, or when there is none. */
export function checkOperationId(operationId: string | undefined): UserError | null {
  if (
    operationId === undefined ||
    (operationId.length > 0 && operationId.length <= MAX_OPERATION_ID)
  )
    return null;
  return {
    code: operationId === "" ? "REQUIRED" : "TOO_LONG",
    message: `operationId must have 1 to ${MAX_OPERATION_ID} characters.`,
    field: ["operationId"],
  };
}
