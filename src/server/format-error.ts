/**
 * Errors as clients see them: the only place that maps what was thrown to a GraphQL error, over HTTP and WebSocket alike.
 *
 * Every error has a code of the closed list. A SoukError speaks for itself; what graphql-js and Apollo say about the request is
 * the client's to fix and keeps its message; everything else is ours: INTERNAL_SERVER_ERROR with a request id and nothing of
 * what was thrown, which goes to the log with its stack.
 */

import { GraphQLError, type GraphQLFormattedError, Kind } from "graphql";
import { ERROR_CODES, type ErrorCode, SoukError } from "../domain/errors.js";
import { own } from "../domain/own.js";

/** HTTP status of a request that is refused with a code before anything is executed. */
export const STATUS_OF_CODE: Readonly<Record<ErrorCode, number>> = {
  GRAPHQL_PARSE_FAILED: 400,
  GRAPHQL_VALIDATION_FAILED: 400,
  BAD_USER_INPUT: 400,
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  RATE_LIMITED: 429,
  OPERATION_TOO_COMPLEX: 400,
  PAYLOAD_TOO_LARGE: 413,
  METHOD_NOT_ALLOWED: 405,
  UNSUPPORTED_MEDIA_TYPE: 415,
  PERSISTED_QUERY_NOT_FOUND: 200,
  DEADLINE_EXCEEDED: 504,
  SERVICE_UNAVAILABLE: 503,
  INTERNAL_SERVER_ERROR: 500,
};

const INTERNAL_MESSAGE = "Something went wrong on our side. Quote the request id when you report it.";

/** Codes of Apollo that are not in our list, by what they mean in it. */
const APOLLO_CODES: Readonly<Record<string, ErrorCode>> = {
  BAD_REQUEST: "BAD_USER_INPUT",
  OPERATION_RESOLUTION_FAILURE: "BAD_USER_INPUT",
  PERSISTED_QUERY_NOT_SUPPORTED: "BAD_USER_INPUT",
};

/** Statuses that say more than Apollo's BAD_REQUEST. */
const CODE_OF_STATUS: Readonly<Record<number, ErrorCode>> = {
  405: "METHOD_NOT_ALLOWED",
  413: "PAYLOAD_TOO_LARGE",
  415: "UNSUPPORTED_MEDIA_TYPE",
};

/** How much clients are told. */
export interface ErrorDetail {
  /** "Did you mean…" spells names of the schema; production keeps them to itself. */
  readonly suggestions: boolean;
}

/** The error as clients see it, without its request id (see {@link withRequestId}). */
export function formatError(error: unknown, { suggestions }: ErrorDetail): GraphQLFormattedError {
  const code = codeOf(error);
  const { locations, path } = error instanceof GraphQLError ? error : { locations: undefined, path: undefined };
  return {
    message: code === "INTERNAL_SERVER_ERROR" ? INTERNAL_MESSAGE : messageOf(error, suggestions),
    ...(locations && { locations }),
    ...(path && { path }),
    extensions: { code, ...detailsOf(error) },
  };
}

/** The same errors, each naming the request. */
export function withRequestId(errors: readonly GraphQLFormattedError[], requestId: string): GraphQLFormattedError[] {
  return errors.map((error) => ({ ...error, extensions: { ...error.extensions, requestId } }));
}

/** Whether an error is ours to repair and belongs in the log with its stack. */
export const isInternal = (error: unknown): boolean => codeOf(error) === "INTERNAL_SERVER_ERROR";

/** What was thrown in the first place, below the wrappings of graphql-js and Apollo. */
export function rootCause(error: unknown): unknown {
  return error instanceof GraphQLError && error.originalError ? rootCause(error.originalError) : error;
}

/** The code of anything thrown. The innermost cause decides: Apollo wraps what our rules say in codes of its own. */
export function codeOf(error: unknown): ErrorCode {
  const cause = rootCause(error);
  if (cause instanceof SoukError) return cause.code;
  if (!(error instanceof GraphQLError)) return "INTERNAL_SERVER_ERROR";
  return (cause instanceof GraphQLError ? ownCode(cause) : null) ?? ownCode(error) ?? impliedCode(error, cause);
}

function ownCode({ extensions }: GraphQLError): ErrorCode | null {
  const { code, http } = extensions as { code?: unknown; http?: { status?: number } };
  const status = CODE_OF_STATUS[http?.status ?? 0];
  if (status) return status;
  if (typeof code !== "string") return null;
  return ERROR_CODES.find((known) => known === code) ?? own(APOLLO_CODES, code) ?? null;
}

/** graphql-js gives no codes; where an error arose tells whose fault it is. */
function impliedCode(error: GraphQLError, cause: unknown): ErrorCode {
  if (error.nodes?.[0]?.kind === Kind.VARIABLE_DEFINITION) return "BAD_USER_INPUT";
  if (!(cause instanceof GraphQLError)) return "INTERNAL_SERVER_ERROR";
  // Nothing was executed yet: the request itself is at fault (no such operation, too many bad variables).
  if (!error.path) return "BAD_USER_INPUT";
  return cause.message.startsWith('Argument "') ? "BAD_USER_INPUT" : "INTERNAL_SERVER_ERROR";
}

function messageOf(error: unknown, suggestions: boolean): string {
  const cause = rootCause(error);
  const message = cause instanceof SoukError ? cause.message : error instanceof Error ? error.message : INTERNAL_MESSAGE;
  return suggestions ? message : message.replace(/ ?Did you mean [^?]*\?/g, "");
}

/** What a client can act on besides the code. */
function detailsOf(error: unknown): Readonly<Record<string, unknown>> {
  const cause = rootCause(error);
  return cause instanceof SoukError ? cause.details : {};
}
