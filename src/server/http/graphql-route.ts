/**
 * `/graphql` over HTTP, by POST and GET. The consistency token
 * comes in and goes out. A request makes one log line and one
 * measurement.
 */

import { stringifySetCookie } from "cookie";
import { type GraphQLFormattedError, getOperationAST } from "graphql";
import { MethodNotAllowed, RateLimited } from "../../domain/errors.js";
import { HOUR, SECOND } from "../../domain/time/time.js";
import type { ConsistencyTokens } from "../../services/consistency-tokens.js";
import type { PersistedDocuments } from "../../services/persisted-documents.js";
import { chargeText, rejectEarly } from "../operation/admission.js";
import { type ClaimedCaller, GUEST_HEADER, SEEN_COOKIE, SEEN_HEADER } from "../operation/caller.js";
import { type DocumentReader, isRefused } from "../operation/documents.js";
import {
  type ErrorDetail,
  formatError,
  STATUS_OF_CODE,
  withRequestId,
} from "../operation/format-error.js";
import type { ObserveOperation } from "../operation/observe.js";
import { type CreateContext, Operation } from "../operation/operation.js";
import type { RawOperation } from "../operation/raw-operation.js";
import { type AnswerDeps, answer } from "./answer.js";
import { type HttpAnswer, storableRequest } from "./answers/stored-answer.js";
import { WarmAnswers } from "./answers/warm-answers.js";
import type { ArrivedRequest } from "./arrival.js";
import { type HttpDocument, httpDocument } from "./document.js";
import { DocumentRefused } from "./errors.js";
import type { HttpExchange } from "./exchange.js";
import type { HostCookie } from "./host-cookie.js";
import { rateLimitHeaders } from "./rate-limit-headers.js";
import type { UnsentAnswers } from "./unsent-answers.js";

export interface GraphQLRouteDeps extends Omit<AnswerDeps, "warm"> {
  readonly createContext: CreateContext;
  readonly observe: ObserveOperation;
  readonly documents: PersistedDocuments;
  readonly seenTokens: Pick<ConsistencyTokens, "write">;
  readonly unsent: UnsentAnswers;
  readonly errors: ErrorDetail;
  readonly jsonDepth: number;
  /** Production uses HTTPS: its cookie is marked Secure. */
  readonly secureCookies: boolean;
  readonly sessionCookie: HostCookie;
  readonly guestCookie: HostCookie;
}

export function graphqlHandler(deps: GraphQLRouteDeps) {
  const warm = new WarmAnswers(deps);
  const handle = createHandler({ ...deps, warm });
  return (exchange: HttpExchange, request: ArrivedRequest): Promise<void> | null => {
    const answered = warm.answer(exchange, request);
    if (answered === true) return null;
    if (answered === false) return handle(exchange, request);
    return answered.then((isDone) => (isDone ? undefined : handle(exchange, request)));
  };
}

function createHandler(deps: HandlerDeps) {
  return async (exchange: HttpExchange, { claimed, atMs }: ArrivedRequest): Promise<void> => {
    // Answers may be private, and shared caches cannot see that.
    if (exchange.method === "GET") exchange.header("cache-control", "no-store");
    const operation = new Operation(claimed.caller, exchange.id, deps.createContext, atMs);
    const document = await readRequest(deps, exchange, operation, claimed);
    const made = await answer(deps, exchange, { operation, claimed, document }).catch((error) => {
      settlePayment(deps, operation, claimed, document.raw);
      observe(deps, operation, "failed");
      throw error;
    });
    const sent = unlessUnread(deps, exchange, operation, made);
    settlePayment(deps, operation, claimed, document.raw);
    // Paid means: document and input are valid.
    if (operation.hasPaid) document.keep();
    observe(deps, operation, outcomeOf(sent.status));
    if (!sent.isShared) addHeaders(deps, exchange, operation);
    sendAnswer(exchange, sent);
  };
}

type HandlerDeps = GraphQLRouteDeps & AnswerDeps;

/**
 * Reads a request, within the limits of its caller. A
 * rejected one still pays for its reading. Throws its rejection.
 */
async function readRequest(
  deps: GraphQLRouteDeps,
  exchange: HttpExchange,
  operation: Operation,
  claimed: ClaimedCaller,
): Promise<HttpDocument> {
  const payer = deps.admission.payerOf(claimed.claim);
  const { body, url } = exchange;
  rejectEarly(deps, payer, null);
  chargeText(deps.admission, payer, body?.length ?? url.length);
  const refuse = (error: unknown, raw: RawOperation): never => {
    observe(deps, operation, "refused");
    deps.admission.chargeRefused(payer, readingOf(deps, raw));
    throw error;
  };
  const document = await httpDocument(deps, exchange, claimed.caller.principal).catch((error) =>
    refuse(error, {}),
  );
  const storable = storableRequest(deps, exchange, claimed, document.raw);
  rejectEarly(deps, payer, document.raw, storable && deps.answers.likelyCostOf(storable.key));
  try {
    checkDocument(deps.readDocument, document.raw);
  } catch (error) {
    refuse(error, document.raw);
  }
  return document;
}

