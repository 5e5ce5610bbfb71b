/**
 * What counts as "Postgres is not there, or cannot now": lost or refused connections, a server that
 * starts or stops, time-outs, a full disk. Those become DatabaseUnavailable, which clients may
 * retry; everything else is a bug or a constraint and keeps its error.
 */
import { setTimeout as delay } from "node:timers/promises";
import { DatabaseUnavailable } from "../../domain/errors.js";
import { own } from "../../domain/own.js";

/** What is done about a failure besides answering SERVICE_UNAVAILABLE. */
type Treatment =
  /** Nothing. */
  | "answer"
  /** The connection is closed as well. */
  | "close"
  /** The server has rolled everything back, so the transaction runs once more. */
  | "repeat";

/**
 * SQLSTATEs that say nothing against the statement, by code or by class (its first two characters);
 * the code goes before the class. docs/errors.md has the same table, compared by a test.
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

const codeOf = (error: unknown): string =>
  typeof error === "object" && error !== null && "code" in error ? String(error.code) : "";

/** What is done about a SQLSTATE; null for one that is the statement's own fault. */
function treatmentOf(code: string): Treatment | null {
  if (!SQLSTATE.test(code) || SYSTEM_CODES.has(code)) return null;
  return own(RETRYABLE_STATES, code) ?? own(RETRYABLE_STATES, code.slice(0, CLASS_LENGTH)) ?? null;
}

/**
 * True when the connection that failed this way must not be used again. Cancelled statements leave
 * theirs intact.
 */
export function isConnectionLost(error: unknown): boolean {
  if (error instanceof AggregateError) return error.errors.some(isConnectionLost);
  const code = codeOf(error);
  return (
    SYSTEM_CODES.has(code) ||
    treatmentOf(code) === "close" ||
    (error instanceof Error && DRIVER_MESSAGES.test(error.message))
  );
}

/** True when trying again later may help and nothing in the statement was wrong. */
const isUnavailable = (error: unknown): boolean =>
  isConnectionLost(error) || treatmentOf(codeOf(error)) !== null;

/** The server itself does not know what became of the statement. */
const UNKNOWN_OUTCOME = "40003";
/** node-postgres says this of a statement that it did not send. */
const NOT_SENT =
  /^(Client has encountered a connection error|Client was closed|Cannot use a pool after)/;

/**
 * The error to throw for one a driver threw. What was sent and `commits` by itself may be done
 * although no reply came.
 */
export function asFailure(error: unknown, { commits = false } = {}): unknown {
  if (!isUnavailable(error)) return error;
  const isSent = !(error instanceof Error && NOT_SENT.test(error.message));
  return new DatabaseUnavailable(
    error,
    commits && isSent && (isConnectionLost(error) || codeOf(error) === UNKNOWN_OUTCOME),
  );
}

/**
 * True when a lock was waited for in vain, where the wait is bounded (`lock_timeout`, `NOWAIT`).
 */
export const isLocked = (error: unknown): boolean =>
  error instanceof DatabaseUnavailable && codeOf(error.cause) === "55P03";

/** Longest pause before a transaction runs once more. */
const MAX_PAUSE_MS = 20;

/**
 * Runs `work`, and once more where a deadlock or a serialization failure rolled it back: another
 * transaction won, nothing was written. `work` is whole (a transaction, or a statement outside of
 * any) and does nothing outside the database.
 */
export async function repeatedOnce<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof DatabaseUnavailable) || treatmentOf(codeOf(error.cause)) !== "repeat")
      throw error;
    // The transaction that won goes first: begun at once, this one could take the same lock again
    // before it.
    await delay(Math.random() * MAX_PAUSE_MS);
    return work();
  }
}
