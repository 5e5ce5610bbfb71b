/** The bytes of an answer with the cost of its operation, and back. */
import type { Operation } from "../operation/operation.js";
import type { Recording, StoredAnswer } from "./stored-answers.js";

/** What is stored, with the cost of this operation and a suffix. */
export function storedBody({ data }: StoredAnswer, operation: Operation, suffix = ""): Buffer {
  const rest = extensionsText(operation) + suffix;
  const body = Buffer.allocUnsafe(data.length + rest.length);
  data.copy(body);
  // A cost is plain ASCII.
  body.write(rest, data.length, "latin1");
  return body;
}

/** Ends a recording with an answer as it is sent; null: none. */
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
