/**
 * Offers of another protocol than WebSocket. HTTP/2 clients send their first request with `Upgrade:
 * h2c` (Java's does by default), and a server may simply not take it. Node hands every such request
 * to the WebSocket side instead, with its body unread: here it is given back to the HTTP side,
 * without the offer.
 */
import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";

/** Whether an upgrade is meant for the WebSocket side. */
export const wantsWebSocket = ({ headers }: IncomingMessage): boolean =>
  headers.upgrade?.toLowerCase() === "websocket";

/** Serves a request as if it had offered nothing. `head` is what had been read of its body. */
export function serveWithoutUpgrade(
  server: Server,
  request: IncomingMessage,
  stream: Duplex,
  head: Buffer,
): void {
  const lines = [
    `${request.method} ${request.url} HTTP/${request.httpVersion}`,
    ...keptHeaders(request),
  ];
  stream.unshift(Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1"), head]));
  server.emit("connection", stream);
}

/** `Connection` names the headers of the offer, so they go together. */
const OFFER = new Set(["upgrade", "http2-settings", "connection"]);

function keptHeaders({ rawHeaders }: IncomingMessage): string[] {
  const lines: string[] = [];
  for (let at = 0; at < rawHeaders.length; at += 2) {
    if (!OFFER.has(rawHeaders[at]?.toLowerCase() ?? ""))
      lines.push(`${rawHeaders[at]}: ${rawHeaders[at + 1]}`);
  }
  return lines;
}
