/**
 * `/graphql` over HTTP, as far as the request is not yet an operation: its path, its type, its size,
 * and a server that is closing.
 */
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { connect } from "node:net";
import { PassThrough } from "node:stream";
import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest";
import { readWhole } from "../../../src/server/http/body.js";
import { until } from "../../support/until.js";
import { startServer, type TestServer } from "../test-server.js";

let server: TestServer;
beforeAll(async () => {
  server = await startServer({ LIMIT_BODY_BYTES: "2048" });
});
afterAll(() => server.close());

const BODY = JSON.stringify({ query: "{ hello }" });
const WHOLE = [200, { data: { hello: "Hello world" } }] as const;

async function ask(path: string, init: RequestInit): Promise<readonly [number, object, Headers]> {
  const answer = await fetch(new URL(path, server.url), init);
  const { data, errors } = await answer.json();
  const told = errors ? { code: errors[0].extensions.code } : { data };
  return [answer.status, told, answer.headers];
}

it.each([
  ["application/json", ...WHOLE],
  ["Application/JSON", ...WHOLE],
  ["application/json;charset=utf-8", ...WHOLE],
  ['application/json; charset="UTF-8"', ...WHOLE],
  ["application/json; profile=x", ...WHOLE],
  ["application/json; charset=latin1", 415, { code: "UNSUPPORTED_MEDIA_TYPE" }],
  ["application/jsonp", 415, { code: "UNSUPPORTED_MEDIA_TYPE" }],
  ["application/graphql", 415, { code: "UNSUPPORTED_MEDIA_TYPE" }],
  ["text/plain", 415, { code: "UNSUPPORTED_MEDIA_TYPE" }],
  ["", 415, { code: "UNSUPPORTED_MEDIA_TYPE" }],
])("A body of type %j is answered with %i.", async (type, status, told) => {
  const headers = { "content-type": type };
  expect(
    (await ask("/graphql", { method: "POST", headers, body: Buffer.from(BODY) })).slice(0, 2),
  ).toEqual([status, told]);
});

/** What is told to bytes sent as they are. */
async function askRaw(bytes: string): Promise<string> {
  const { hostname, port } = new URL(server.url);
  const socket = connect(Number(port), hostname);
  let heard = "";
  socket.on("data", (data) => {
    heard += data;
  });
  socket.write(bytes);
  await until("an answer", () => /\r\n\r\n[\s\S]*[}>]\s*$/.test(heard));
  socket.destroy();
  return heard;
}

const QUERY = encodeURIComponent("{ hello }");
it.each([
  ["http://shop.example/graphql", ""],
  ["HTTPS://shop.example:8443/graphql?a=b", ""],
  ["/%67raphql", ""],
  ["/graphql#a", ""],
  [`http://shop.example/graphql?query=${QUERY}`, "GET"],
  [`/%67raphql?query=${QUERY}`, "GET"],
])("The target %s is that of GraphQL.", async (target, method) => {
  const lines =
    method === "GET"
      ? [`GET ${target} HTTP/1.1`, "Apollo-Require-Preflight: 1"]
      : [`POST ${target} HTTP/1.1`, `Content-Length: ${BODY.length}`];
  const head = [...lines, "Host: shop.example", "Content-Type: application/json"].join("\r\n");
  const heard = await askRaw(`${head}\r\n\r\n${method === "GET" ? "" : BODY}`);
  expect(heard).toMatch(/^HTTP\/1\.1 200 /);
  expect(heard).toContain("Hello world");
});

const LONG = "Content-Length: 100000000000";
it.each([
  ["POST /other", ["Content-Type: application/json", LONG], 404],
  ["PUT /graphql", ["Content-Type: application/json", LONG], 405],
  ["POST /graphql", ["Content-Type: text/plain", LONG], 415],
  ["POST /graphql", ["Content-Type: application/json", "Content-Encoding: gzip", LONG], 415],
  ["POST /graphql", ["Content-Type: application/json", "Authorization: Basic x", LONG], 401],
  ["POST /graphql", ["Content-Type: application/json", LONG], 413],
  [`GET /graphql?query=${QUERY}`, ["Apollo-Require-Preflight: 1", LONG], 200],
])("After %s with %j the long body is not read.", async (request, lines, status) => {
  const head = [`${request} HTTP/1.1`, "Host: x", ...lines].join("\r\n");
  const heard = await askRaw(`${head}\r\n\r\n{`);
  expect(heard).toMatch(
    new RegExp(`^HTTP/1.1 ${status} [\\s\\S]*\\r\\nconnection: close\\r\\n`, "i"),
  );
});

