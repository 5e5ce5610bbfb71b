/**
 * Queries over HTTP that are answered from the store, before
 * Apollo. What Apollo checks is checked here; whatever it
 * might reject is left to it.
 */
import type { IncomingHttpHeaders } from "node:http";
import { LRUCache } from "lru-cache";
import Negotiator from "negotiator";
import type { AnswerRequest, AnswerRequests } from "../answers/answer-request.js";
import { findAnswer } from "../answers/find-answer.js";
import type { StoredAnswer, StoredAnswers } from "../answers/stored-answers.js";
import { storedBody } from "../answers/stored-body.js";
import { type AdmissionDeps, admitStored, type RawOperation } from "../operation/admission.js";
import type { ClaimedCaller } from "../operation/caller.js";
import type { Operation } from "../operation/operation.js";
import type { HttpExchange } from "./exchange.js";

export interface StoredAnswerDeps extends AdmissionDeps {
  readonly answers: StoredAnswers;
  readonly answerRequests: AnswerRequests;
}

/** A request that the store may answer. */
export interface StorableRequest extends AnswerRequest {
  /** Of the answer, as the client accepts it. */
  readonly contentType: string;
}

/** Null where Apollo has to see the request. */
export function storableRequest(
  { answerRequests }: StoredAnswerDeps,
  { method, headers }: HttpExchange,
  { caller }: ClaimedCaller,
  raw: RawOperation,
): StorableRequest | null {
  if (method === "GET" && !showsPreflight(headers)) return null;
  const contentType = negotiate(headers.accept);
  const request = contentType === null ? null : answerRequests.read(raw, caller);
  return request && contentType !== null ? { ...request, contentType } : null;
}

/** As Apollo's guard wants it of a GET without a body. */
const showsPreflight = (headers: IncomingHttpHeaders): boolean =>
  headers["content-type"] === undefined &&
  Boolean(headers["apollo-require-preflight"] || headers["x-apollo-operation-name"]);

/**
 * Finds a stored answer and admits the operation. Null where
 * it has to be executed. A rejection is left to Apollo, which
 * answers it like those of executed queries.
 */
export async function findStored(
  deps: StoredAnswerDeps,
  { key, document, name }: StorableRequest,
  operation: Operation,
  claimed: ClaimedCaller,
): Promise<StoredAnswer | null> {
  const found = await findAnswer(deps.answers, key, claimed.caller.seen);
  if (!found) return null;
  operation.name = name;
  operation.kind = "query";
  try {
    await admitStored(deps, operation, claimed, { document, cost: found.cost });
  } catch (error) {
    operation.rejection = error;
    return null;
  }
  operation.settleAt(found.cost.actual);
  return found;
}

/** An answer over HTTP, before its common headers. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Iterable<readonly [name: string, value: string]>;
  readonly body: string | Buffer;
}

/** What is stored, with the cost of this request. */
export function storedAnswer(
  stored: StoredAnswer,
  { contentType }: StorableRequest,
  operation: Operation,
): HttpAnswer {
  return {
    status: 200,
    headers: [
      ["content-type", contentType],
      ["cache-status", "souk; hit"],
    ],
    body: storedBody(stored, operation),
  };
}

/** As Apollo offers them, in its order. */
const OFFERED = [
  "application/json; charset=utf-8",
  "application/graphql-response+json; charset=utf-8",
  "application/json; callbackSpec=1.0; charset=utf-8",
];
const negotiated = new LRUCache<string, { readonly type: string | null }>({ max: 100 });

/** As Apollo chooses; null where none is accepted. */
export function negotiate(accept: string | undefined): string | null {
  if (!accept) return OFFERED[0] ?? null;
  const known = negotiated.get(accept);
  if (known) return known.type;
  const type = new Negotiator({ headers: { accept } }).mediaType(OFFERED) ?? null;
  negotiated.set(accept, { type });
  return type;
}
