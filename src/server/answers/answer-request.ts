/** Which operations may be answered from the store, and under which key. */
import { type DocumentNode, getOperationAST } from "graphql";
import type { PreparedOperation } from "../cost/cost.js";
import type { RawOperation } from "../operation/admission.js";
import { createAnswerKeys } from "../operation/answer-key.js";
import type { PlanAnswer } from "../operation/answer-plan.js";
import type { Caller } from "../operation/caller.js";
import { isRecord } from "../operation/document-request.js";

/** A query whose answer is equal for all who may share it. */
export interface AnswerRequest {
  readonly key: string;
  readonly document: DocumentNode;
  /** Null for an anonymous query. */
  readonly name: string | null;
}

export interface AnswerRequestDeps {
  readonly plan: PlanAnswer;
  /** A document that was read before. */
  readonly known: (source: string) => DocumentNode | undefined;
  readonly readsPastCache: (caller: Caller) => boolean;
}

/** Null where the query has to be executed for this caller. */
export type ReadAnswerRequest = (raw: RawOperation, caller: Caller) => AnswerRequest | null;

export function createAnswerRequests({
  plan,
  known,
  readsPastCache,
}: AnswerRequestDeps): ReadAnswerRequest {
  const keyOf = createAnswerKeys();
  return (raw, caller) => {
    const operation = wellFormed(raw);
    if (!operation || caller.reportCache || readsPastCache(caller)) return null;
    const document = known(operation.query);
    const definition = document && getOperationAST(document, operation.operationName);
    if (!document || definition?.operation !== "query") return null;
    const { scope, cached } = plan(document, operation.operationName);
    if (scope !== "PUBLIC" || !cached) return null;
    return {
      key: keyOf({ ...operation, document }),
      document,
      name: definition.name?.value ?? null,
    };
  };
}

type WellFormed = Omit<PreparedOperation, "document"> & { readonly query: string };

/** Null for parameters of a wrong type: their rejection is not stored. */
function wellFormed({
  query,
  operationName,
  variables,
  extensions,
}: RawOperation): WellFormed | null {
  if (typeof query !== "string") return null;
  if (!isAbsent(operationName) && typeof operationName !== "string") return null;
  if (!isAbsent(variables) && !isRecord(variables)) return null;
  if (!isAbsent(extensions) && !isRecord(extensions)) return null;
  return {
    query,
    operationName: operationName ?? null,
    variables: (variables ?? null) as WellFormed["variables"],
  } as WellFormed;
}

const isAbsent = (value: unknown): boolean => value === undefined || value === null;
