/**
 * Requests whose framing is broken or in doubt: each gets one answer, and its connection is closed.
 *
 * Node's parser finds some faults after the request was handed on. Its answer may then be under
 * way, or an earlier request on the connection may still wait for its own. Answers leave in the
 * order of requests.
 */
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { refusalOf, refuseOnSocket } from "./errors.js";

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** The answers that connections still wait for. */
export interface OpenAnswers {
  /** Notes the requests of a server from now on. */
  watch(server: Server): void;
  /** Refuses what could not be read of a connection: the handler of `clientError`. */
  refuseRest(error: NodeJS.ErrnoException, socket: Socket): void;
}

export function createOpenAnswers(): OpenAnswers {
  const open = new WeakMap<Socket, Set<Exchange>>();
  const broken = new WeakSet<Socket>();
  const note = (request: IncomingMessage, response: ServerResponse): void => {
    const { socket } = request;
    const exchanges = open.get(socket) ?? new Set();
    open.set(socket, exchanges);
    const exchange = { request, response };
    exchanges.add(exchange);
    response.once("close", () => exchanges.delete(exchange));
  };
  return {
    watch: (server) => void server.prependListener("request", note),
    refuseRest(error, socket) {
      // The parser reports its first fault again for each packet that follows.
      if (socket.destroyed || broken.has(socket)) return;
      broken.add(socket);
      void refuseInTurn(socket, [...(open.get(socket) ?? [])], statusOf(error));
    },
  };
}

/** Answers the broken request after those before it, unless it has its answer already. */
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
  else refuseOnSocket(socket, refusalOf(status), randomUUID());
}

async function closed(response: ServerResponse): Promise<void> {
  if (!response.closed) await once(response, "close");
}

const statusOf = ({ code }: NodeJS.ErrnoException): number =>
  code === "HPE_HEADER_OVERFLOW" ? 431 : code === "ERR_HTTP_REQUEST_TIMEOUT" ? 408 : 400;

/** Headers that a request has once: readers of several differ in which of them counts. */
const SINGLE = ["host", "authorization"];

/**
 * Whether proxies may read the extent, the target or the identity of a request otherwise than we
 * do: a coding besides `chunked`, any coding in HTTP/1.0, several hosts, or several authorizations.
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
