/**
 * Executes an operation. A request that Apollo accepts in any
 * case is executed here: Apollo would take as long as a small
 * query. Apollo answers whatever it may reject, and all errors.
 */
import { type ApolloServer, HeaderMap } from "@apollo/server";
import { getOperationAST } from "graphql";
import { own } from "../../../domain/own.js";
import type { PreparedOperation } from "../../cost/cost.js";
import { admitRequest } from "../../operation/admission.js";
import type { ClaimedCaller } from "../../operation/caller.js";
import type { OperationKind } from "../../operation/executor.js";
import type { Operation } from "../../operation/operation.js";
import { wellFormed } from "../../operation/raw-operation.js";
import type { ReadAhead } from "../../operation/read-ahead.js";
import type { OperationHolder } from "../apollo.js";
import type { HttpDocument } from "../document.js";
import type { HttpExchange } from "../exchange.js";
import { answerInParts, type PartDeps } from "./answer-in-parts.js";
import { acceptedType } from "./negotiation.js";
import { type HttpAnswer, type StoredAnswerDeps, showsPreflight } from "./stored-answer.js";

export interface ExecutedAnswerDeps extends StoredAnswerDeps, PartDeps {
  readonly apollo: ApolloServer<OperationHolder>;
  readonly readAhead: ReadAhead;
}

export interface ReadOperation {
  readonly operation: Operation;
  readonly claimed: ClaimedCaller;
  readonly document: HttpDocument;
}

/** @param isShared whether pages of other origins may ask it too */
export async function executedAnswer(
  deps: ExecutedAnswerDeps,
  exchange: HttpExchange,
  read: ReadOperation,
  isShared: boolean,
): Promise<HttpAnswer> {
  const accepted =
    read.operation.rejection === null && acceptedRequest(deps, exchange, read, isShared);
  const answer = accepted && (await execute(deps, accepted, read));
  return answer || answerByApollo(deps, exchange, read, isShared);
}

/** A request that Apollo has no reason to reject. */
interface AcceptedRequest extends PreparedOperation {
  readonly kind: OperationKind;
  readonly name: string | null;
  readonly contentType: string;
}

function acceptedRequest(
  { readDocument }: Pick<ExecutedAnswerDeps, "readDocument">,
  { method, headers }: HttpExchange,
  { document: { raw } }: ReadOperation,
  isShared: boolean,
): AcceptedRequest | null {
  const contentType = acceptedType(headers);
  const given = wellFormed(raw);
  const document = given && readDocument.known(given.query);
  const definition = document && getOperationAST(document, given.operationName);
  if (!definition || contentType === null) return null;
  const { operation: kind, name } = definition;
  const mayGet = kind === "query" && (isShared || showsPreflight(headers));
  if (method === "GET" && !mayGet) return null;
  return { ...given, document, kind, name: name?.value ?? null, contentType };
}

/** Null where Apollo has to answer: a rejection, or an answer with errors. */
async function execute(
  deps: ExecutedAnswerDeps,
  request: AcceptedRequest,
  { operation, claimed }: ReadOperation,
): Promise<HttpAnswer | null> {
  operation.name = request.name;
  operation.kind = request.kind;
  // Before the look-up of the session, in the same turn.
  operation.ahead = deps.readAhead(request, claimed) ?? operation.ahead;
  await admitRequest(deps, operation, claimed, request);
  if (operation.rejection !== null || operation.invalid) return null;
  const inParts = await answerInParts(deps, operation, request);
  if (inParts) return { ...success(request), ...inParts };
  if (!operation.result) await operation.execute(deps.executor, request);
  const { result, extensions } = operation;
  if (!result?.data || result.errors) return null;
  return { ...success(request), body: JSON.stringify({ data: result.data, extensions }) };
}

const success = ({ contentType }: AcceptedRequest): Omit<HttpAnswer, "body"> => ({
  status: 200,
  headers: [["content-type", contentType]],
});

async function answerByApollo(
  { apollo }: ExecutedAnswerDeps,
  exchange: HttpExchange,
  { operation, claimed, document: { body, search } }: ReadOperation,
  isShared: boolean,
): Promise<HttpAnswer> {
  const {
    status,
    headers,
    body: answered,
  } = await apollo.executeHTTPGraphQLRequest({
    httpGraphQLRequest: {
      method: exchange.method,
      headers: isShared
        ? headersForApollo(exchange).set("apollo-require-preflight", "1")
        : headersForApollo(exchange),
      search,
      body,
    },
    context: async () => ({ operation, claimed }),
  });
  // Without incremental delivery a body is always complete.
  const text = answered.kind === "complete" ? answered.string : "";
  return { status: status ?? 200, headers, body: text };
}

/** Apollo reads only these. */
const APOLLO_HEADERS = [
  "accept",
  "content-type",
  "apollo-require-preflight",
  "x-apollo-operation-name",
];

function headersForApollo({ headers }: HttpExchange): HeaderMap {
  const map = new HeaderMap();
  for (const name of APOLLO_HEADERS) {
    const value = own(headers, name);
    if (typeof value === "string") map.set(name, value);
  }
  return map;
}
