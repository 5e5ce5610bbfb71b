/** Makes the answer to a request: from the store, else by execution. */
import { dataOf, endRecording } from "../answers/stored-body.js";
import {
  type ExecutedAnswerDeps,
  executedAnswer,
  type ReadOperation,
} from "./answers/executed-answer.js";
import { executedGet, sharedGet, storedGet } from "./answers/shared-get.js";
import {
  findStored,
  type HttpAnswer,
  storableRequest,
  storedAnswer,
} from "./answers/stored-answer.js";
import type { WarmAnswers } from "./answers/warm-answers.js";
import type { HttpExchange } from "./exchange.js";

export interface AnswerDeps extends ExecutedAnswerDeps {
  readonly warm: WarmAnswers;
}

/** Answers from the store, else by execution. */
export async function answer(
  deps: AnswerDeps,
  exchange: HttpExchange,
  read: ReadOperation,
): Promise<HttpAnswer> {
  const { operation, claimed, document } = read;
  const storable = storableRequest(deps, exchange, claimed, document.raw);
  const stored = storable && (await findStored(deps, storable, operation, claimed));
  if (stored) {
    deps.warm.keep(exchange, claimed, document, storable);
    return storable.isShared
      ? storedGet(deps.answers, storable.key, stored, sharedGet(deps, exchange, storable))
      : storedAnswer(stored, storable, operation);
  }
  const mayRecord = storable && operation.rejection === null;
  const recording = mayRecord ? deps.answers.record(storable.key) : null;
  operation.trace = recording?.trace ?? null;
  let text: string | null = null;
  try {
    const executed = await executedAnswer(deps, exchange, read, storable?.isShared ?? false);
    const { status, body } = executed;
    text = status === 200 && typeof body === "string" ? body : null;
    const data = storable?.isShared && text ? dataOf(text, operation.costReport) : null;
    if (!storable || data === null) return executed;
    return executedGet(`${data}}`, sharedGet(deps, exchange, storable));
  } finally {
    endRecording(recording, operation, text);
  }
}
