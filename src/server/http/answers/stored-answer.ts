/**
 * Queries over HTTP that are answered from the store, before
 * Apollo. What Apollo checks is checked here; whatever it
 * might reject is left to it.
 */
import type { IncomingHttpHeaders } from "node:http";
import type { PersistedDocuments } from "../../../services/persisted-documents.js";
import type { AnswerRequest, AnswerRequests } from "../../answers/answer-request.js";
import { findAnswer } from "../../answers/find-answer.js";
import type { StoredAnswer } from "../../answers/stored-answer.js";
import type { StoredAnswers } from "../../answers/stored-answers.js";
import { extensionsOf } from "../../answers/stored-body.js";
import { type AdmissionDeps, admitStored } from "../../operation/admission.js";
import type { ClaimedCaller } from "../../operation/caller.js";
import type { Operation } from "../../operation/operation.js";
import type { RawOperation } from "../../operation/raw-operation.js";
import type { HttpExchange } from "../exchange.js";
import { acceptedType } from "./negotiation.js";

export interface StoredAnswerDeps extends AdmissionDeps {
  readonly answers: StoredAnswers;
  readonly answerRequests: AnswerRequests;
  readonly documents: Pick<PersistedDocuments, "isPersisted">;
  /** How long shared caches may use a shared answer unasked, in s. */
  readonly sharedMaxAge: number;
}

/** A request that the store may answer. */
export interface StorableRequest extends AnswerRequest {
  /** Of the answer, as the client accepts it. */
  readonly contentType: string;
  /** Whether caches may keep the answer (shared-get.ts). */
  readonly isShared: boolean;
}

/** Null where Apollo has to see the request. */
export function storableRequest(
  { answerRequests, documents }: StoredAnswerDeps,
  { method, headers }: HttpExchange,
  { caller }: ClaimedCaller,
  raw: RawOperation,
): StorableRequest | null {
  const isGet = method === "GET";
  const isShared = isGet && documents.isPersisted(raw.query);
  if (isGet && !isShared && !showsPreflight(headers)) return null;
  const contentType = acceptedType(headers);
  const request = contentType === null ? null : answerRequests.read(raw, caller);
  return request && contentType !== null ? { ...request, contentType, isShared } : null;
}

/** As Apollo's guard wants it of a GET without a body. */
export const showsPreflight = (headers: IncomingHttpHeaders): boolean =>
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
  const { answer, isCurrent } = found;
  operation.name = name;
  operation.kind = "query";
  try {
    // Asked in one turn with what confirms the answer.
    await admitStored(deps, operation, claimed, {
      document,
      cost: answer.cost,
      mayBeGivenBack: isCurrent !== true,
    });
  } catch (error) {
    operation.rejection = error;
    return null;
  }
  if (!(await isCurrent)) {
    operation.takeBackPayment();
    return null;
  }
  operation.settleAt(answer.cost.actual);
  return answer;
}

/** An answer over HTTP, before its common headers. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Iterable<readonly [name: string, value: string]>;
  readonly body: string | Buffer;
  /** Of a text as body; default UTF-8. */
  readonly encoding?: "latin1";
  /** Whether caches may keep it. */
  readonly isShared?: boolean;
}

/** What is stored, with the cost of this request. */
export function storedAnswer(
  stored: StoredAnswer,
  { contentType }: StorableRequest,
  operation: Operation,
): HttpAnswer {
  return {
    status: 200,
    encoding: "latin1",
    headers: [
      ["content-type", contentType],
      ["cache-status", "souk; hit"],
    ],
    body: stored.endedBy(extensionsOf(operation.costReport)),
  };
}
