/** Which operations may be answered from the store, and under which key. */
import { type DocumentNode, getOperationAST } from "graphql";
import type { PreparedOperation } from "../cost/cost.js";
import { createAnswerKeys, hasSmallVariables } from "../operation/answer-key.js";
import type { PlanAnswer } from "../operation/answer-plan.js";
import type { Caller } from "../operation/caller.js";
import { type RawOperation, wellFormed } from "../operation/raw-operation.js";

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
export interface AnswerRequests {
  /** Whether a caller may have a stored answer. */
  mayServe(caller: Caller): boolean;
  /** Of parameters as they came. */
  read(raw: RawOperation, caller: Caller): AnswerRequest | null;
  /** Of an operation that was read. */
  of(operation: PreparedOperation, caller: Caller): AnswerRequest | null;
}

export function createAnswerRequests(deps: AnswerRequestDeps): AnswerRequests {
  const { plan, known, readsPastCache } = deps;
  const keyOf = createAnswerKeys();
  const mayServe = (caller: Caller): boolean => !caller.reportCache && !readsPastCache(caller);
  const of: AnswerRequests["of"] = (operation, caller) => {
    if (!mayServe(caller)) return null;
    const { document, operationName } = operation;
    const definition = getOperationAST(document, operationName);
    if (definition?.operation !== "query") return null;
    const { scope, cached } = plan(document, operationName);
    if (scope !== "PUBLIC" || !cached || !hasSmallVariables(operation)) return null;
    return { key: keyOf(operation), document, name: definition.name?.value ?? null };
  };
  return {
    mayServe,
    of,
    read(raw, caller) {
      const operation = wellFormed(raw);
      const document = operation && known(operation.query);
      return document ? of({ ...operation, document }, caller) : null;
    },
  };
}
