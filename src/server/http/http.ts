/**
 * The HTTP server: the endpoint at `/graphql`, and a Fastify
 * instance for all other routes.
 *
 * CORS names listed origins and never echoes others. The content
 * security policy allows nothing; explorer pages bring their own.
 */
import { randomUUID } from "node:crypto";
import { createServer, type RequestListener, type Server } from "node:http";
import cors, { type FastifyCorsOptionsDelegateCallback } from "@fastify/cors";
import Fastify, { type FastifyInstance } from "fastify";
import { MINUTE, SECOND } from "../../domain/time/time.js";
import type { JudgeOrigin } from "../origins.js";
import { closesWhenRefused } from "./announced-body.js";
import { createOpenAnswers, isAmbiguous } from "./broken-requests.js";
import { EXPOSED_HEADERS } from "./common-headers.js";
import type { Endpoint } from "./endpoint.js";
import { type AnswerError, createErrorHandler, httpRefusal, refuseWith } from "./errors.js";
import { inFairTurns } from "./fair-turns.js";
import { isGraphQLPath } from "./path.js";

/** Fastify's default. */
const KEEP_ALIVE_MS = 72 * SECOND;
/** 256 KB arrive in this time over the slowest useful line. */
const REQUEST_ARRIVAL_MS = 30 * SECOND;
/** Node's default of 30 s would double the time of a slow request. */
const ARRIVAL_CHECK_MS = 2 * SECOND;

export interface HttpDeps {
  readonly endpoint: Endpoint;
  readonly answerError: AnswerError;
  /** Headers of every answer. */
  readonly headers: Readonly<Record<string, string>>;
  readonly judgeOrigin: JudgeOrigin;
  /** Longest arrival of a request, in ms; tests shorten it. */
  readonly requestArrivalMs?: number | undefined;
}

/** Without routes. */
export async function createHttp({
  endpoint,
  answerError,
  headers,
  judgeOrigin,
  requestArrivalMs = REQUEST_ARRIVAL_MS,
}: HttpDeps): Promise<FastifyInstance> {
  const handleError = createErrorHandler(answerError);
  const answers = createOpenAnswers();
  const app = Fastify({
    logger: false,
    serverFactory: (handle) =>
      createNodeServer(
        requestArrivalMs,
        (request, response) => endpoint(request, response) || handle(request, response),
      ),
    genReqId: () => randomUUID(),
    requestIdHeader: false,
    // While draining, open connections finish their requests,
    // then close.
    return503OnClosing: false,
    forceCloseConnections: "idle",
    exposeHeadRoutes: false,
    frameworkErrors: (error, request, reply) => void handleError(error, request, reply),
    clientErrorHandler: answers.refuseUnreadable,
  });
  answers.watch(app.server);
  app.setErrorHandler(handleError);
  app.addHook("onRequest", (request, reply, next) => {
    reply.headers(headers).header("x-request-id", request.id);
    if (!isAmbiguous(request.raw)) return next();
    refuseWith(reply.header("connection", "close"), httpRefusal(400), request.id);
  });
  addNotFound(app);
  // No route takes a body.
  app.removeAllContentTypeParsers();
  await addCors(app, judgeOrigin);
  return app;
}

function createNodeServer(arrivalMs: number, handle: RequestListener): Server {
  return createServer(
    {
      requestTimeout: arrivalMs,
      // Node applies the longer of both times; that of headers
      // defaults to 60 s.
      headersTimeout: arrivalMs,
      connectionsCheckingInterval: Math.min(ARRIVAL_CHECK_MS, arrivalMs / 4),
      keepAliveTimeout: KEEP_ALIVE_MS,
    },
    inFairTurns(handle),
  );
}

function addNotFound(app: FastifyInstance): void {
  app.setNotFoundHandler((request, reply) => {
    const known = isGraphQLPath(request.url);
    if (known) reply.header("allow", "GET, POST");
    if (closesWhenRefused(request.headers)) reply.header("connection", "close");
    return refuseWith(reply, httpRefusal(known ? 405 : 404), request.id);
  });
}

async function addCors(app: FastifyInstance, judgeOrigin: JudgeOrigin): Promise<void> {
  const options = {
    credentials: true,
    methods: ["GET", "POST"],
    // A listed page's own OPTIONS is answered like a preflight;
    // the plugin would refuse it in plain text.
    strictPreflight: false,
    exposedHeaders: EXPOSED_HEADERS,
    maxAge: (10 * MINUTE) / SECOND,
  };
  // For each request: with a list, the plugin allows
  // credentials to all pages.
  const delegator: FastifyCorsOptionsDelegateCallback = ({ headers: { origin, host } }, answer) => {
    const isListed = judgeOrigin(origin, host) === "listed";
    answer(null, { ...options, origin: isListed && origin !== undefined ? origin : false });
  };
  await app.register(cors, { delegator });
}
