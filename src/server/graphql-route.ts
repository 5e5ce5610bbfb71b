/** `/graphql` over HTTP: POST and GET, answered by Apollo; the consistency token in and out; one log line and one measurement each. */

import { type ApolloServer, HeaderMap, type HTTPGraphQLResponse } from "@apollo/server";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { GraphQLFormattedError } from "graphql";
import { own } from "../domain/own.js";
import { formatSeen, type Seen } from "../domain/seen.js";
import { HOUR, SECOND } from "../domain/time.js";
import type { PersistedDocuments } from "../services/persisted-documents.js";
import type { OperationHolder } from "./apollo.js";
import {
  type CallerRules,
  type ClaimedCaller,
  type CreateContext,
  GUEST_HEADER,
  Operation,
  readClaim,
  SEEN_COOKIE,
  SEEN_HEADER,
} from "./context.js";
import { isRecord } from "./document-request.js";
import { withRequestId } from "./format-error.js";
import { type Asked, type GateParts, refuseAtTheDoor } from "./gate.js";
import type { HostCookie } from "./host-cookie.js";
import { httpDocument } from "./http-document.js";
import type { ObserveOperation } from "./observe.js";
import { rateLimitHeaders } from "./rate-limit-headers.js";
import { readJson, refuseIllFormed } from "./text-input.js";

/** What the route is made of. */
export interface GraphQLRouteParts extends GateParts {
  readonly apollo: ApolloServer<OperationHolder>;
  readonly callers: CallerRules;
  readonly createContext: CreateContext;
  readonly observe: ObserveOperation;
  readonly documents: PersistedDocuments;
  readonly jsonDepth: number;
  /** Production is reached by HTTPS, so its cookie is marked Secure. */
  readonly secureCookies: boolean;
  readonly sessionCookie: HostCookie;
  readonly guestCookie: HostCookie;
}

/** The handler of GET and POST. */
export function graphqlHandler(parts: GraphQLRouteParts) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const startedAt = performance.now();
    // It may be for this caller alone, and caches between us cannot tell.
    if (request.method === "GET") reply.header("cache-control", "no-store");
    const claimed = claimOf(request, parts.callers);
    const payer = parts.admission.payerOf(claimed.claim);
    refuseAtTheDoor(parts, payer, null);
    if (request.method === "GET") checkQueryString(request.query as Record<string, unknown>, parts.jsonDepth);
    const operation = new Operation(claimed.caller, request.id, parts.createContext);
    const { body, search, keep } = await httpDocument(parts, request, claimed.caller.principal).catch((error: unknown) => {
      parts.observe(operation, { transport: "http", durationMs: performance.now() - startedAt, outcome: "refused" });
      parts.admission.chargeRefused(payer, 0);
      throw error;
    });
    const asked = askedBy(request.method, { body, search });
    refuseAtTheDoor(parts, payer, asked);
    const answer = await parts.apollo.executeHTTPGraphQLRequest({
      httpGraphQLRequest: { method: request.method, headers: headersForApollo(request), search, body },
      context: async () => ({ operation, claimed }),
    });
    settle(parts, operation, claimed, asked);
    reply.headers(rateLimitHeaders(operation.buckets, operation.refusal));
    // It has paid once its document and its input were found valid.
    if (operation.hasPaid) keep();
    const status = answer.status ?? 200;
    parts.observe(operation, { transport: "http", durationMs: performance.now() - startedAt, outcome: outcomeOf(status) });
    if (operation.written) handOutSeen(reply, operation.written, parts.secureCookies);
    keepCookie(reply, operation.keptSession, parts.sessionCookie);
    keepCookie(reply, operation.keptGuest, parts.guestCookie);
    if (operation.keptGuest) reply.header(GUEST_HEADER, operation.keptGuest);
    return sendAnswer(reply, answer, operation.requestId);
  };
}

/** What was refused for what it is was read all the same. Whose token it was may be known better by now. */
function settle({ admission, readDocument }: GraphQLRouteParts, operation: Operation, { claim }: ClaimedCaller, { query }: Asked): void {
  operation.settle(null);
  if (operation.hasPaid || operation.refusal) return;
  admission.chargeRefused(admission.payerOf(claim), typeof query === "string" ? readDocument.takePriceOf(query) : 0);
}

function askedBy(method: string, { body, search }: { readonly body: unknown; readonly search: string }): Asked {
  if (method !== "GET") return isRecord(body) ? body : {};
  const given = new URLSearchParams(search);
  const variables = given.get("variables");
  return { query: given.get("query"), operationName: given.get("operationName"), variables: variables ? JSON.parse(variables) : null };
}

function claimOf(request: FastifyRequest, rules: CallerRules): ClaimedCaller {
  const get = (name: string) => {
    const value = own(request.headers, name);
    return typeof value === "string" ? value : undefined;
  };
  return readClaim({ get, cookie: (name) => own(request.cookies, name), ip: rules.addressOf(request.raw), takesCookies: true }, rules);
}

/** The text of a GET is held to the same rules as a body. */
function checkQueryString(query: Record<string, unknown>, jsonDepth: number): void {
  refuseIllFormed(query);
  for (const name of ["variables", "extensions"]) {
    const text = own(query, name);
    if (typeof text === "string") readJson(text, jsonDepth);
  }
}

/** The headers Apollo reads; the others need not be copied for every request. */
const APOLLO_HEADERS = ["accept", "content-type", "apollo-require-preflight", "x-apollo-operation-name"];

function headersForApollo({ headers }: FastifyRequest): HeaderMap {
  const map = new HeaderMap();
  for (const name of APOLLO_HEADERS) {
    const value = own(headers, name);
    if (typeof value === "string") map.set(name, value);
  }
  return map;
}

const outcomeOf = (status: number) => (status < 400 ? "answered" : status < 500 ? "refused" : "failed");

/** The token lives as long as a client may be reading older copies: an hour is far beyond any message's travel. */
function handOutSeen(reply: FastifyReply, seen: Seen, secure: boolean): void {
  const token = formatSeen(seen);
  reply.header(SEEN_HEADER, token);
  reply.setCookie(SEEN_COOKIE, token, { path: "/", sameSite: "lax", httpOnly: true, secure, maxAge: HOUR / SECOND });
}

function keepCookie(reply: FastifyReply, token: string | null | undefined, { name, options }: HostCookie): void {
  if (token === undefined) return;
  if (token === null) reply.clearCookie(name, { ...options, maxAge: 0 });
  else reply.setCookie(name, token, options);
}

function sendAnswer(reply: FastifyReply, { status, headers, body }: HTTPGraphQLResponse, requestId: string): FastifyReply {
  for (const [name, value] of headers) reply.header(name, value);
  reply.code(status ?? 200);
  // Incremental delivery is not enabled, so a body is always complete.
  const text = body.kind === "complete" ? body.string : "";
  return reply.send((status ?? 200) >= 400 ? withIdInBody(text, requestId) : text);
}

/** Apollo refuses some requests before there is an operation; those answers get their request id here. */
function withIdInBody(text: string, requestId: string): string {
  const body = JSON.parse(text) as { errors?: GraphQLFormattedError[] };
  return JSON.stringify({ ...body, ...(body.errors && { errors: withRequestId(body.errors, requestId) }) });
}
