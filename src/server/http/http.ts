/**
 * The HTTP side: a Fastify instance with the limits, headers and error answers that hold for every
 * route.
 *
 * Only `application/json` is taken; anything else is refused before it is read. CORS names the
 * origins of a list and never echoes others. The content security policy allows nothing, except on
 * the explorer's pages, which bring their own.
 */
import { randomUUID } from "node:crypto";
import { createServer, type RequestListener, type Server } from "node:http";
import cookie from "@fastify/cookie";
import cors from "@fastify/cors";
import Fastify, { type FastifyInstance, type FastifyRequest } from "fastify";
import type { Logger } from "pino";
import type { Config } from "../../config/config.js";
import { MINUTE, SECOND } from "../../domain/time/time.js";
import { createOpenAnswers, isAmbiguous } from "./broken-requests.js";
import { createEarlyShedding, type EarlySheddingDeps } from "./early-shedding.js";
import { createErrorHandler, refusalOf, refuse } from "./errors.js";
import { inFairTurns } from "./fair-turns.js";
import { securityHeaders } from "./security-headers.js";

/** Where GraphQL is, over HTTP and WebSocket. */
export const GRAPHQL_PATH = "/graphql";

const EXPOSED_HEADERS = [
  "Souk-Seen",
  "Souk-Guest",
  "X-Request-Id",
  "RateLimit",
  "RateLimit-Policy",
  "Retry-After",
];
/** As long as Fastify keeps a connection open that asks for nothing. */
const KEEP_ALIVE_MS = 72 * SECOND;
/** A body of 256 KB arrives in this time over the slowest line that is worth serving. */
const REQUEST_ARRIVAL_MS = 30 * SECOND;
/**
 * How often Node looks for requests that take longer; by its default of 30 s a slow one would have
 * twice its time.
 */
const ARRIVAL_CHECK_MS = 2 * SECOND;

/** What an instance is made with. */
export interface HttpOptions {
  /** Longest time for a request to arrive, in ms; tests shorten it. */
  readonly requestArrivalMs?: number | undefined;
  /** What refuses requests before they are routed. */
  readonly early: Pick<EarlySheddingDeps, "load" | "shedding" | "addressOf" | "sessionCookie">;
}

/** Makes the instance, without routes. */
export async function createHttp(
  config: Config,
  log: Logger,
  { requestArrivalMs, early }: HttpOptions,
): Promise<FastifyInstance> {
  const arrivalMs = requestArrivalMs ?? REQUEST_ARRIVAL_MS;
  const headers = await securityHeaders(config.production);
  const origins = new Set(config.http.allowedOrigins.map((origin) => new URL(origin).origin));
  const shedEarly = createEarlyShedding({
    ...early,
    path: GRAPHQL_PATH,
    bodyLimit: config.limits.bodyBytes,
    headers,
    corsHeadersOf: corsHeaders(origins),
  });
  const handleError = createErrorHandler(log, !config.production);
  const answers = createOpenAnswers();
  const app = Fastify({
    logger: false,
    bodyLimit: config.limits.bodyBytes,
    serverFactory: (handle) =>
      createNodeServer(
        arrivalMs,
        (request, response) => shedEarly(request, response) || handle(request, response),
      ),
    genReqId: () => randomUUID(),
    requestIdHeader: false,
    // While draining, requests on open connections are finished and the connections closed; /readyz
    // says 503.
    return503OnClosing: false,
    forceCloseConnections: "idle",
    exposeHeadRoutes: false,
    frameworkErrors: (error, request, reply) => void handleError(error, request, reply),
    clientErrorHandler: answers.refuseRest,
  });
  answers.watch(app.server);
  app.setErrorHandler(handleError);
  app.addHook("onRequest", (request, reply, next) => {
    reply.headers(headers).header("x-request-id", request.id);
    if (!isAmbiguous(request.raw)) return next();
    refuse(reply.header("connection", "close"), refusalOf(400), request.id);
  });
  addNotFound(app);
  addJsonBody(app);
  await addPlugins(app, origins);
  return app;
}

function createNodeServer(arrivalMs: number, handle: RequestListener): Server {
  return createServer(
    {
      requestTimeout: arrivalMs,
      // Node takes the longer of its two times for the whole request, and that of the headers is 60
      // s by default.
      headersTimeout: arrivalMs,
      connectionsCheckingInterval: Math.min(ARRIVAL_CHECK_MS, arrivalMs / 4),
      keepAliveTimeout: KEEP_ALIVE_MS,
    },
    inFairTurns(handle),
  );
}

/** What the plugin for CORS says on an answer to a page of the list. */
const corsHeaders = (origins: ReadonlySet<string>) => (origin: string | undefined) =>
  origin !== undefined && origins.has(origin)
    ? ([
        ["access-control-allow-origin", origin],
        ["access-control-allow-credentials", "true"],
        ["access-control-expose-headers", EXPOSED_HEADERS.join(", ")],
        ["vary", "Origin"],
      ] as const)
    : ([["vary", "Origin"]] as const);

function addNotFound(app: FastifyInstance): void {
  app.setNotFoundHandler((request, reply) => {
    const known = request.url.split("?")[0] === GRAPHQL_PATH;
    if (known) reply.header("allow", "GET, POST");
    return refuse(reply, refusalOf(known ? 405 : 404), request.id);
  });
}

/** Hands the bytes on: what reads them charges for it. */
function addJsonBody(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    "application/json",
    { parseAs: "buffer" },
    async (request: FastifyRequest, body: Buffer) => {
      if (!isPlainUtf8(request))
        throw Object.assign(new Error("unsupported encoding"), { statusCode: 415 });
      return body;
    },
  );
}

function isPlainUtf8({ headers }: FastifyRequest): boolean {
  const charset =
    /;\s*charset\s*=\s*"?([^";\s]+)/i.exec(headers["content-type"] ?? "")?.[1] ?? "utf-8";
  const encoding = headers["content-encoding"] || "identity";
  return /^utf-?8$/i.test(charset) && encoding === "identity";
}

async function addPlugins(app: FastifyInstance, known: ReadonlySet<string>): Promise<void> {
  await app.register(cors, {
    // Asked for each request: given a list, the plugin tells every page that it may send cookies.
    origin: (origin, answer) =>
      answer(null, origin !== undefined && known.has(origin) ? origin : false),
    credentials: true,
    methods: ["GET", "POST"],
    // A page of the list that sends an OPTIONS of its own is answered like a preflight; the plugin
    // would refuse it in plain text.
    strictPreflight: false,
    exposedHeaders: EXPOSED_HEADERS,
    maxAge: (10 * MINUTE) / SECOND,
  });
  await app.register(cookie);
}
