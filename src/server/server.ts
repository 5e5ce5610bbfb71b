/**
 * The server: one pipeline over a schema for HTTP and WebSocket.
 * Its stop loses no request.
 *
 * Both sides share validation rules, executor, caller and error
 * format. Nothing listens before `listen()`.
 */
import type { FastifyInstance } from "fastify";
import { withDeadline } from "../domain/time/deadline.js";
import { reportShedding } from "../telemetry/load-metrics.js";
import { createSocketCounts } from "./connection/counts.js";
import {
  createSessionSockets,
  type SessionLookup,
  type SessionSockets,
} from "./connection/session-sockets.js";
import { drainSockets } from "./drain.js";
import type { DemoSecrets } from "./explorer/demo-secrets.js";
import { addExplorer } from "./explorer/explorer.js";
import { createApollo } from "./http/apollo.js";
import { createCommonHeaders } from "./http/common-headers.js";
import { createEndpoint } from "./http/endpoint.js";
import { createErrorAnswers } from "./http/errors.js";
import { graphqlHandler } from "./http/graphql-route.js";
import { addHealth, type Readiness } from "./http/health.js";
import { createHttp } from "./http/http.js";
import { listen } from "./http/listen.js";
import { securityHeaders } from "./http/security-headers.js";
import { createUnsentAnswers } from "./http/unsent-answers.js";
import { createLoad, type LoadShedder } from "./load.js";
import { checkManifest } from "./operation/manifest.js";
import { createOriginJudge, type JudgeOrigin } from "./origins.js";
import { createPipeline, type Pipeline, type PipelineDeps } from "./pipeline.js";
import type { SocketOperationDeps } from "./websocket/execution.js";
import {
  SOCKET_TIMINGS,
  type SocketTimings,
  serveWebSockets,
  type WebSockets,
} from "./websocket/websocket.js";

/** The owner of `metrics` and `log` closes them. */
export interface ServerDeps extends PipelineDeps {
  readonly sessions: SessionLookup;
  /** State of the process, for probes. */
  readonly readiness: () => Promise<Readiness>;
  /** What the pages of development may show. */
  readonly demo?: DemoSecrets | undefined;
  readonly socketTimings?: Partial<SocketTimings>;
  /** Longest time for a request to arrive; tests shorten it. */
  readonly requestArrivalMs?: number;
}

export interface SoukServer {
  /** Throws StartupError when the address is not available. */
  listen(): Promise<{ url: string }>;
  /**
   * Fails probes with 503, stops accepting, closes sockets,
   * finishes requests. Resolves within the window.
   */
  close(): Promise<void>;
  readonly app: FastifyInstance;
}

export async function createServer(deps: ServerDeps): Promise<SoukServer> {
  const { config, log, metrics, readiness } = deps;
  const state = { draining: false };
  const isDraining = () => state.draining;
  const pipeline = createPipeline(deps);
  const shedding = openShedding(deps);
  metrics.keepOperations(checkManifest(deps.documents.manifest, pipeline.readDocument));
  const apollo = createApollo({
    ...pipeline,
    documentStore: pipeline.readDocument.store,
    schema: deps.schema,
    production: config.production,
    log,
  });
  await apollo.start();
  const judgeOrigin = createOriginJudge(config.http.origins, log);
  const app = await openHttp(deps, { pipeline, shedding, apollo, judgeOrigin, isDraining });
  addExplorer(app, config, deps.demo ?? {});
  addHealth(app, { readiness: withLoad(readiness, shedding.load), isDraining, metrics });
  const sessions = createSessionSockets(deps.sessions, log);
  const operations = socketOperationDeps(deps, { pipeline, shedding, sessions });
  const sockets = serveWebSockets(app.server, {
    operations,
    judgeOrigin,
    limits: config.limits,
    timings: { ...SOCKET_TIMINGS, ...deps.socketTimings },
    isDraining,
    metrics,
    log,
  });
  await app.ready();
  let closing: Promise<void> | null = null;
  return {
    app,
    listen: () => listen(app, { ...config.http, variable: "PORT" }),
    close() {
      state.draining = true;
      closing ??= closeWithin(config.http.shutdownMs, app, sockets).then(() => {
        sessions.close();
        shedding.load.close();
        return apollo.stop();
      });
      return closing;
    },
  };
}

interface SocketSide {
  readonly pipeline: Pipeline;
  readonly shedding: ReturnType<typeof openShedding>;
  readonly sessions: SessionSockets;
}

/** What operations of sockets need besides the pipeline. */
const socketOperationDeps = (
  { config, schema, metrics, log }: ServerDeps,
  { pipeline, shedding, sessions }: SocketSide,
): SocketOperationDeps => ({
  ...pipeline,
  ...shedding,
  schema,
  sessions,
  metrics,
  log,
  maxOperations: config.limits.socketOperations,
  counts: createSocketCounts(config.limits.sockets),
  deadlineMs: config.http.requestTimeoutMs,
  slowSocketMs: config.live.slowSocketMs,
});

function openShedding({ config, metrics, log }: ServerDeps) {
  const load = createLoad(config.limits.load);
  metrics.readLoadFrom(load);
  return { load, shedding: reportShedding(metrics, log) };
}

/** A process that sheds load reports itself as degraded. */
const withLoad =
  (readiness: ServerDeps["readiness"], load: LoadShedder) => async (): Promise<Readiness> => {
    const { ready, checks } = await readiness();
    return {
      ready,
      checks: load.isLate()
        ? { ...checks, load: "more is asked than this process can do" }
        : checks,
    };
  };

interface HttpSide {
  readonly pipeline: Pipeline;
  readonly shedding: ReturnType<typeof openShedding>;
  readonly apollo: ReturnType<typeof createApollo>;
  readonly judgeOrigin: JudgeOrigin;
  readonly isDraining: () => boolean;
}

/** The endpoint at /graphql, and the instance for other routes. */
async function openHttp(
  { config, log, admission, requestArrivalMs }: ServerDeps,
  { pipeline, shedding, apollo, judgeOrigin, isDraining }: HttpSide,
): Promise<FastifyInstance> {
  const { http, limits, live, production } = config;
  const headers = await securityHeaders(production);
  const answerError = createErrorAnswers(log, !production);
  const endpoint = createEndpoint({
    ...shedding,
    admission,
    callers: pipeline.callers,
    bodyLimit: limits.bodyBytes,
    commonHeaders: createCommonHeaders(headers, judgeOrigin),
    isDraining,
    showsPage: http.explorer !== "off",
    answerError,
    handle: graphqlHandler({
      ...pipeline,
      apollo,
      unsent: createUnsentAnswers(limits.answerBytes, live.slowSocketMs),
      jsonDepth: limits.jsonDepth,
      sharedMaxAge: config.cache.sharedMaxAge,
      secureCookies: production,
    }),
  });
  return createHttp({ endpoint, answerError, headers, judgeOrigin, requestArrivalMs });
}

/** Share of the window for an orderly end; the rest is cut. */
const ORDERLY_SHARE = 0.95;

async function closeWithin(
  windowMs: number,
  app: FastifyInstance,
  sockets: WebSockets,
): Promise<void> {
  const orderlyMs = windowMs * ORDERLY_SHARE;
  const orderly = Promise.all([app.close(), drainSockets(sockets.connections, orderlyMs)]);
  await withDeadline<unknown>(orderly, orderlyMs, () => {
    app.server.closeAllConnections();
    for (const { socket } of sockets.connections) socket.terminate();
  });
  await orderly;
  sockets.close();
}
