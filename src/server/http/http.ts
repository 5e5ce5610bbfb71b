/**
 * The HTTP side: a Fastify instance with the limits, headers and
 * errors of every route.
 *
 * Other types than `application/json` are rejected unread. CORS
 * names listed origins and never echoes others. The content
 * security policy allows nothing; explorer pages bring their own.
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
import { createErrorHandler, httpRefusal, refuseWith } from "./errors.js";
import { inFairTurns } from "./fair-turns.js";
import { securityHeaders } from "./security-headers.js";

/** Of HTTP and WebSocket. */
export const GRAPHQL_PATH = "/graphql";

const EXPOSED_HEADERS = [
  "Souk-Seen",
  "Souk-Guest",
  "X-Request-Id",
  "RateLimit",
  "RateLimit-Policy",
  "Retry-After",
];
/** Fastify's default. */
const KEEP_ALIVE_MS = 72 * SECOND;
/** 256 KB arrive in this time over the slowest useful line. */
const REQUEST_ARRIVAL_MS = 30 * SECOND;
/** Node's default of 30 s would double the time of a slow request. */
const ARRIVAL_CHECK_MS = 2 * SECOND;

export interface HttpOptions {
  /** In ms; tests shorten it. */
  readonly requestArrivalMs?: number | undefined;
  /** Rejects requests before they are routed. */
  readonly early: Pick<EarlySheddingDeps, "load" | "shedding" | "addressOf" | "sessionCookie">;
}

/** Without routes. */
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
  addJsonBody(app);
  await addPlugins(app, origins);
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

/** What the CORS plugin adds for a listed origin. */
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
    return refuseWith(reply, httpRefusal(known ? 405 : 404), request.id);
  });
}

/** Passes the bytes on: their reader charges for them. */
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
    // As a function: with a list, the plugin allows credentials
    // to all pages.
    origin: (origin, answer) =>
      answer(null, origin !== undefined && known.has(origin) ? origin : false),
    credentials: true,
    methods: ["GET", "POST"],
    // A listed page's own OPTIONS is answered like a preflight;
    // the plugin would refuse it in plain text.
    strictPreflight: false,
    exposedHeaders: EXPOSED_HEADERS,
    maxAge: (10 * MINUTE) / SECOND,
  });
  await app.register(cookie);
}
