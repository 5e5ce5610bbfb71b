/** The bytes of an answer with the cost of its operation, and back. */
import type { CostReport } from "../cost/payment.js";
import type { Operation } from "../operation/operation.js";
import type { Recording } from "./stored-answers.js";

/** Ends a recording with an answer as it is sent; null: none. */
export function endRecording(
  recording: Recording | null,
  operation: Operation,
  text: string | null,
): void {
  const cost = operation.costReport;
  const data = text && dataOf(text, cost);
  recording?.end(data && cost ? { data, cost } : null);
}

/** `{"data":…`, without the closing brace; null for an answer with errors. */
export function dataOf(text: string, cost: CostReport | null): string | null {
  const rest = extensionsOf(cost);
  return text.startsWith(DATA_OPENING) && text.endsWith(rest) ? text.slice(0, -rest.length) : null;
}

/** How every answer with data begins. */
export const DATA_OPENING = '{"data":{';

/** The members of the data of a stored answer: `"name":value,…`. */
export const membersOf = (data: Buffer): Buffer => data.subarray(DATA_OPENING.length, -1);

/** What follows the data in an answer without errors. */
export function extensionsOf(cost: CostReport | null): string {
  if (!cost) return "}";
  const { requested, actual, limit, remaining, restorePerSecond } = cost;
  return (
    `,"extensions":{"cost":{"requested":${requested},"actual":${actual},"limit":${limit},` +
    `"remaining":${remaining},"restorePerSecond":${restorePerSecond}}}}`
  );
}
