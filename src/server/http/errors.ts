/**
 * Errors of the HTTP layer itself (no such page, body too large, malformed requests): the same JSON
 * as any GraphQL error.
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

/** A refusal with the status it has over HTTP. */
export interface Refusal {
  readonly status: number;
  readonly code: ErrorCode;
  readonly message: string;
  /** What else the client is told, among the `extensions` of the error. */
  readonly details?: Readonly<Record<string, unknown>>;
  /** How long to wait before the same can succeed, for `Retry-After`. */
  readonly retryAfterSeconds?: number;
}

/** A document that is not GraphQL, or not of this schema, or more than one may ask. */
export class DocumentRefused extends Error {
  constructor(readonly errors: readonly GraphQLError[]) {
    super("The document is refused.");
  }
}

/** What a status of Fastify or Node means to a client. */
const REFUSALS: Readonly<Record<number, Omit<Refusal, "status">>> = {
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

/** The refusal of a status; any other client error is a malformed request. */
export const refusalOf = (status: number): Refusal => ({
  status,
  ...(REFUSALS[status] ?? { code: "BAD_USER_INPUT", message: "The request is malformed." }),
});

/** The JSON body of a refusal. */
export function refusalBody(
  { code, message, details }: Omit<Refusal, "status">,
  requestId: string,
): string {
  return JSON.stringify({
    errors: withRequestId([{ message, extensions: { code, ...details } }], requestId),
  });
}

/** Answers whatever was thrown while a request was read or handled. */
export function createErrorHandler(log: Logger, suggestions: boolean) {
  const answer = (
    reply: FastifyReply,
    status: number,
    errors: readonly unknown[],
  ): FastifyReply => {
    const formatted = errors.map((error) => formatError(error, { suggestions }));
    return sendJson(
      reply,
      status,
      JSON.stringify({ errors: withRequestId(formatted, reply.request.id) }),
    );
  };
  return (error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    if (error instanceof SoukError)
      return answer(reply.headers(headersOf(error)), STATUS_OF_CODE[error.code], [error]);
    if (error instanceof DocumentRefused) return answer(reply, 400, error.errors);
    const status = error.statusCode ?? 500;
    if (status < 500) return refuse(reply, refusalOf(status), request.id);
    log.error({ err: error, requestId: request.id }, "a request failed");
    return answer(reply, 500, [error]);
  };
}

/** What a failure says besides its body. */
function headersOf(error: SoukError): Readonly<Record<string, string>> {
  if (error instanceof RateLimited) return rateLimitHeaders(error.about.buckets ?? [], error);
  if (error instanceof MethodNotAllowed) return { allow: error.allowed };
  if (error instanceof Overloaded)
    return { "retry-after": String(Math.ceil(error.retryAfterMs / SECOND)) };
  // Its status is 200, and it is right only until somebody sends the document.
  if (error.code === "PERSISTED_QUERY_NOT_FOUND") return { "cache-control": "no-store" };
  return error.code === "UNAUTHENTICATED" ? { "www-authenticate": "Bearer" } : {};
}

/** Answers a request with a refusal. */
export function refuse(reply: FastifyReply, refusal: Refusal, requestId: string): FastifyReply {
  return sendJson(reply, refusal.status, refusalBody(refusal, requestId));
}

/** Clients of GraphQL over HTTP are told by the media type that the body is a GraphQL answer. */
function sendJson(reply: FastifyReply, status: number, body: string): FastifyReply {
  return reply
    .code(status)
    .header("content-type", typeOfAnswer(reply.request.headers.accept))
    .send(body);
}

/** The media type of a JSON answer that is a GraphQL answer to clients that ask for one. */
export function typeOfAnswer(accept: string | undefined): string {
  const type = accept?.includes("application/graphql-response+json")
    ? "application/graphql-response+json"
    : "application/json";
  return `${type}; charset=utf-8`;
}

/** How long a refused client may take to read why and to hang up. */
const LINGER_MS = SECOND;

/**
 * Writes a refusal to a connection that has no reply object (a refused upgrade, an unreadable
 * request), and closes it.
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
  // No time-out of the HTTP server holds for such a connection: one whose client never hangs up
  // would stay open for good.
  const cut = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once("close", () => clearTimeout(cut)).resume();
}
