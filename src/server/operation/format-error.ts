/**
 * Errors as clients see them: the only place that maps what was thrown to a GraphQL error, over
 * HTTP and WebSocket alike.
 *
 * Every error has a code of the closed list. A SoukError speaks for itself; what graphql-js and
 * Apollo say about the request is the client's to fix and keeps its message; everything else is
 * ours: INTERNAL_SERVER_ERROR with a request id and nothing of what was thrown, which goes to the
 * log with its stack.
 *
 * A client multiplies errors by its lists and quotes itself in their messages, so number, messages
 * and places are bounded.
 */
import { type ExecutionResult, GraphQLError, type GraphQLFormattedError, Kind } from "graphql";
import { cutText } from "../../domain/cut-text.js";
import { ERROR_CODES, type ErrorCode, SoukError, TRANSIENT_CODES } from "../../domain/errors.js";
import { own } from "../../domain/own.js";

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

/** Errors of one answer; where there are more, the last one counts them. */
export const MAX_ERRORS = 10;
/** Characters of one message. */
export const MAX_MESSAGE_CHARACTERS = 300;
/** Fields that are merged are all named: a thousand tokens make hundreds of places. */
const MAX_LOCATIONS = 4;

const INTERNAL_MESSAGE =
  "Something went wrong on our side. Quote the request id when you report it.";

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
 * The first errors of an answer, each naming the request; the last one counts those left out, and
 * has the code that says most of them: a client asks again where one may pass.
 */
export function withRequestId(
  errors: readonly GraphQLFormattedError[],
  requestId: string,
): GraphQLFormattedError[] {
  return firstOf(errors).map((error) => ({
    ...error,
    extensions: { ...error.extensions, requestId },
  }));
}

function firstOf(errors: readonly GraphQLFormattedError[]): readonly GraphQLFormattedError[] {
  if (errors.length <= MAX_ERRORS) return errors;
  const shown = errors.slice(0, MAX_ERRORS - 1);
  const codes = errors.slice(shown.length).map(({ extensions }) => extensions?.code);
  const code =
    codes.find(passesByItself) ?? codes.find((each) => TRANSIENT_CODES.has(each)) ?? codes[0];
  return [...shown, { message: `${codes.length} more errors are left out.`, extensions: { code } }];
}

/** Whether what failed passes once something answers again. An error of ours may last. */
const passesByItself = (code: unknown): boolean =>
  code !== "INTERNAL_SERVER_ERROR" && TRANSIENT_CODES.has(code);

/** Whether an error is ours to repair and belongs in the log with its stack. */
export const isInternal = (error: unknown): boolean => codeOf(error) === "INTERNAL_SERVER_ERROR";

/**
 * Whether an answer, as clients see it, holds an error that may pass, so that the same is worth
 * asking again.
 */
export const hasTransientError = ({ errors }: ExecutionResult): boolean =>
  errors?.some(({ extensions }) => TRANSIENT_CODES.has(extensions.code)) ?? false;

/** Whether it holds an error that passes once something answers again. */
export const isUnavailable = ({ errors }: ExecutionResult): boolean =>
  errors?.some(({ extensions }) => passesByItself(extensions.code)) ?? false;

/** What was thrown in the first place, below the wrappings of graphql-js and Apollo. */
export function rootCause(error: unknown): unknown {
  return error instanceof GraphQLError && error.originalError
    ? rootCause(error.originalError)
    : error;
}

/**
 * The code of anything thrown. The innermost cause decides: Apollo wraps what our rules say in
 * codes of its own.
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

/** graphql-js gives no codes; where an error arose tells whose fault it is. */
function impliedCode(error: GraphQLError, cause: unknown): ErrorCode {
  if (error.nodes?.[0]?.kind === Kind.VARIABLE_DEFINITION) return "BAD_USER_INPUT";
  if (!(cause instanceof GraphQLError)) return "INTERNAL_SERVER_ERROR";
  // Nothing was executed yet: the request itself is at fault (no such operation, too many bad
  // variables).
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
  // Cut before it is searched: a message may be as long as a body, and hold any number of
  // beginnings.
  const cut = cutText(message, MAX_MESSAGE_CHARACTERS);
  return suggestions ? cut : cut.replace(/ ?Did you mean [^?]*(?:\?|$)/g, "");
}

/** What a client can act on besides the code. */
function detailsOf(error: unknown): Readonly<Record<string, unknown>> {
  const cause = rootCause(error);
  return cause instanceof SoukError ? cause.details : {};
}
