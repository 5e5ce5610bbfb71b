/**
 * Errors as clients see them: the only mapping to GraphQL errors,
 * for HTTP and WebSocket.
 *
 * Every error has a code of the closed list. A SoukError has its
 * own. What graphql-js and Apollo say about the request keeps its
 * message. All else is INTERNAL_SERVER_ERROR with a request id;
 * the cause and its stack go to the log alone.
 *
 * Lists multiply errors, and messages quote the request, so
 * number, messages and locations are bounded.
 */
import { type ExecutionResult, GraphQLError, type GraphQLFormattedError, Kind } from "graphql";
import { cutText } from "../../domain/cut-text.js";
import { ERROR_CODES, type ErrorCode, SoukError, TRANSIENT_CODES } from "../../domain/errors.js";
import { own } from "../../domain/own.js";

/** Of requests rejected before execution. */
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

/** Per answer; the last one counts the rest. */
export const MAX_ERRORS = 10;
export const MAX_MESSAGE_CHARACTERS = 300;
/** Merged fields are all named: hundreds of places in a document. */
const MAX_LOCATIONS = 4;

const INTERNAL_MESSAGE =
  "Something went wrong on our side. Quote the request id when you report it.";

/** Apollo's other codes, in our list. */
const APOLLO_CODES: Readonly<Record<string, ErrorCode>> = {
  BAD_REQUEST: "BAD_USER_INPUT",
  OPERATION_RESOLUTION_FAILURE: "BAD_USER_INPUT",
  PERSISTED_QUERY_NOT_SUPPORTED: "BAD_USER_INPUT",
};

/** Statuses more precise than Apollo's BAD_REQUEST. */
const CODE_OF_STATUS: Readonly<Record<number, ErrorCode>> = {
  405: "METHOD_NOT_ALLOWED",
  413: "PAYLOAD_TOO_LARGE",
  415: "UNSUPPORTED_MEDIA_TYPE",
};

export interface ErrorDetail {
  /**
   * "Did you mean…" reveals names of the schema; off in
   * production.
   */
  readonly suggestions: boolean;
}

/** Without its request id (see {@link withRequestId}). */
export function formatError(error: unknown, { suggestions }: ErrorDetail): GraphQLFormattedError {
  const code = codeOf(error);
  const { locations, path } =
    error instanceof GraphQLError ? error : { locations: undefined, path: undefined };
  return {
    message: code === "INTERNAL_SERVER_ERROR" ? INTERNAL_MESSAGE : messageOf(error, suggestions),
    ...(locations && { locations: locations.slice(0, MAX_LOCATIONS) }),
    ...(path && { path }),
    extensions: { code, ...detailsOf(error) },
  };
}

/**
 * The first errors, each with the request id. The last one counts
 * the rest, with a transient code if one is among them: then a
 * retry may help.
 */
export function withRequestId(
  errors: readonly GraphQLFormattedError[],
  requestId: string,
): GraphQLFormattedError[] {
  return boundErrors(errors).map((error) => ({
    ...error,
    extensions: { ...error.extensions, requestId },
  }));
}

function boundErrors(errors: readonly GraphQLFormattedError[]): readonly GraphQLFormattedError[] {
  if (errors.length <= MAX_ERRORS) return errors;
  const shown = errors.slice(0, MAX_ERRORS - 1);
  const codes = errors.slice(shown.length).map(({ extensions }) => extensions?.code);
  const code =
    codes.find(isRecoverable) ?? codes.find((each) => TRANSIENT_CODES.has(each)) ?? codes[0];
  return [...shown, { message: `${codes.length} more errors are left out.`, extensions: { code } }];
}

/**
 * Whether it passes once a dependency is back. Internal errors
 * may last.
 */
const isRecoverable = (code: unknown): boolean =>
  code !== "INTERNAL_SERVER_ERROR" && TRANSIENT_CODES.has(code);

/** Whether it belongs in the log with its stack. */
export const isInternal = (error: unknown): boolean => codeOf(error) === "INTERNAL_SERVER_ERROR";

/**
 * Whether an answer holds a transient error, so that a retry may
 * help.
 */
export const hasTransientError = ({ errors }: ExecutionResult): boolean =>
  errors?.some(({ extensions }) => TRANSIENT_CODES.has(extensions.code)) ?? false;

/** Whether an answer holds an error that passes with a dependency. */
export const isUnavailable = ({ errors }: ExecutionResult): boolean =>
  errors?.some(({ extensions }) => isRecoverable(extensions.code)) ?? false;

/** The original error, below graphql-js and Apollo. */
export function rootCause(error: unknown): unknown {
  return error instanceof GraphQLError && error.originalError
    ? rootCause(error.originalError)
    : error;
}

/**
 * The innermost cause decides: Apollo wraps our errors in codes
 * of its own.
 */
export function codeOf(error: unknown): ErrorCode {
  const cause = rootCause(error);
  if (cause instanceof SoukError) return cause.code;
  if (!(error instanceof GraphQLError)) return "INTERNAL_SERVER_ERROR";
  return (
    (cause instanceof GraphQLError ? ownCode(cause) : null) ??
    ownCode(error) ??
    impliedCode(error, cause)
  );
}

function ownCode({ extensions }: GraphQLError): ErrorCode | null {
  const { code, http } = extensions as { code?: unknown; http?: { status?: number } };
  const status = CODE_OF_STATUS[http?.status ?? 0];
  if (status) return status;
  if (typeof code !== "string") return null;
  return ERROR_CODES.find((known) => known === code) ?? own(APOLLO_CODES, code) ?? null;
}

/** graphql-js gives no codes; the place of an error implies one. */
function impliedCode(error: GraphQLError, cause: unknown): ErrorCode {
  if (error.nodes?.[0]?.kind === Kind.VARIABLE_DEFINITION) return "BAD_USER_INPUT";
  if (!(cause instanceof GraphQLError)) return "INTERNAL_SERVER_ERROR";
  // Without path nothing was executed: the request is at fault.
  if (!error.path) return "BAD_USER_INPUT";
  return cause.message.startsWith('Argument "') ? "BAD_USER_INPUT" : "INTERNAL_SERVER_ERROR";
}

function messageOf(error: unknown, suggestions: boolean): string {
  const cause = rootCause(error);
  const message =
    cause instanceof SoukError
      ? cause.message
      : error instanceof Error
        ? error.message
        : INTERNAL_MESSAGE;
  // Cut before the search: a message may be as long as a body.
  const cut = cutText(message, MAX_MESSAGE_CHARACTERS);
  return suggestions ? cut : cut.replace(/ ?Did you mean [^?]*(?:\?|$)/g, "");
}

/** Further data for clients. */
function detailsOf(error: unknown): Readonly<Record<string, unknown>> {
  const cause = rootCause(error);
  return cause instanceof SoukError ? cause.details : {};
}
