/**
 * `/graphql` over HTTP, in front of Fastify, which would cost
 * more than most answers. GET and POST come here; pages of the
 * explorer and all other requests go on to Fastify.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { Overloaded } from "../../domain/errors.js";
import { SECOND } from "../../domain/time/time.js";
import { closesWhenRefused } from "./announced-body.js";
import { type ArrivalDeps, type ArrivedRequest, announce } from "./arrival.js";
import { announcesJson, readWhole } from "./body.js";
import { isAmbiguous } from "./broken-requests.js";
import type { CommonHeaders } from "./common-headers.js";
import { type AnswerError, httpRefusal, typeOfAnswer } from "./errors.js";
import { HttpExchange } from "./exchange.js";
import { isGraphQLPath, wantsPage } from "./path.js";

/** Answers a request, now or later; false passes it on. */
export type Endpoint = (request: IncomingMessage, response: ServerResponse) => boolean;

export interface EndpointDeps extends ArrivalDeps {
  readonly commonHeaders: CommonHeaders;
  readonly isDraining: () => boolean;
  /** Whether browsers get a page at GET /graphql. */
  readonly showsPage: boolean;
  readonly answerError: AnswerError;
  /**
   * Answers an operation, at once where it returns null. Rejects
   * with what {@link answerError} takes.
   */
  readonly handle: (exchange: HttpExchange, arrival: ArrivedRequest) => Promise<void> | null;
}

export function createEndpoint(deps: EndpointDeps): Endpoint {
  const isOurs = (request: IncomingMessage): boolean =>
    (request.method === "POST" || request.method === "GET") &&
    isGraphQLPath(request.url ?? "") &&
    !(deps.showsPage && wantsPage(request));

  return (request, response) => {
    if (!isOurs(request)) return false;
    const headers = deps.commonHeaders(request.headers.origin, request.headers.host);
    const exchange = new HttpExchange(request, response, headers, deps.isDraining);
    try {
      receive(deps, exchange);
    } catch (error) {
      fail(deps, exchange, error);
    }
    return true;
  };
}

/** Throws what {@link announce} and {@link announcesJson} throw. */
function receive(deps: EndpointDeps, exchange: HttpExchange): void {
  const { request, headers, method } = exchange;
  if (isAmbiguous(request)) {
    exchange.header("connection", "close").refuse(httpRefusal(BAD_REQUEST));
    return;
  }
  const arrival = announce(deps, exchange);
  // The body of a GET is not read.
  if (method === "GET") closeAfterLongBody(exchange);
  if (!arrival) shed(exchange);
  else if (method === "GET" || !announcesJson(headers)) void run(deps, exchange, arrival);
  else
    readWhole(request, deps.bodyLimit, {
      read(body) {
        exchange.body = body;
        void run(deps, exchange, arrival);
      },
      refused: (error) => fail(deps, exchange.header("connection", "close"), error),
    });
}

const BAD_REQUEST = 400;

/** The cheapest answer: a flood gets little else. */
function shed(exchange: HttpExchange): void {
  closeAfterLongBody(exchange);
  const { code, message, details } = new Overloaded();
  exchange.header("retry-after", String(Math.ceil(details.retryAfterMs / SECOND)));
  exchange.refuse({ status: OVERLOADED, code, message, details });
}

const OVERLOADED = 503;

/** Runs a handler under its permit until it ends, even after a hang-up. */
async function run(
  deps: EndpointDeps,
  exchange: HttpExchange,
  arrival: ArrivedRequest,
): Promise<void> {
  try {
    arrival.start();
    const answered = deps.handle(exchange, arrival);
    if (answered) await answered;
  } catch (error) {
    fail(deps, exchange, error);
  } finally {
    arrival.end();
  }
}

/** Must not throw: nothing is left to catch it. */
function fail({ answerError }: EndpointDeps, exchange: HttpExchange, error: unknown): void {
  try {
    const { status, headers, body } = answerError(error, exchange.id);
    exchange
      .addHeaders(Object.entries(headers))
      .header("content-type", typeOfAnswer(exchange.headers.accept));
    closeAfterLongBody(exchange);
    exchange.send(status, body);
  } catch {
    exchange.response.destroy();
  }
}

/** The rest of a rejected body would be read for nothing. */
function closeAfterLongBody(exchange: HttpExchange): void {
  if (closesWhenRefused(exchange.headers)) exchange.header("connection", "close");
}
