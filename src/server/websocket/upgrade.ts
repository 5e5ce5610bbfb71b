/**
 * Offers of other protocols. HTTP/2 clients may send `Upgrade:
 * h2c` (Java's does by default), which a server may ignore. Node
 * passes such requests to the WebSocket side with their body
 * unread. Here they return to the HTTP side, without the offer.
 */
import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";

export const wantsWebSocket = ({ headers }: IncomingMessage): boolean =>
  headers.upgrade?.toLowerCase() === "websocket";

/**
 * Serves a request without its offer. `head`: bytes of its body
 * read so far.
 */
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

/**
 * `Connection` names the headers of the offer, so they go
 * together.
 */
const OFFER = new Set(["upgrade", "http2-settings", "connection"]);

function keptHeaders({ rawHeaders }: IncomingMessage): string[] {
  const lines: string[] = [];
  for (let at = 0; at < rawHeaders.length; at += 2) {
    if (!OFFER.has(rawHeaders[at]?.toLowerCase() ?? ""))
      lines.push(`${rawHeaders[at]}: ${rawHeaders[at + 1]}`);
  }
  return lines;
}
