/**
 * Which errors mean that Postgres is absent or cannot serve
 * now: lost or refused connections, starts and stops,
 * time-outs, a full disk. They become DatabaseUnavailable,
 * which clients may retry. Any other error is a bug or a
 * constraint, and stays as it is.
 */
import { setTimeout as delay } from "node:timers/promises";
import { DatabaseUnavailable } from "../../domain/errors.js";
import { own } from "../../domain/own.js";

/** Treatment of a failure besides answering SERVICE_UNAVAILABLE. */
type Treatment =
  /** Nothing. */
  | "answer"
  /** The connection is closed as well. */
  | "close"
  /**
   * The server has rolled everything back, so the transaction
   * runs once more.
   */
  | "repeat";

/**
 * SQLSTATEs that are not the fault of the statement, by code
 * or by class (first two characters). The code goes before
 * the class. docs/errors.md has the same table, compared by a
 * test.
 */
export const RETRYABLE_STATES: Readonly<Record<string, Treatment>> = {
  "08": "close",
  "25006": "answer",
  "25P03": "close",
  "25P04": "close",
  "40000": "answer",
  "40001": "repeat",
  "40003": "answer",
  "40P01": "repeat",
  "53": "answer",
  "55006": "answer",
  "55P03": "answer",
  "57": "answer",
  "57P01": "close",
  "57P02": "close",
  "57P03": "close",
  "57P04": "close",
  "57P05": "close",
  "58": "answer",
};

const SYSTEM_CODES = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ECONNABORTED",
  "EPIPE",
  "ETIMEDOUT",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "EHOSTDOWN",
  "ENETUNREACH",
  "ENETDOWN",
  "ENOENT",
  "EMFILE",
  "ENFILE",
]);
/** node-postgres gives these no code. */
const DRIVER_MESSAGES = new RegExp(
  `^(${[
    "Connection terminated",
    "timeout exceeded when trying to connect",
    "Query read timeout",
    "Client has encountered a connection error",
    "Client was closed",
    "Cannot use a pool after",
  ].join("|")})`,
);

const SQLSTATE = /^[0-9A-Z]{5}$/;
const CLASS_LENGTH = 2;

const errorCode = (error: unknown): string =>
  typeof error === "object" && error !== null && "code" in error ? String(error.code) : "";

/**
 * Treatment of a SQLSTATE; null for one that is the
 * statement's own fault.
 */
function treatmentOf(code: string): Treatment | null {
  if (!SQLSTATE.test(code) || SYSTEM_CODES.has(code)) return null;
  return own(RETRYABLE_STATES, code) ?? own(RETRYABLE_STATES, code.slice(0, CLASS_LENGTH)) ?? null;
}

/**
 * Whether the connection must not be used again. Cancelled
 * statements leave theirs intact.
 */
export function isConnectionLost(error: unknown): boolean {
  if (error instanceof AggregateError) return error.errors.some(isConnectionLost);
  const code = errorCode(error);
  return (
    SYSTEM_CODES.has(code) ||
    treatmentOf(code) === "close" ||
    (error instanceof Error && DRIVER_MESSAGES.test(error.message))
  );
}

/** Whether a later try may help and the statement was right. */
const meansUnavailable = (error: unknown): boolean =>
  isConnectionLost(error) || treatmentOf(errorCode(error)) !== null;

/** The server itself does not know the outcome of the statement. */
const UNKNOWN_OUTCOME = "40003";
/** What node-postgres says of a statement that it did not send. */
const UNSENT_STATEMENT =
  /^(Client has encountered a connection error|Client was closed|Cannot use a pool after)/;

/**
 * The error to throw for one of a driver. With `commits`, a
 * statement that was sent may have taken effect without a
 * reply.
 */
export function asFailure(error: unknown, { commits = false } = {}): unknown {
  if (!meansUnavailable(error)) return error;
  const isSent = !(error instanceof Error && UNSENT_STATEMENT.test(error.message));
  return new DatabaseUnavailable(
    error,
    commits && isSent && (isConnectionLost(error) || errorCode(error) === UNKNOWN_OUTCOME),
  );
}

/**
 * Whether a bounded wait for a lock ran out (`lock_timeout`,
 * `NOWAIT`).
 */
export const isLocked = (error: unknown): boolean =>
  error instanceof DatabaseUnavailable && errorCode(error.cause) === "55P03";

/** Longest pause before the second run. */
const MAX_PAUSE_MS = 20;

/**
 * Runs `work`, and once more after a deadlock or
 * serialization failure: nothing was written. `work` is a
 * whole transaction, or one statement outside of any, without
 * other effects.
 */
export async function repeatedOnce<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof DatabaseUnavailable) || treatmentOf(errorCode(error.cause)) !== "repeat")
      throw error;
    // The transaction that won goes first: without a pause,
    // this one could take the same lock before it.
    await delay(Math.random() * MAX_PAUSE_MS);
    return work();
  }
}
