/**
 * Errors of the HTTP layer (no such page, large body, malformed
 * request), as the JSON of a GraphQL error.
 */
import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { FastifyError, FastifyReply, FastifyRequest } from "fastify";
import type { GraphQLError } from "graphql";
import type { Logger } from "pino";
import type { ErrorCode } from "../../domain/errors.js";
import { MethodNotAllowed, Overloaded, RateLimited, SoukError } from "../../domain/errors.js";
import { SECOND } from "../../domain/time/time.js";
import { formatError, STATUS_OF_CODE, withRequestId } from "../operation/format-error.js";
import { rateLimitHeaders } from "./rate-limit-headers.js";

/** A rejection with its HTTP status. */
export interface Refusal {
  readonly status: number;
  readonly code: ErrorCode;
  readonly message: string;
  /** Further `extensions` of the error. */
  readonly details?: Readonly<Record<string, unknown>>;
  /** For `Retry-After`. */
  readonly retryAfterSeconds?: number;
}

/** A document that does not parse, validate or fit the limits. */
export class DocumentRefused extends Error {
  constructor(readonly errors: readonly GraphQLError[]) {
    super("The document is refused.");
  }
}

/** Statuses of Fastify and Node, for clients. */
const HTTP_REFUSALS: Readonly<Record<number, Omit<Refusal, "status">>> = {
  400: { code: "BAD_USER_INPUT", message: "The request is malformed." },
  404: { code: "BAD_USER_INPUT", message: "There is nothing here. GraphQL is at /graphql." },
  405: { code: "METHOD_NOT_ALLOWED", message: "Use GET or POST." },
  408: { code: "DEADLINE_EXCEEDED", message: "The request did not arrive in time." },
  413: { code: "PAYLOAD_TOO_LARGE", message: "The body is too large." },
  414: { code: "PAYLOAD_TOO_LARGE", message: "The URL is too long." },
  415: {
    code: "UNSUPPORTED_MEDIA_TYPE",
    message: "Send application/json in UTF-8, not compressed.",
  },
  431: { code: "PAYLOAD_TOO_LARGE", message: "The headers are too large." },
};

/** Other client errors count as a malformed request. */
export const httpRefusal = (status: number): Refusal => ({
  status,
  ...(HTTP_REFUSALS[status] ?? { code: "BAD_USER_INPUT", message: "The request is malformed." }),
});

export function refusalBody(
  { code, message, details }: Omit<Refusal, "status">,
  requestId: string,
): string {
  return JSON.stringify({
    errors: withRequestId([{ message, extensions: { code, ...details } }], requestId),
  });
}

/** A failure as clients get it. */
export interface ErrorAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Turns anything thrown while a request is read or handled into its answer. */
export type AnswerError = (error: unknown, requestId: string) => ErrorAnswer;

export function createErrorAnswers(log: Logger, suggestions: boolean): AnswerError {
  const bodyOf = (errors: readonly unknown[], requestId: string): string => {
    const formatted = errors.map((error) => formatError(error, { suggestions }));
    return JSON.stringify({ errors: withRequestId(formatted, requestId) });
  };
  return (error, requestId) => {
    if (error instanceof SoukError) {
      const status = STATUS_OF_CODE[error.code];
      return { status, headers: headersOf(error), body: bodyOf([error], requestId) };
    }
    if (error instanceof DocumentRefused)
      return { status: 400, headers: {}, body: bodyOf(error.errors, requestId) };
    const status = (error as Partial<FastifyError> | null)?.statusCode ?? 500;
    if (status < 500) {
      const refusal = httpRefusal(status);
      return { status: refusal.status, headers: {}, body: refusalBody(refusal, requestId) };
    }
    log.error({ err: error, requestId }, "a request failed");
    return { status: 500, headers: {}, body: bodyOf([error], requestId) };
  };
}

/** For the routes of Fastify. */
export const createErrorHandler =
  (answerError: AnswerError) =>
  (error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const { status, headers, body } = answerError(error, request.id);
    return sendJson(reply.headers(headers), status, body);
  };

/** Headers of a failure. */
function headersOf(error: SoukError): Readonly<Record<string, string>> {
  if (error instanceof RateLimited) return rateLimitHeaders(error.about.buckets ?? [], error);
  if (error instanceof MethodNotAllowed) return { allow: error.allowed };
  if (error instanceof Overloaded)
    return { "retry-after": String(Math.ceil(error.retryAfterMs / SECOND)) };
  // Its status is 200, and it changes once the document is sent.
  if (error.code === "PERSISTED_QUERY_NOT_FOUND") return { "cache-control": "no-store" };
  return error.code === "UNAUTHENTICATED" ? { "www-authenticate": "Bearer" } : {};
}

export function refuseWith(reply: FastifyReply, refusal: Refusal, requestId: string): FastifyReply {
  return sendJson(reply, refusal.status, refusalBody(refusal, requestId));
}

function sendJson(reply: FastifyReply, status: number, body: string): FastifyReply {
  return reply
    .code(status)
    .header("content-type", typeOfAnswer(reply.request.headers.accept))
    .send(body);
}

/**
 * `graphql-response+json` marks a GraphQL answer for clients that
 * accept it.
 */
export function typeOfAnswer(accept: string | undefined): string {
  const type = accept?.includes("application/graphql-response+json")
    ? "application/graphql-response+json"
    : "application/json";
  return `${type}; charset=utf-8`;
}

/** Time for a client to read its rejection and hang up. */
const LINGER_MS = SECOND;

/**
 * Writes a rejection to a connection without reply object
 * (refused upgrade, unreadable request), and closes it.
 */
export function refuseOnSocket(socket: Socket | Duplex, refusal: Refusal, requestId: string): void {
  const body = refusalBody(refusal, requestId);
  const head = [
    `HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status] ?? "Refused"}`,
    "Connection: close",
    "Content-Type: application/json; charset=utf-8",
    `Content-Length: ${Buffer.byteLength(body)}`,
    "X-Content-Type-Options: nosniff",
    `X-Request-Id: ${requestId}`,
    ...(refusal.retryAfterSeconds ? [`Retry-After: ${refusal.retryAfterSeconds}`] : []),
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`);
  // No time-out of the HTTP server applies here: it could stay
  // open for good.
  const cut = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once("close", () => clearTimeout(cut)).resume();
}
