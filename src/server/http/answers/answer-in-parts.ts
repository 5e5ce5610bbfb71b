/**
 * Answers a query in parts: its public root fields from the
 * store, the rest by execution. A part that is asked often is
 * executed by itself, and stored.
 */
import type { AnswerParts, SplitQuery } from "../../answers/answer-parts.js";
import { findAnswer } from "../../answers/find-answer.js";
import { type StoredCost, TEXT_BYTES } from "../../answers/stored-answer.js";
import type { Executed, Recording } from "../../answers/stored-answers.js";
import { DATA_OPENING, extensionsOf, membersOf } from "../../answers/stored-body.js";
import { OPERATION_PRICE, type PreparedOperation } from "../../cost/cost.js";
import type { OperationExecutor } from "../../operation/executor.js";
import type { Operation } from "../../operation/operation.js";
import type { HttpAnswer, StoredAnswerDeps } from "./stored-answer.js";

export interface PartDeps
  extends Pick<StoredAnswerDeps, "answers" | "answerRequests" | "checkCost"> {
  readonly splitQuery: SplitQuery;
  readonly executor: OperationExecutor;
  /** Maximum of an answer, in bytes. */
  readonly answerBytes: number;
}

/**
 * The body of the answer to an admitted query, whose cost is
 * settled then. Null where it has to be executed whole.
 */
export async function answerInParts(
  deps: PartDeps,
  operation: Operation,
  prepared: PreparedOperation,
): Promise<Pick<HttpAnswer, "body" | "encoding"> | null> {
  const parts = deps.answerRequests.mayServe(operation.caller) ? deps.splitQuery(prepared) : null;
  const taken = parts && (await takeParts(deps, operation, parts, prepared));
  const executed =
    taken && (await executeParts(deps, operation, { ...prepared, document: parts.rest }, taken));
  if (!executed) return null;
  const { data, answers, cost } = executed;
  const members = parts.keys.flatMap((key) => {
    const part = answers.get(key);
    if (part) return [part.member];
    const value = Object.hasOwn(data, key) ? JSON.stringify(data[key]) : undefined;
    return value === undefined ? [] : [Buffer.from(`${JSON.stringify(key)}:${value}`)];
  });
  const length = members.reduce((sum, member) => sum + member.length + 1, 0);
  // Executed whole, it is refused.
  if (length > deps.answerBytes) return null;
  operation.settleAt(cost);
  const ending = Buffer.from(`}${extensionsOf(operation.costReport)}`);
  const separated = members.flatMap((member, at) => (at === 0 ? [member] : [COMMA, member]));
  const body = Buffer.concat([OPENING_BYTES, ...separated, ending]);
  if (body.length > TEXT_BYTES) return { body };
  return { body: body.toString("latin1"), encoding: "latin1" };
}

const OPENING_BYTES = Buffer.from(DATA_OPENING);
const COMMA = Buffer.from(",");

/** What a part contributes. */
interface PartAnswer {
  /** Its name and value in the answer. */
  readonly member: Buffer;
  readonly cost: StoredCost;
}

/** A part that is stored, or is executed; null where that fails. */
type TakenPart = PartAnswer | Promise<PartAnswer | null>;

/** All parts, by their names. Null where none is stored, or is to be stored now. */
async function takeParts(
  deps: PartDeps,
  operation: Operation,
  { parts }: AnswerParts,
  { variables }: PreparedOperation,
): Promise<ReadonlyMap<string, TakenPart> | null> {
  const { answers, answerRequests } = deps;
  const { caller } = operation;
  const found = await Promise.all(
    parts.map(async ({ key, document }) => {
      const prepared = { document, operationName: null, variables };
      const request = answerRequests.of(prepared, caller);
      const stored = request && (await findAnswer(answers, request.key, caller.seen));
      const isCurrent = stored && (await stored.isCurrent);
      return { key, prepared, request, answer: isCurrent ? stored.answer : null };
    }),
  );
  const asked = found.map((part) => ({
    ...part,
    recording: part.request && !part.answer ? answers.record(part.request.key) : null,
  }));
  if (!asked.some(({ answer, recording }) => answer ?? recording)) return null;
  return new Map(
    asked.map(({ key, prepared, answer, recording }) => [
      key,
      answer ? partOf(answer) : executePart(deps, operation, prepared, recording),
    ]),
  );
}

const partOf = ({ data, cost }: Pick<Executed<Buffer>, "data" | "cost">): PartAnswer => ({
  member: membersOf(data),
  cost,
});

/** Executes a part. The reads of one that is to be stored are followed, in its own context. */
async function executePart(
  { executor, checkCost }: PartDeps,
  operation: Operation,
  prepared: PreparedOperation,
  recording: Recording | null,
): Promise<PartAnswer | null> {
  let ended: Executed | null = null;
  try {
    const part = recording ? operation.followedBy(recording.trace) : operation;
    const { data, errors } = await part.run(executor, prepared);
    const cost = checkCost(prepared);
    if (!data || errors || !cost) return null;
    ended = {
      data: `{"data":${JSON.stringify(data)}`,
      cost: { requested: cost.requested, actual: cost.actual(data) },
    };
    return partOf({ data: Buffer.from(ended.data), cost: ended.cost });
  } finally {
    recording?.end(ended);
  }
}

interface ExecutedParts {
  readonly data: Readonly<Record<string, unknown>>;
  readonly answers: ReadonlyMap<string, PartAnswer>;
  /** Of the whole operation. */
  readonly cost: number;
}

/** Null where anything has errors: they name places in the whole document. */
async function executeParts(
  { executor, checkCost }: PartDeps,
  operation: Operation,
  rest: PreparedOperation,
  taken: ReadonlyMap<string, TakenPart>,
): Promise<ExecutedParts | null> {
  const [{ data, errors }, ...parts] = await Promise.all([
    operation.run(executor, rest),
    ...taken.values(),
  ]);
  const answers = new Map<string, PartAnswer>();
  for (const [at, key] of [...taken.keys()].entries()) {
    const part = parts[at];
    if (!part) return null;
    answers.set(key, part);
  }
  const cost = checkCost(rest);
  if (!data || errors || !cost) return null;
  let actual = cost.actual(data);
  // The operation itself is paid once.
  for (const part of answers.values()) actual += part.cost.actual - OPERATION_PRICE;
  return { data, answers, cost: actual };
}
