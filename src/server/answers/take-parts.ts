/**
 * The parts of a query: stored ones as bytes, others by
 * execution. One that is asked often is stored then.
 */
import type { ExecutionResult } from "graphql";
import type { PreparedOperation, PriceOperation } from "../cost/cost.js";
import type { OperationExecutor } from "../operation/executor.js";
import type { Operation } from "../operation/operation.js";
import type { AnswerPart } from "./answer-parts.js";
import type { AnswerRequests } from "./answer-request.js";
import { type FoundAnswer, findNow } from "./find-answer.js";
import type { StoredAnswer, StoredCost } from "./stored-answer.js";
import type { Executed, Recording, StoredAnswers } from "./stored-answers.js";
import { membersOf } from "./stored-body.js";

export interface TakePartsDeps {
  readonly answers: StoredAnswers;
  readonly answerRequests: Pick<AnswerRequests, "of">;
  /** Of an operation that was checked. */
  readonly price: PriceOperation;
  readonly executor: OperationExecutor;
}

/** What became of a part. */
export type TakenPart = PartAnswer | { readonly failed: ExecutionResult };

export interface PartAnswer {
  /** Its name and value in the answer. */
  readonly member: Buffer;
  readonly cost: StoredCost;
  /** Null where it was executed with the rest. */
  readonly stored: StoredAnswer | "changed" | null;
}

/** A part that can be taken again. */
export interface TakingPart {
  readonly first: TakenPart | Promise<TakenPart>;
  /** Executes it in the context of the operation. */
  execute(): Promise<TakenPart>;
}

/** Begins to take all parts; null where none is stored, or is to be stored now. */
export function takeParts(
  deps: TakePartsDeps,
  operation: Operation,
  parts: readonly AnswerPart[],
  { variables }: PreparedOperation,
): readonly TakingPart[] | null {
  const { answers, answerRequests } = deps;
  const { caller } = operation;
  const asked = parts.map(({ document }) => {
    const prepared = { document, operationName: null, variables };
    const request = answerRequests.of(prepared, caller);
    const found = request && findNow(answers, request.key, caller.seen);
    const recording = request && !found ? answers.record(request.key) : null;
    return { prepared, found, recording };
  });
  if (!asked.some(({ found, recording }) => found ?? recording)) return null;
  return asked.map(({ prepared, found, recording }) => {
    const execute = () => executePart(deps, operation, prepared, null);
    const first = found
      ? unlessOutdated(found, execute)
      : executePart(deps, operation, prepared, recording);
    return { first, execute };
  });
}

function unlessOutdated(
  { answer, isCurrent }: FoundAnswer,
  execute: () => Promise<TakenPart>,
): TakenPart | Promise<TakenPart> {
  const { data, cost } = answer;
  const taken = { member: membersOf(data), cost, stored: answer };
  if (isCurrent === true) return taken;
  return isCurrent.then((current) => (current ? taken : execute()));
}

/** The reads of a part that is to be stored are followed: it has its own context. */
async function executePart(
  { executor, price }: TakePartsDeps,
  operation: Operation,
  prepared: PreparedOperation,
  recording: Recording | null,
): Promise<TakenPart> {
  let isEnded = false;
  const end = (executed: Executed | null) => {
    isEnded = true;
    return recording?.end(executed) ?? null;
  };
  try {
    const part = recording ? operation.followedBy(recording.trace) : operation;
    const result = await part.run(executor, prepared);
    const cost = price(prepared);
    if (!result.data || result.errors || !cost) return { failed: result };
    const { requested } = cost;
    const executed = {
      data: `{"data":${JSON.stringify(result.data)}`,
      cost: { requested, actual: cost.actual(result.data) },
    };
    const member = membersOf(Buffer.from(executed.data));
    return { member, cost: executed.cost, stored: end(executed) };
  } finally {
    if (!isEnded) end(null);
  }
}
