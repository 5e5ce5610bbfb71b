/** Makes the answer to a request: from the store, else by Apollo. */
import { type ApolloServer, HeaderMap } from "@apollo/server";
import { own } from "../../domain/own.js";
import { dataOf, endRecording } from "../answers/stored-body.js";
import type { ClaimedCaller } from "../operation/caller.js";
import type { Operation } from "../operation/operation.js";
import { executedGet, sharedGet, storedGet } from "./answers/shared-get.js";
import {
  findStored,
  type HttpAnswer,
  type StoredAnswerDeps,
  storableRequest,
  storedAnswer,
} from "./answers/stored-answer.js";
import type { WarmAnswers } from "./answers/warm-answers.js";
import type { OperationHolder } from "./apollo.js";
import type { HttpDocument } from "./document.js";
import type { HttpExchange } from "./exchange.js";

export interface AnswerDeps extends StoredAnswerDeps {
  readonly apollo: ApolloServer<OperationHolder>;
  readonly warm: WarmAnswers;
}

export interface ReadOperation {
  readonly operation: Operation;
  readonly claimed: ClaimedCaller;
  readonly document: HttpDocument;
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
    const executed = await execute(deps, exchange, read, storable?.isShared ?? false);
    text = executed.status === 200 ? executed.body : null;
    const data = storable?.isShared && text ? dataOf(text, operation.costReport) : null;
    if (!storable || data === null) return executed;
    return executedGet(`${data}}`, sharedGet(deps, exchange, storable));
  } finally {
    endRecording(recording, operation, text);
  }
}

/** @param isShared whether pages of other origins may ask it too */
async function execute(
  { apollo }: AnswerDeps,
  exchange: HttpExchange,
  { operation, claimed, document: { body, search } }: ReadOperation,
  isShared: boolean,
): Promise<HttpAnswer & { readonly body: string }> {
  const {
    status,
    headers,
    body: answered,
  } = await apollo.executeHTTPGraphQLRequest({
    httpGraphQLRequest: {
      method: exchange.method,
      headers: isShared
        ? headersForApollo(exchange).set("apollo-require-preflight", "1")
        : headersForApollo(exchange),
      search,
      body,
    },
    context: async () => ({ operation, claimed }),
  });
  // Without incremental delivery a body is always complete.
  const text = answered.kind === "complete" ? answered.string : "";
  return { status: status ?? 200, headers, body: text };
}

/** Apollo reads only these. */
const APOLLO_HEADERS = [
  "accept",
  "content-type",
  "apollo-require-preflight",
  "x-apollo-operation-name",
];

function headersForApollo({ headers }: HttpExchange): HeaderMap {
  const map = new HeaderMap();
  for (const name of APOLLO_HEADERS) {
    const value = own(headers, name);
    if (typeof value === "string") map.set(name, value);
  }
  return map;
}
