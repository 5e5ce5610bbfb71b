/**
 * The size of an answer as JSON in UTF-8. An answer that is far
 * too large is not serialised.
 *
 * A walk sums lengths without reading texts. The sum is at least
 * a sixth of the bytes (an escape has six). It is at most three
 * times the bytes (a list of digits). It stops when the answer is
 * certainly too large. Only a sum in between needs serialisation.
 */
import { type ExecutionResult, GraphQLError } from "graphql";
import { AnswerTooLarge } from "../../domain/errors.js";

export interface AnswerLimits {
  /** The answer of a query or mutation. */
  readonly answerBytes: number;
  /** One message of a subscription. */
  readonly messageBytes: number;
}

/** Room beside `data`: bounded errors, cost, cache, tokens. */
export const ENVELOPE_BYTES = 64 * 1024;

/** The bytes that `data` may have in an answer. */
export const mostDataBytes = (answerBytes: number): number => answerBytes - ENVELOPE_BYTES;

const MIN_SHARE = 6;
const MAX_FACTOR = 3;

/** As JSON. O(values), or O(bytes) near the bound. */
export function isLargerThan(value: unknown, maxBytes: number): boolean {
  const max = MAX_FACTOR * maxBytes;
  const size = sizeOf(value, max);
  if (size > max) return true;
  return size * MIN_SHARE > maxBytes && Buffer.byteLength(JSON.stringify(value)) > maxBytes;
}

/** Numbers, booleans and null. */
const SCALAR_SIZE = 5;
const DATE_SIZE = 27;
/**
 * Quotes and comma; a key adds its colon, an object or list its
 * brackets.
 */
const TEXT_SIZE = 3;
const KEY_SIZE = 3;
const BRACKETS_SIZE = 3;

/** The sum; any number above `max` once it is passed. */
function sizeOf(value: unknown, max: number): number {
  if (typeof value === "string") return value.length + TEXT_SIZE;
  if (typeof value !== "object" || value === null) return SCALAR_SIZE;
  if (value instanceof Date) return DATE_SIZE;
  let size = BRACKETS_SIZE;
  if (Array.isArray(value)) {
    for (const item of value) {
      size += sizeOf(item, max - size);
      if (size > max) return size;
    }
    return size;
  }
  for (const key in value) {
    size += key.length + KEY_SIZE + sizeOf((value as Record<string, unknown>)[key], max - size);
    if (size > max) return size;
  }
  return size;
}

/**
 * The result, or an error when it is too large. Other errors are
 * kept for the log.
 */
export function boundAnswer(
  result: ExecutionResult,
  answerBytes: number,
  kind: "query" | "mutation",
): ExecutionResult {
  if (!isLargerThan(result.data, mostDataBytes(answerBytes))) return result;
  const originalError = new AnswerTooLarge(answerBytes, kind);
  return {
    data: null,
    errors: [new GraphQLError(originalError.message, { originalError }), ...(result.errors ?? [])],
  };
}

/**
 * The result of an event. Throws AnswerTooLarge, which ends the
 * subscription.
 */
export function boundErrorMessage(result: ExecutionResult, messageBytes: number): ExecutionResult {
  if (isLargerThan(result.data, mostDataBytes(messageBytes)))
    throw new AnswerTooLarge(messageBytes, "subscription");
  return result;
}
