/**
 * The WebSocket side: `graphql-transport-ws` on the path of HTTP.
 *
 * Close codes: 1001 going away; 1007 text that is not UTF-8; 1008
 * too many messages; 1009 frame too large; 1013 try again
 * (session not looked up, rate limit, too many sockets, slow
 * client); 4400 bad message or binary frame; 4401 before ack and
 * revoked session; 4403 wrong token and expired session; 4406
 * subprotocol; 4408 no init in time; 4409 duplicate id; 4429
 * second init; 4500 internal.
 *
 * CORS does not cover WebSockets, so the Origin is checked at the
 * upgrade. Frames are not compressed: a compressor costs some 300
 * KB per socket. One timer pings all sockets; one without a pong
 * until the next ping is terminated.
 */
import { randomUUID } from "node:crypto";
import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";
import { handleProtocols, makeServer } from "graphql-ws";
import type { Logger } from "pino";
import { WebSocketServer } from "ws";
import { Overloaded } from "../../domain/errors.js";
import { SECOND } from "../../domain/time/time.js";
import type { Metrics } from "../../telemetry/metrics.js";
import { Connection } from "../connection/connection.js";
import { httpRefusal, type Refusal, refuseOnSocket } from "../http/errors.js";
import { GRAPHQL_PATH } from "../http/path.js";
import type { JudgeOrigin } from "../origins.js";
import type { SocketOperationDeps } from "./execution.js";
import { socketOperations } from "./operations.js";
import { attachProtocol, type ProtocolDeps } from "./protocol-socket.js";
import { serveWithoutUpgrade, wantsWebSocket } from "./upgrade.js";

/** Tests shorten them. */
export interface SocketTimings {
  /** Longest wait for `connection_init`. */
  readonly initMs: number;
  /** Time between two pings, and the longest wait for a pong. */
  readonly heartbeatMs: number;
}

export const SOCKET_TIMINGS: SocketTimings = { initMs: 3 * SECOND, heartbeatMs: 12 * SECOND };

export interface WebSocketDeps {
  readonly operations: SocketOperationDeps;
  readonly judgeOrigin: JudgeOrigin;
  readonly limits: {
    readonly frameBytes: number;
    readonly jsonDepth: number;
    readonly sockets: { readonly messagesPerSecond: number };
  };
  readonly timings: SocketTimings;
  readonly isDraining: () => boolean;
  readonly metrics: Metrics;
  readonly log: Logger;
}

export interface WebSockets {
  readonly connections: ReadonlySet<Connection>;
  close(): void;
}

/** Serves the upgrades of an HTTP server. */
export function serveWebSockets(server: Server, deps: WebSocketDeps): WebSockets {
  const { limits, timings, metrics, log } = deps;
  const connections = new Set<Connection>();
  const shared = protocolDeps(deps, (connection) => {
    connections.delete(connection);
    metrics.sockets(-1);
  });
  const sockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: limits.frameBytes,
    perMessageDeflate: false,
    handleProtocols,
  });
  sockets.on("wsClientError", (_error, socket) =>
    refuseOnSocket(socket, httpRefusal(400), randomUUID()),
  );
  const pingAll = () => {
    for (const connection of connections) connection.ping();
    // After a delay clients still have a whole period to answer.
    heartbeat.refresh();
  };
  // Timers run before sockets: read waiting pongs before judging
  // silence.
  const heartbeat = setInterval(() => setImmediate(pingAll), timings.heartbeatMs).unref();

  // A closure over the request would keep it as long as the
  // socket.
  const logBreak = (err: Error) => log.debug({ err }, "a connection broke");
  const register = (connection: Connection) => {
    connections.add(connection);
    metrics.sockets(1);
    attachProtocol(connection, shared);
  };
  server.on("upgrade", (request: IncomingMessage, stream: Duplex, head: Buffer) => {
    stream.on("error", logBreak);
    if (!wantsWebSocket(request)) return serveWithoutUpgrade(server, request, stream, head);
    const refusal = refusalFor(request, deps);
    if (refusal) return refuseOnSocket(stream, refusal, randomUUID());
    const ip = deps.operations.callers.addressOf(request);
    // The caller is known at `connection_init`, which takes its
    // permit.
    if (deps.operations.load.isLate()) {
      deps.operations.shedding.shed("address", "event loop");
      return refuseOnSocket(stream, SERVER_BUSY, randomUUID());
    }
    const leave = deps.operations.counts.countSocket(ip);
    if (!leave) return refuseOnSocket(stream, TOO_MANY_SOCKETS, randomUUID());
    // Idempotent; `once` would keep a wrapper for each socket.
    stream.on("close", leave);
    sockets.handleUpgrade(request, stream, head, (socket) => {
      register(new Connection(socket, request.headers, ip, stream));
    });
  });
  return { connections: connections, close: () => clearInterval(heartbeat) };
}

function protocolDeps(
  { operations, limits, timings, log }: WebSocketDeps,
  closed: ProtocolDeps["closed"],
): ProtocolDeps {
  return {
    protocol: makeServer({
      ...socketOperations(operations),
      // Ours waits: see ProtocolSocket.
      connectionInitWaitTimeout: 0,
    }),
    admission: operations.admission,
    jsonDepth: limits.jsonDepth,
    messagesPerSecond: limits.sockets.messagesPerSecond,
    initMs: timings.initMs,
    log,
    closed,
  };
}

const SERVER_BUSY: Refusal = {
  status: 503,
  code: "SERVICE_UNAVAILABLE",
  message: new Overloaded().message,
  retryAfterSeconds: 1,
};
const TOO_MANY_SOCKETS: Refusal = {
  status: 429,
  code: "RATE_LIMITED",
  message: "This address has too many sockets. Close some first.",
};

function refusalFor(
  { url, headers }: IncomingMessage,
  { judgeOrigin, isDraining }: WebSocketDeps,
): Refusal | null {
  if (url?.split("?")[0] !== GRAPHQL_PATH) return httpRefusal(404);
  // A proxy may read a request where we read frames.
  if (headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) !== 0)
    return httpRefusal(400);
  if (isDraining())
    return {
      status: 503,
      code: "SERVICE_UNAVAILABLE",
      message: "This server is stopping. Connect again.",
    };
  if (judgeOrigin(headers.origin, headers.host) === "refused")
    return { status: 403, code: "FORBIDDEN", message: "This origin may not connect." };
  return null;
}
