/** The bytes of an answer with the cost of its operation, and back. */
import type { CostReport } from "../cost/payment.js";
import type { Operation } from "../operation/operation.js";
import type { Recording, StoredAnswer } from "./stored-answers.js";

/** What is stored, with what follows it: plain ASCII. */
export function storedBytes({ data }: StoredAnswer, rest: string): Buffer {
  const body = Buffer.allocUnsafe(data.length + rest.length);
  data.copy(body);
  body.write(rest, data.length, "latin1");
  return body;
}

/** What is stored, with the cost of this operation and a suffix. */
export const storedBody = (stored: StoredAnswer, operation: Operation, suffix = ""): Buffer =>
  storedBytes(stored, extensionsOf(operation.costReport) + suffix);

/** Ends a recording with an answer as it is sent; null: none. */
export function endRecording(
  recording: Recording | null,
  operation: Operation,
  text: string | null,
): void {
  const cost = operation.costReport;
  const rest = extensionsOf(cost);
  const isWhole = text?.startsWith('{"data":{') && text.endsWith(rest);
  recording?.end(text && cost && isWhole ? { data: text.slice(0, -rest.length), cost } : null);
}

/** What follows the data in an answer without errors. */
export function extensionsOf(cost: CostReport | null): string {
  if (!cost) return "}";
  const { requested, actual, limit, remaining, restorePerSecond } = cost;
  return (
    `,"extensions":{"cost":{"requested":${requested},"actual":${actual},"limit":${limit},` +
    `"remaining":${remaining},"restorePerSecond":${restorePerSecond}}}}`
  );
}
