/**
 * Every failure that clients see, in two closed lists. docs/errors.md
 * explains each code; a test compares it with this file.
 *
 * Cross-cutting failures are thrown as {@link SoukError} and become GraphQL
 * errors with `extensions.code`. Expected failures of mutations are a
 * {@link UserError} in the payload. A failure is of one kind. FORBIDDEN is in
 * both lists: of a whole operation, or of one thing.
 */

import type { BucketStatus } from "./limits.js";

/** Codes of `extensions.code` on GraphQL errors, over HTTP and WebSocket alike. */
export const ERROR_CODES = [
  "GRAPHQL_PARSE_FAILED",
  "GRAPHQL_VALIDATION_FAILED",
  "BAD_USER_INPUT",
  "UNAUTHENTICATED",
  "FORBIDDEN",
  "RATE_LIMITED",
  "OPERATION_TOO_COMPLEX",
  "PAYLOAD_TOO_LARGE",
  "METHOD_NOT_ALLOWED",
  "UNSUPPORTED_MEDIA_TYPE",
  "PERSISTED_QUERY_NOT_FOUND",
  "DEADLINE_EXCEEDED",
  "SERVICE_UNAVAILABLE",
  "INTERNAL_SERVER_ERROR",
] as const;

/** A code of {@link ERROR_CODES}. */
export type ErrorCode = (typeof ERROR_CODES)[number];

/** Codes of transient failures: the same, tried again, can succeed. */
export const TRANSIENT_CODES: ReadonlySet<unknown> = new Set<ErrorCode>([
  "DEADLINE_EXCEEDED",
  "SERVICE_UNAVAILABLE",
  "INTERNAL_SERVER_ERROR",
]);

/** Codes of `UserError.code` in mutation payloads. */
export const USER_ERROR_CODES = [
  "INVALID",
  "REQUIRED",
  "TOO_LONG",
  "OUT_OF_RANGE",
  "NOT_FOUND",
  "CONFLICT",
  "TAKEN",
  "FORBIDDEN",
  "BAD_CREDENTIALS",
  "OUT_OF_STOCK",
  "PRODUCT_REMOVED",
  "LIMIT_REACHED",
  "IDEMPOTENCY_MISMATCH",
  "PAYMENT_DECLINED",
] as const;

/** A code of {@link USER_ERROR_CODES}. */
export type UserErrorCode = (typeof USER_ERROR_CODES)[number];

/**
 * An expected failure of a mutation: what is wrong, with which value, at
 * which input path.
 */
export interface UserError {
  readonly code: UserErrorCode;
  readonly message: string;
  readonly field: readonly string[] | null;
}

/** A {@link UserError}; `field` is the path of the value, e.g. `["input", "price"]`. */
export const userError = (
  code: UserErrorCode,
  field: UserError["field"],
  message: string,
): UserError => ({ code, message, field });

/** A failure whose message is for the client. Any other becomes INTERNAL_SERVER_ERROR. */
export abstract class SoukError extends Error {
  abstract readonly code: ErrorCode;
  /** Further `extensions` of the error. */
  get details(): Readonly<Record<string, unknown>> {
    return {};
  }
  override get name(): string {
    return this.constructor.name;
  }
}

/**
 * An argument that no retry can make right: a forged cursor, `first: 0`, a
 * malformed id.
 */
export class BadUserInput extends SoukError {
  readonly code = "BAD_USER_INPUT";
  /**
   * @param argument the path of the argument, e.g. `["filter", "minPrice"]`;
   * empty when no single one is at fault
   */
  constructor(
    message: string,
    readonly argument: readonly string[] = [],
  ) {
    super(message);
  }
  override get details() {
    return this.argument.length > 0 ? { argument: this.argument } : {};
  }
}

/** A name of the document is too long; refused before the document is parsed. */
export class NameTooLong extends SoukError {
  readonly code = "GRAPHQL_PARSE_FAILED";
  /**
   * @param max in characters
   * @param at where the name begins
   */
  constructor(max: number, at: { readonly line: number; readonly column: number }) {
    super(
      `Syntax Error: A name is longer than ${max} characters (line ${at.line}, column ` +
        `${at.column}).`,
    );
  }
}

