/**
 * Requests with broken or ambiguous framing: each gets one
 * answer, then its connection is closed.
 *
 * Node's parser finds some faults after it has handed the request
 * on. Then its answer, or one to an earlier request, may be under
 * way. Answers leave in the order of requests.
 */
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { httpRefusal, refuseOnSocket } from "./errors.js";

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** Answers that connections still wait for. */
export interface OpenAnswers {
  /** Tracks the requests of a server from now on. */
  watch(server: Server): void;
  /** Handles `clientError`: rejects what could not be read. */
  refuseUnreadable(error: NodeJS.ErrnoException, socket: Socket): void;
}

export function createOpenAnswers(): OpenAnswers {
  const open = new WeakMap<Socket, Set<Exchange>>();
  const broken = new WeakSet<Socket>();
  const track = (request: IncomingMessage, response: ServerResponse): void => {
    const { socket } = request;
    const exchanges = open.get(socket) ?? new Set();
    open.set(socket, exchanges);
    const exchange = { request, response };
    exchanges.add(exchange);
    response.once("close", () => exchanges.delete(exchange));
  };
  return {
    watch: (server) => void server.prependListener("request", track),
    refuseUnreadable(error, socket) {
      // The parser repeats its first fault for each later packet.
      if (socket.destroyed || broken.has(socket)) return;
      broken.add(socket);
      void refuseInTurn(socket, [...(open.get(socket) ?? [])], brokenStatus(error));
    },
  };
}

/**
 * Answers the broken request after earlier ones, unless it has an
 * answer.
 */
async function refuseInTurn(
  socket: Socket,
  exchanges: readonly Exchange[],
  status: number,
): Promise<void> {
  const last = exchanges.at(-1);
  const broken = last && !last.request.complete ? last : null;
  for (const exchange of exchanges) {
    if (exchange !== broken || exchange.response.headersSent) await closed(exchange.response);
  }
  if (socket.destroyed || !socket.writable) return;
  if (broken?.response.headersSent) socket.end();
  else refuseOnSocket(socket, httpRefusal(status), randomUUID());
}

async function closed(response: ServerResponse): Promise<void> {
  if (!response.closed) await once(response, "close");
}

const brokenStatus = ({ code }: NodeJS.ErrnoException): number =>
  code === "HPE_HEADER_OVERFLOW" ? 431 : code === "ERR_HTTP_REQUEST_TIMEOUT" ? 408 : 400;

/** Readers of repeated headers differ in which one counts. */
const SINGLE = ["host", "authorization"];

/**
 * Whether a proxy may read the length, target or identity
 * otherwise: a coding besides `chunked`, any coding in HTTP/1.0,
 * several hosts or authorizations.
 */
export function isAmbiguous({ headers, httpVersion, rawHeaders }: IncomingMessage): boolean {
  const coding = headers["transfer-encoding"];
  if (coding !== undefined && (coding.toLowerCase() !== "chunked" || httpVersion === "1.0"))
    return true;
  const seen = new Set<string>();
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]?.toLowerCase() ?? "";
    if (!SINGLE.includes(name)) continue;
    if (seen.has(name)) return true;
    seen.add(name);
  }
  return false;
}
