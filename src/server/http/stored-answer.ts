/**
 * Queries over HTTP that are answered from the store, before
 * Apollo. What Apollo checks is checked here; whatever it
 * might reject is left to it.
 */
import type { FastifyRequest } from "fastify";
import { LRUCache } from "lru-cache";
import Negotiator from "negotiator";
import type { AnswerRequest, ReadAnswerRequest } from "../answers/answer-request.js";
import type { Recording, StoredAnswer, StoredAnswers } from "../answers/stored-answers.js";
import { type AdmissionDeps, admitStored, type RawOperation } from "../operation/admission.js";
import type { ClaimedCaller } from "../operation/caller.js";
import type { Operation } from "../operation/operation.js";

export interface StoredAnswerDeps extends AdmissionDeps {
  readonly answers: StoredAnswers;
  readonly readAnswerRequest: ReadAnswerRequest;
}

/** A request that the store may answer. */
export interface StorableRequest extends AnswerRequest {
  /** Of the answer, as the client accepts it. */
  readonly contentType: string;
}

/** Null where Apollo has to see the request. */
export function storableRequest(
  { readAnswerRequest }: StoredAnswerDeps,
  { method, headers }: FastifyRequest,
  { caller }: ClaimedCaller,
  raw: RawOperation,
): StorableRequest | null {
  if (method === "GET" && !showsPreflight(headers)) return null;
  const contentType = negotiate(headers.accept);
  const request = contentType === null ? null : readAnswerRequest(raw, caller);
  return request && contentType !== null ? { ...request, contentType } : null;
}

/** As Apollo's guard wants it of a GET without a body. */
const showsPreflight = (headers: FastifyRequest["headers"]): boolean =>
  headers["content-type"] === undefined &&
  Boolean(headers["apollo-require-preflight"] || headers["x-apollo-operation-name"]);

/**
 * Finds a stored answer and admits the operation. Null where
 * it has to be executed. A rejection is left to Apollo, which
 * answers it as any other.
 */
export async function findStored(
  deps: StoredAnswerDeps,
  { key, document, name }: StorableRequest,
  operation: Operation,
  claimed: ClaimedCaller,
): Promise<StoredAnswer | null> {
  const { answers } = deps;
  const { seen } = claimed.caller;
  let found = answers.find(key, seen);
  const recorded = found ? undefined : answers.recorded(key);
  if (recorded) {
    await recorded;
    found = answers.find(key, seen);
  }
  if (!found) return null;
  operation.name = name;
  operation.kind = "query";
  try {
    await admitStored(deps, operation, claimed, { document, cost: found.cost });
  } catch (error) {
    operation.rejection = error;
    return null;
  }
  operation.settle(GIVEN);
  return found;
}

/** The cost of a stored answer needs no look at it. */
const GIVEN = {};

/** An answer over HTTP, before its common headers. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Iterable<readonly [name: string, value: string]>;
  readonly body: string | Buffer;
}

/** What is stored, with the cost of this request. */
export function storedAnswer(
  { data }: StoredAnswer,
  { contentType }: StorableRequest,
  operation: Operation,
): HttpAnswer {
  const rest = extensionsText(operation);
  const body = Buffer.allocUnsafe(data.length + rest.length);
  data.copy(body);
  body.write(rest, data.length, "latin1");
  return {
    status: 200,
    headers: [
      ["content-type", contentType],
      ["cache-status", "souk; hit"],
    ],
    body,
  };
}

/** Ends a recording with the answer that Apollo made. */
export function endRecording(
  recording: Recording | null,
  operation: Operation,
  text: string | null,
): void {
  const cost = operation.costReport;
  const rest = extensionsText(operation);
  const isWhole = text?.startsWith('{"data":{') && text.endsWith(rest);
  recording?.end(text && cost && isWhole ? { data: text.slice(0, -rest.length), cost } : null);
}

/** What follows the data in an answer without errors. */
const extensionsText = ({ costReport: cost }: Operation): string =>
  cost ? `,"extensions":${JSON.stringify({ cost })}}` : "}";

/** As Apollo offers them, in its order. */
const OFFERED = [
  "application/json; charset=utf-8",
  "application/graphql-response+json; charset=utf-8",
  "application/json; callbackSpec=1.0; charset=utf-8",
];
const negotiated = new LRUCache<string, { readonly type: string | null }>({ max: 100 });

/** As Apollo chooses; null where none is accepted. */
function negotiate(accept: string | undefined): string | null {
  if (!accept) return OFFERED[0] ?? null;
  const known = negotiated.get(accept);
  if (known) return known.type;
  const type = new Negotiator({ headers: { accept } }).mediaType(OFFERED) ?? null;
  negotiated.set(accept, { type });
  return type;
}