it("A body in single bytes takes no more than twice its length.", async () => {
  const request = new PassThrough() as unknown as IncomingMessage;
  request.headers = {};
  const read = new Promise<Buffer>((resolve, reject) =>
    readWhole(request, 10_000, { read: resolve, refused: reject }),
  );
  const text = "x".repeat(5_000);
  for (const byte of text) (request as unknown as PassThrough).write(byte);
  (request as unknown as PassThrough).end();
  const body = await read;
  expect(body.toString()).toBe(text);
  expect(body.buffer.byteLength).toBeLessThanOrEqual(2 * text.length);
});

it("A compressed body is refused.", async () => {
  const headers = { "content-type": "application/json", "content-encoding": "gzip" };
  const [status] = await ask("/graphql", { method: "POST", headers, body: BODY });
  expect(status).toBe(415);
});

it("A POST without a body is an operation without a document.", async () => {
  const [status, told] = await ask("/graphql", { method: "POST" });
  expect([status, told]).toEqual([400, { code: "BAD_USER_INPUT" }]);
});

it.each([
  ["announces its length", BODY + " ".repeat(2_048)],
  ["comes in chunks", new Blob([BODY, " ".repeat(2_048)]).stream()],
])("A body that is too large and %s is refused, and its connection closed.", async (_, body) => {
  const [status, told, headers] = await ask("/graphql", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body,
    duplex: "half",
  } as RequestInit);
  expect([status, told]).toEqual([413, { code: "PAYLOAD_TOO_LARGE" }]);
  expect(headers.get("connection")).toBe("close");
});

it.each([
  ["PUT", "/graphql", 405, "METHOD_NOT_ALLOWED"],
  ["DELETE", "/graphql?query={hello}", 405, "METHOD_NOT_ALLOWED"],
  ["POST", "/graphql/", 404, "BAD_USER_INPUT"],
  ["POST", "/graphqls", 404, "BAD_USER_INPUT"],
  ["POST", "/Graphql", 404, "BAD_USER_INPUT"],
])("%s %s is answered with %i.", async (method, path, status, code) => {
  const headers = { "content-type": "application/json" };
  const [got, told, sent] = await ask(path, { method, headers, body: BODY });
  expect([got, told]).toEqual([status, { code }]);
  expect(sent.get("allow")).toBe(status === 405 ? "GET, POST" : null);
});

it("Clients that hang up in the middle of their bodies hold no room for others.", async () => {
  // One address may have bodies of 8 KiB announced.
  const small = await startServer({ LIMIT_BODY_BYTES: "2048", LOAD_BODY_BYTES: "262144" });
  onTestFinished(() => small.close());
  const { hostname, port } = new URL(small.url);
  for (let times = 0; times < 20; times += 1) {
    const socket = connect(Number(port), hostname);
    socket.write("POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n");
    socket.write("Content-Length: 2000\r\n\r\n{");
    await once(small.server.app.server, "request");
    socket.destroy();
  }
  const headers = { "content-type": "application/json" };
  await until("room for a body", async () => {
    const answer = await fetch(small.graphql, {
      method: "POST",
      headers,
      body: BODY.padEnd(2_000),
    });
    await answer.text();
    return answer.status === 200;
  });
});

it("Answers of a server that closes say that their connection ends.", async () => {
  const closing = await startServer();
  const { hostname, port } = new URL(closing.url);
  const socket = connect(Number(port), hostname);
  onTestFinished(() => void socket.destroy());
  let heard = "";
  socket.on("data", (data) => {
    heard += data;
  });
  const head = `POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${BODY.length}\r\n\r\n`;
  socket.write(head + BODY.slice(0, 5));
  await once(socket, "connect");
  await once(closing.server.app.server, "request");
  const closed = closing.close();
  socket.write(BODY.slice(5));
  await once(socket, "close");
  expect(heard).toMatch(/^HTTP\/1\.1 200 [\s\S]*\r\nconnection: close\r\n/i);
  expect(heard).toContain("Hello world");
  await closed;
});