const observe = (
  deps: GraphQLRouteDeps,
  operation: Operation,
  outcome: "answered" | "refused" | "failed",
): void =>
  deps.observe(operation, {
    transport: "http",
    durationMs: performance.now() - operation.startedAtMs,
    outcome,
  });

/** Adds limits, consistency token and cookies to an answer. */
function addHeaders(deps: GraphQLRouteDeps, exchange: HttpExchange, operation: Operation): void {
  exchange.addHeaders(Object.entries(rateLimitHeaders(operation.buckets, operation.refusal)));
  if (operation.written)
    sendSeen(exchange, deps.seenTokens.write(operation.written), deps.secureCookies);
  keepCookie(exchange, operation.keptSession, deps.sessionCookie);
  keepCookie(exchange, operation.keptGuest, deps.guestCookie);
  if (operation.keptGuest) exchange.header(GUEST_HEADER, operation.keptGuest);
}

/**
 * The answer, or a rejection where its address has too many
 * unread.
 */
function unlessUnread(
  deps: GraphQLRouteDeps,
  { response }: HttpExchange,
  operation: Operation,
  made: HttpAnswer,
): HttpAnswer {
  if (
    deps.unsent.admit(
      response,
      operation.caller.client.ip,
      Buffer.byteLength(made.body, made.encoding),
    )
  )
    return made;
  const refusal = new RateLimited(
    UNREAD_ANSWERS[operation.kind === "mutation" ? "mutation" : "query"],
    SECOND,
    { bucket: "unread" },
  );
  // A mutation has run: no header invites a retry.
  if (operation.kind !== "mutation") operation.refusal = refusal;
  const errors = [formatError(refusal, deps.errors)];
  return {
    status: STATUS_OF_CODE[refusal.code],
    headers: [...made.headers].filter(([name]) => name !== "cache-status"),
    body: JSON.stringify({ errors, data: null }),
  };
}

const UNREAD_ANSWERS = {
  query: "The answer is not sent: earlier ones to this address are still unread.",
  mutation:
    "The mutation ran and its changes stand. Its answer is not sent: earlier ones to this " +
    "address are still unread.",
} as const;

/**
 * A rejected operation still pays for its reading. Admission may
 * know its token by now.
 */
function settlePayment(
  deps: GraphQLRouteDeps,
  operation: Operation,
  { claim }: ClaimedCaller,
  raw: RawOperation,
): void {
  operation.settle(null);
  if (!operation.hasPaid && !operation.refusal)
    deps.admission.chargeRefused(deps.admission.payerOf(claim), readingOf(deps, raw));
}

/** The unpaid price of reading a document. */
const readingOf = ({ readDocument }: GraphQLRouteDeps, { query }: RawOperation): number =>
  typeof query === "string" ? readDocument.takeReadingPriceOf(query) : 0;

const OVER_WEBSOCKET =
  "Subscriptions run over a WebSocket: connect to this URL with ws:// or wss:// and the " +
  "subprotocol graphql-transport-ws.";

/**
 * Leaves a missing document to Apollo. Throws DocumentRefused,
 * and MethodNotAllowed for a subscription.
 */
function checkDocument(readDocument: DocumentReader, { query, operationName }: RawOperation): void {
  if (typeof query !== "string" || query === "") return;
  const document = readDocument(query);
  if (isRefused(document)) throw new DocumentRefused(document);
  const operation = getOperationAST(
    document,
    typeof operationName === "string" ? operationName : null,
  );
  // A WebSocket begins as a GET.
  if (operation?.operation === "subscription") throw new MethodNotAllowed(OVER_WEBSOCKET, "GET");
}

const outcomeOf = (status: number) =>
  status < 400 ? "answered" : status < 500 ? "refused" : "failed";

/**
 * An hour exceeds the travel of any message, after which no older
 * copy is read.
 */
function sendSeen(exchange: HttpExchange, token: string, secure: boolean): void {
  exchange.header(SEEN_HEADER, token);
  const [path, sameSite, maxAge] = ["/", "lax", HOUR / SECOND] as const;
  exchange.addCookie(
    stringifySetCookie(SEEN_COOKIE, token, { path, sameSite, httpOnly: true, secure, maxAge }),
  );
}

function keepCookie(
  exchange: HttpExchange,
  token: string | null | undefined,
  { name, options }: HostCookie,
): void {
  if (token === undefined) return;
  const cleared = { ...options, maxAge: 0, expires: new Date(0) };
  exchange.addCookie(
    token === null
      ? stringifySetCookie(name, "", cleared)
      : stringifySetCookie(name, token, options),
  );
}

function sendAnswer(exchange: HttpExchange, { status, headers, body, encoding }: HttpAnswer): void {
  exchange.addHeaders(headers);
  const text = status >= 400 && typeof body === "string" ? withIdInBody(body, exchange.id) : body;
  exchange.send(status, text, encoding);
}

/** Apollo rejects some requests before there is an operation. */
function withIdInBody(text: string, requestId: string): string {
  const body = JSON.parse(text) as { errors?: GraphQLFormattedError[] };
  return JSON.stringify({
    ...body,
    ...(body.errors && { errors: withRequestId(body.errors, requestId) }),
  });
}
