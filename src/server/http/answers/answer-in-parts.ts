/**
 * Answers a query in parts: its public root fields from the
 * store, the rest by execution.
 */
import type { ExecutionResult } from "graphql";
import { own } from "../../../domain/own.js";
import type { SplitQuery } from "../../answers/answer-parts.js";
import type { AnswerRequests } from "../../answers/answer-request.js";
import { TEXT_BYTES } from "../../answers/stored-answer.js";
import { DATA_OPENING, extensionsOf } from "../../answers/stored-body.js";
import {
  type PartAnswer,
  type TakenPart,
  type TakePartsDeps,
  type TakingPart,
  takeParts,
} from "../../answers/take-parts.js";
import { OPERATION_PRICE, type PreparedOperation } from "../../cost/cost.js";
import { boundAnswer, mostDataBytes } from "../../operation/answer-size.js";
import type { Operation } from "../../operation/operation.js";
import type { HttpAnswer } from "./stored-answer.js";

export interface PartDeps extends TakePartsDeps {
  readonly answerRequests: AnswerRequests;
  readonly splitQuery: SplitQuery;
  /** Maximum of an answer, in bytes. */
  readonly answerBytes: number;
}

/**
 * The body of the answer to an admitted query. Null where the
 * query is to be executed whole. Null also where its answer has
 * errors: the operation has the result then.
 */
export async function answerInParts(
  deps: PartDeps,
  operation: Operation,
  prepared: PreparedOperation,
): Promise<Pick<HttpAnswer, "body" | "encoding"> | null> {
  const split = deps.answerRequests.mayServe(operation.caller) ? deps.splitQuery(prepared) : null;
  const taking = split && takeParts(deps, operation, split.parts, prepared);
  if (!split || !taking) return null;
  const restOperation = { ...prepared, document: split.rest };
  const [rest, ...first] = await Promise.all([
    operation.run(deps.executor, restOperation),
    ...taking.map((part) => part.first),
  ]);
  const taken = await renewed(taking, first, operation);
  const parts = new Map(split.parts.map(({ key }, at) => [key, taken[at] as TakenPart]));
  const answers = answersOf(parts);
  const cost = deps.price(restOperation);
  const data = answers && rest.data && !rest.errors ? joined(split.keys, rest.data, answers) : null;
  if (!answers || !rest.data || !cost || !data || data.length > mostDataBytes(deps.answerBytes)) {
    const whole = merged(split.keys, rest, parts);
    operation.finish(boundAnswer(whole, deps.answerBytes, "query"));
    return null;
  }
  operation.settleAt(sumOf(cost.actual(rest.data), answers.values()));
  const ending = Buffer.from(extensionsOf(operation.costReport));
  const body = Buffer.concat([OPENING_BYTES, data, ending]);
  return body.length > TEXT_BYTES
    ? { body }
    : { body: body.toString("latin1"), encoding: "latin1" };
}

/**
 * Executes parts again that have ended meanwhile: the rest may
 * show what changed. Each at most once, in the context of the
 * rest.
 */
async function renewed(
  taking: readonly TakingPart[],
  first: readonly TakenPart[],
  { caller: { seen } }: Operation,
): Promise<readonly TakenPart[]> {
  let taken = first;
  const hasEnded = (part: TakenPart): boolean => {
    if (!("stored" in part) || part.stored === null) return false;
    return part.stored === "changed" || part.stored.tags.judge(seen.count) === "outdated";
  };
  while (taken.some(hasEnded))
    taken = await Promise.all(
      taken.map((part, at) => (hasEnded(part) ? (taking[at]?.execute() ?? part) : part)),
    );
  return taken;
}

/** Null where a part has failed. */
function answersOf(parts: ReadonlyMap<string, TakenPart>): ReadonlyMap<string, PartAnswer> | null {
  const answers = new Map<string, PartAnswer>();
  for (const [key, part] of parts) if ("member" in part) answers.set(key, part);
  return answers.size === parts.size ? answers : null;
}

const OPENING_BYTES = Buffer.from(DATA_OPENING.slice(0, -1));
const OPEN = Buffer.from("{");
const COMMA = Buffer.from(",");
const CLOSE = Buffer.from("}");

/** The data of the answer, as bytes. */
function joined(
  keys: readonly string[],
  rest: Readonly<Record<string, unknown>>,
  parts: ReadonlyMap<string, PartAnswer>,
): Buffer {
  const members = keys.flatMap((key) => {
    const part = parts.get(key);
    if (part) return [part.member];
    const value = JSON.stringify(own(rest, key));
    return value === undefined ? [] : [Buffer.from(`${JSON.stringify(key)}:${value}`)];
  });
  const separated = members.flatMap((member, at) => [at === 0 ? OPEN : COMMA, member]);
  return Buffer.concat([...separated, CLOSE]);
}

/** The operation itself is paid once. */
function sumOf(rest: number, parts: Iterable<PartAnswer>): number {
  let sum = rest;
  for (const { cost } of parts) sum += cost.actual - OPERATION_PRICE;
  return sum;
}

/** The result of the whole, as if it had been executed. */
function merged(
  keys: readonly string[],
  rest: ExecutionResult,
  parts: ReadonlyMap<string, TakenPart>,
): ExecutionResult {
  const all = [rest, ...[...parts.values()].map(resultOf)];
  // The deadline, for example, leaves nothing of the answer.
  const broken = all.find(({ data }) => data === undefined);
  if (broken) return broken;
  const errors = all.flatMap((result) => result.errors ?? []);
  const found = new Map(all.flatMap(({ data }) => Object.entries(data ?? {})));
  // Null: a field that must not be null has failed.
  const isNull = all.some(({ data }) => data === null);
  const members = keys.flatMap((key) => (found.has(key) ? [[key, found.get(key)]] : []));
  return {
    data: isNull ? null : Object.fromEntries(members),
    ...(errors.length > 0 && { errors }),
  };
}

const resultOf = (part: TakenPart): ExecutionResult =>
  "failed" in part ? part.failed : { data: JSON.parse(`{${part.member}}`) };
