/**
 * What counts as "Postgres is not there": lost or refused connections, a server that starts or stops, time-outs.
 * Those become DatabaseUnavailable, which clients may retry; everything else is a bug or a constraint and keeps its own error.
 */
import { DatabaseUnavailable } from "../domain/errors.js";

/** SQLSTATE classes and codes: connection exceptions, too many connections, shutting down or starting, cancelled by a time-out, read-only standby. */
const UNAVAILABLE_STATES = /^(08...|53300|57P0[1-5]|57014|55P03|25006)$/;
const SYSTEM_CODES = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOENT",
]);
/** node-postgres gives these no code. */
const DRIVER_MESSAGES =
  /^(Connection terminated|timeout exceeded when trying to connect|Query read timeout|Client has encountered a connection error|Client was closed|Cannot use a pool after)/;

const codeOf = (error: unknown): string => (typeof error === "object" && error !== null && "code" in error ? String(error.code) : "");

/** True when the connection that failed this way must not be used again. Cancelled statements leave theirs intact. */
export function isConnectionLost(error: unknown): boolean {
  if (error instanceof AggregateError) return error.errors.some(isConnectionLost);
  const code = codeOf(error);
  return SYSTEM_CODES.has(code) || /^(08...|57P0[1-5])$/.test(code) || (error instanceof Error && DRIVER_MESSAGES.test(error.message));
}

/** True when trying again later may help and nothing in the statement was wrong. */
export const isUnavailable = (error: unknown): boolean => isConnectionLost(error) || UNAVAILABLE_STATES.test(codeOf(error));

/** The error to throw for one a driver threw. */
export function asFailure(error: unknown): unknown {
  return isUnavailable(error) ? new DatabaseUnavailable(error) : error;
}
