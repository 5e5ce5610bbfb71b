/** Makes the answer to a request: from the store, else by Apollo. */
import { type ApolloServer, HeaderMap } from "@apollo/server";
import { own } from "../../domain/own.js";
import { endRecording } from "../answers/stored-body.js";
import type { ClaimedCaller } from "../operation/caller.js";
import type { Operation } from "../operation/operation.js";
import type { OperationHolder } from "./apollo.js";
import type { HttpDocument } from "./document.js";
import type { HttpExchange } from "./exchange.js";
import {
  findStored,
  type HttpAnswer,
  type StoredAnswerDeps,
  storableRequest,
  storedAnswer,
} from "./stored-answer.js";
import type { WarmAnswers } from "./warm-answers.js";

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
    deps.warm.keep(exchange, claimed, storable);
    return storedAnswer(stored, storable, operation);
  }
  const mayRecord = storable && operation.rejection === null;
  const recording = mayRecord ? deps.answers.record(storable.key) : null;
  operation.trace = recording?.trace ?? null;
  let text: string | null = null;
  try {
    const executed = await execute(deps, exchange, read);
    text = executed.status === 200 ? executed.body : null;
    return executed;
  } finally {
    endRecording(recording, operation, text);
  }
}

async function execute(
  { apollo }: AnswerDeps,
  exchange: HttpExchange,
  { operation, claimed, document: { body, search } }: ReadOperation,
): Promise<HttpAnswer & { readonly body: string }> {
  const {
    status,
    headers,
    body: answered,
  } = await apollo.executeHTTPGraphQLRequest({
    httpGraphQLRequest: {
      method: exchange.method,
      headers: headersForApollo(exchange),
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