/** The answer would be too large. The operation has run, mutations included. */
export class AnswerTooLarge extends SoukError {
  readonly code = "PAYLOAD_TOO_LARGE";
  /**
   * @param limitBytes the bound
   * @param what names the operation in the message
   */
  constructor(
    readonly limitBytes: number,
    what: "query" | "mutation" | "subscription",
  ) {
    super(
      `${ANSWER_TOO_LARGE[what]} Ask for less at once. An answer has at most ${limitBytes} bytes.`,
    );
  }
  override get details() {
    return { limitBytes: this.limitBytes };
  }
}

const ANSWER_TOO_LARGE = {
  query: "The answer would be too large.",
  mutation: "The mutation ran and its changes stand, but its answer would be too large.",
  subscription: "A message of the subscription would be too large, so it ends.",
} as const;

/** The operation needs an identity, and the request has none or an invalid one. */
export class Unauthenticated extends SoukError {
  readonly code = "UNAUTHENTICATED";
}

/** The caller is known and may not do this. */
export class Forbidden extends SoukError {
  readonly code = "FORBIDDEN";
}

/** Asked too often, or too much at once. Safe to repeat after the wait. */
export class RateLimited extends SoukError {
  readonly code = "RATE_LIMITED";
  /**
   * @param retryAfterMs how long to wait before the same can succeed
   * @param about the bucket that refuses, and the state of all
   */
  constructor(
    message: string,
    readonly retryAfterMs: number,
    readonly about: { readonly bucket?: string; readonly buckets?: readonly BucketStatus[] } = {},
  ) {
    super(message);
  }
  override get details() {
    return {
      ...(this.about.bucket && { bucket: this.about.bucket }),
      retryAfterMs: this.retryAfterMs,
    };
  }
}

/** The operation would cost more than one operation may. */
export class OperationTooComplex extends SoukError {
  readonly code = "OPERATION_TOO_COMPLEX";
  constructor(
    readonly cost: number,
    readonly limit: number,
  ) {
    super(
      `The operation would cost ${cost}, and one operation may cost ${limit}. Ask for less ` +
        "at once.",
    );
  }
  override get details() {
    return { cost: this.cost, limit: this.limit };
  }
}

/** The operation cannot be run by this method. */
export class MethodNotAllowed extends SoukError {
  readonly code = "METHOD_NOT_ALLOWED";
  /** @param allowed the methods that may be used instead */
  constructor(
    message: string,
    readonly allowed: string,
  ) {
    super(message);
  }
}

/**
 * The request names an unknown document. Clients of automatic persisted
 * queries expect this message.
 */
export class PersistedDocumentNotFound extends SoukError {
  readonly code = "PERSISTED_QUERY_NOT_FOUND";
  constructor() {
    super("PersistedQueryNotFound");
  }
}

/**
 * A required service does not answer. Safe to retry; the outcome of a write
 * is unknown.
 */
export class ServiceUnavailable extends SoukError {
  readonly code = "SERVICE_UNAVAILABLE";
}

/**
 * This process has more under way than it can finish in time. Nothing was
 * done; safe to repeat after the wait.
 */
export class Overloaded extends ServiceUnavailable {
  /** Spread, so that refused clients do not come back together. */
  readonly retryAfterMs = Math.round(500 + Math.random() * 1_000);
  constructor() {
    super("The server has more to do than it can. Nothing was done; try again in a second.");
  }
  override get details() {
    return { retryAfterMs: this.retryAfterMs };
  }
}

/** The time allowed for the operation ran out. */
export class DeadlineExceeded extends SoukError {
  readonly code = "DEADLINE_EXCEEDED";
}

/** A server did not answer in time, or there is no connection. */
abstract class Unanswered extends ServiceUnavailable {
  /**
   * @param mayBeDone whether the command was sent; a write may then be done
   * without a reply
   */
  constructor(
    cause?: unknown,
    readonly mayBeDone = false,
  ) {
    super(
      mayBeDone
        ? "The service did not answer in time. If this was a change, it may have been made all " +
            "the same."
        : "The service is briefly unavailable. Try again in a moment.",
      { cause },
    );
  }
}

/**
 * Redis did not answer. Readers of the catalogue never see it: they fall back
 * to Postgres.
 */
export class RedisUnavailable extends Unanswered {}

/** Postgres did not answer, or cannot serve now. */
export class DatabaseUnavailable extends Unanswered {}

/**
 * A start that cannot go on: a message for the operator, without a stack,
 * exit code 1. Never reaches a client.
 */
export class StartupError extends Error {
  override readonly name = "StartupError";
}
