/**
 * What a hostile or careless client cannot do to the edge: keep connections, pile up answers, or
 * fill the metrics.
 */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { until } from "../../support/until.js";
import { type Answer, startServer, type TestServer } from "../test-server.js";
import { connectSocket } from "../websocket/socket-client.js";

let souk: TestServer;

beforeAll(async () => {
  souk = await startServer({ LIMIT_SOCKET_MESSAGES_PER_SECOND: "1e6" });
});
afterAll(() => souk.close());

const BODY = JSON.stringify({ query: "{ hello }" });
const JSON_BODY = `Content-Type: application/json\r\nContent-Length: ${BODY.length}\r\n`;
const HANDSHAKE =
  "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: " +
  "13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: " +
  "graphql-transport-ws\r\n";

/** A connection whose client never hangs up by itself. */
function dial(
  text: string,
  { url }: { url: string } = souk,
): { socket: Socket; heard: () => string } {
  const socket = connect({
    host: "127.0.0.1",
    port: Number(new URL(url).port),
    allowHalfOpen: true,
  });
  onTestFinished(() => void socket.destroy());
  let heard = "";
  socket.setEncoding("utf8").on("data", (chunk: string) => {
    heard += chunk;
  });
  socket.on("error", () => {}).write(text);
  return { socket, heard: () => heard };
}

const openConnections = (): Promise<number> =>
  new Promise((resolve, reject) =>
    souk.server.app.server.getConnections((error, count) =>
      error ? reject(error) : resolve(count),
    ),
  );

describe("a refused connection", () => {
  test.each([
    [
      "a foreign Origin",
      "GET /graphql HTTP/1.1\r\nHost: shop.example\r\nOrigin: " +
        `https://evil.example\r\n${HANDSHAKE}\r\n`,
      403,
    ],
    [
      "an upgrade elsewhere",
      `GET /nowhere HTTP/1.1\r\nHost: shop.example\r\n${HANDSHAKE}\r\n`,
      404,
    ],
    ["bytes that are no HTTP", "\x16\x03\x01\r\n\r\n", 400],
  ])("A refused connection is cut after its answer: %s", async (_name, text, status) => {
    const before = await openConnections();
    const { socket, heard } = dial(text);
    await once(socket, "end");
    expect(heard()).toMatch(new RegExp(`^HTTP/1.1 ${status} [\\s\\S]*"requestId":`));
    await until("the connection to be gone", async () => (await openConnections()) === before);
  });
});

test.each([
  ["silence", ""],
  ["half a head", "GET /livez HTTP/1.1\r\n"],
  [
    "half a body",
    "POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: " +
      "1000\r\n\r\n{",
  ],
])("A request that does not arrive in time is answered 408 and cut: %s", async (_name, text) => {
  const hasty = await startServer({}, { requestArrivalMs: 200 });
  onTestFinished(() => hasty.close());
  const { socket, heard } = dial(text, hasty);
  await once(socket, "end");
  expect(heard()).toMatch(/^HTTP\/1.1 408 [\s\S]*DEADLINE_EXCEEDED/);
});

test("A request that offers HTTP/2 is served over HTTP/1.1, with its body.", async () => {
  const offer =
    "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: " +
    "AAMAAABkAAQCAAAAAAIAAAAA\r\n";
  const { heard, socket } = dial(
    `POST /graphql HTTP/1.1\r\nHost: shop.example\r\n${offer}${JSON_BODY}\r\n${BODY}`,
  );
  await until("the answer", () => heard().includes("Hello world"));
  expect(heard()).toMatch(/^HTTP\/1.1 200 /);
  socket.write(`POST /graphql HTTP/1.1\r\nHost: shop.example\r\n${JSON_BODY}\r\n${BODY}`);
  await until(
    "the next answer on the same connection",
    () => heard().split("Hello world").length === 3,
  );
});

test("A client that does not read is not read from, and gets every answer later.", async () => {
  const pings = 1_000;
  const { port } = new URL(souk.url);
  const theirs = once(souk.server.app.server, "connection") as Promise<[Socket]>;
  const client = await connectSocket(`ws://127.0.0.1:${port}/graphql`);
  const [connection] = await theirs;
  client.socket.pause();
  const filler = "x".repeat(32 * 1024);
  for (let at = 0; at < pings; at++) client.send({ type: "ping", payload: { at, filler } });
  await until("the server to stop reading", () => connection.isPaused());
  expect(connection.writableLength).toBeLessThan(4 * 1024 * 1024);
  client.socket.resume();
  for (let at = 0; at < pings; at++)
    expect(await client.next()).toMatchObject({ type: "pong", payload: { at } });
  await client.close();
});

test("Probes may use HEAD, and OPTIONS serves preflights of allowed pages.", async () => {
  for (const path of ["/livez", "/readyz", "/metrics"]) {
    const response = await fetch(`${souk.url}${path}`, { method: "HEAD" });
    expect([response.status, await response.text()]).toEqual([200, ""]);
  }
  const options = await fetch(souk.graphql, { method: "OPTIONS" });
  expect([options.status, options.headers.get("allow")]).toEqual([405, "GET, POST"]);
  expect(((await options.json()) as Answer).errors?.[0]?.extensions.code).toBe(
    "METHOD_NOT_ALLOWED",
  );
  expect(options.headers.get("access-control-allow-origin")).toBeNull();
});
