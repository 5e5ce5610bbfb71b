/**
 * The table of bad inputs against a running server, over HTTP and WebSocket: the same verdict, and
 * nothing of the inside told.
 */
import { request } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BAD_FRAMES, BAD_OPERATIONS, BAD_REQUESTS, type BadRequest } from "./bad-inputs.js";
import { type Answer, startServer, type TestServer } from "./test-server.js";
import { ask, connectSocket, openSocket } from "./websocket/socket-client.js";

let souk: TestServer;
/** Waits for no init; any other row would need to be in time. */
let hasty: TestServer;

beforeAll(async () => {
  souk = await startServer({ CACHE_REPORT: "request" });
  hasty = await startServer({}, { socketTimings: { initMs: 200 } });
});
afterAll(() => Promise.all([souk, hasty].map((server) => server.close())));

const MICROSECONDS = 1e6;
/** Of this process since `before`: neighbours on a busy machine take none of it. */
const cpuSeconds = (before: NodeJS.CpuUsage): number => {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / MICROSECONDS;
};

/** What no answer may hold: traces, paths of ours, names of the machinery. */
const INTERNALS =
  /\bat .*:\d+:\d+|node_modules|\/src\/|stacktrace|select \*|redis:\/\/|fastify|FST_ERR/i;

const verdictOf = ({ data, errors }: Answer) =>
  errors ? errors[0]?.extensions.code : data ? "ok" : "nothing";

test("The table holds at least forty rows with different names.", () => {
  const names = [...BAD_OPERATIONS, ...BAD_REQUESTS, ...BAD_FRAMES].map(({ name }) => name);
  expect(BAD_OPERATIONS.length).toBeGreaterThan(40);
  expect(names.length).toBeGreaterThan(90);
});

describe("operations, over both transports", () => {
  test.each(BAD_OPERATIONS.map((row) => [row.name, row.verdict, row] as const))(
    "A payload with %s gets the verdict %s over HTTP and WebSocket.",
    async (_name, verdict, { payload }) => {
      const before = process.cpuUsage();
      const http = await souk.post(payload);
      const client = await connectSocket(souk.live);
      const socket = await ask(client, payload);
      await client.close();
      expect([verdictOf(http.body), verdictOf(socket)]).toEqual([verdict, verdict]);
      expect(http.status).toBe(verdict === "ok" ? 200 : 400);
      expect(http.text + JSON.stringify(socket)).not.toMatch(INTERNALS);
      for (const { message, extensions } of [
        ...(http.body.errors ?? []),
        ...(socket.errors ?? []),
      ]) {
        expect(extensions.requestId).toMatch(/^[0-9a-f-]{36}$/);
        expect(message).not.toBe("");
      }
      if (verdict === "ok") expect(socket.data).toEqual(http.body.data);
      // Both together: a document that takes long is a weapon.
      expect(cpuSeconds(before)).toBeLessThan(2);
      expect(globalThis).not.toHaveProperty("pwned");
      expect({}).not.toHaveProperty("polluted");
    },
  );
});

describe("requests, over HTTP", () => {
  test.each(BAD_REQUESTS.map((row) => [row.name, row.status, row.code, row] as const))(
    "A request with %s is refused with %i and %s.",
    async (_name, expectedStatus, code, row) => {
      const { status, type, text } = await send(row);
      expect(type).toMatch(/^application\/json; charset=utf-8$/);
      const { errors } = JSON.parse(text) as Answer;
      expect([status, errors?.[0]?.extensions.code]).toEqual([expectedStatus, code]);
      expect(errors?.[0]?.extensions.requestId).toMatch(/^[0-9a-f-]{36}$/);
      expect(text).not.toMatch(INTERNALS);
    },
  );
});

/** Sends exactly what the row says; fetch would tidy paths and headers. */
function send({
  method = "POST",
  path = "/graphql",
  headers = {},
  body,
}: BadRequest): Promise<{ status: number; type: string; text: string }> {
  const { hostname, port } = new URL(souk.url);
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        hostname,
        port,
        method,
        path,
        headers: { ...headers, "content-length": Buffer.byteLength(body ?? "") },
      },
      (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (chunk: string) => {
          text += chunk;
        });
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            type: String(response.headers["content-type"]),
            text,
          }),
        );
      },
    );
    let answered = false;
    outgoing.on("response", () => {
      answered = true;
    });
    // A server that refuses a body early closes the connection while we still write.
    outgoing.on("error", (error) => (answered ? undefined : reject(error)));
    outgoing.end(body);
  });
}

describe("frames, over WebSocket", () => {
  test.each(BAD_FRAMES.map((row) => [row.name, row.close, row] as const))(
    "The socket of a client that sends %s is closed with %i.",
    async (_name, close, { raw, frames }) => {
      const { live } = close === 4408 ? hasty : souk;
      const client = raw ? await openSocket(live) : await connectSocket(live);
      for (const frame of frames) client.send(frame);
      const { code, reason } = await client.closed;
      expect(code).toBe(close);
      expect(reason).not.toMatch(INTERNALS);
    },
  );

  test("The socket of a client with the wrong subprotocol is closed with 4406.", async () => {
    const client = await openSocket(souk.live, { protocols: [] });
    expect((await client.closed).code).toBe(4406);
  });
});

describe("upgrades", () => {
  const upgrade = (path: string, headers: Record<string, string>) =>
    new Promise<{ status: number | undefined; text: string }>((resolve, reject) => {
      const { hostname, port } = new URL(souk.url);
      const all = {
        connection: "upgrade",
        upgrade: "websocket",
        "sec-websocket-version": "13",
        "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
        ...headers,
      };
      const outgoing = request({ hostname, port, path, headers: all }, (response) => {
        let text = "";
        response.on("data", (chunk) => {
          text += String(chunk);
        });
        response.on("end", () => resolve({ status: response.statusCode, text }));
      });
      outgoing.on("upgrade", (response, socket) => {
        socket.destroy();
        resolve({ status: response.statusCode, text: "" });
      });
      outgoing.on("error", reject).end();
    });

  test.each([
    ["a foreign origin", { origin: "https://evil.example" }, 403, "FORBIDDEN"],
    [
      "an origin that only begins like ours",
      { origin: "https://studio.apollographql.com.evil.example" },
      403,
      "FORBIDDEN",
    ],
    ["the null origin", { origin: "null" }, 403, "FORBIDDEN"],
    ["another path", { path: "/live" }, 404, "BAD_USER_INPUT"],
    ["a bad key", { "sec-websocket-key": "x" }, 400, "BAD_USER_INPUT"],
    ["an old version", { "sec-websocket-version": "1" }, 400, "BAD_USER_INPUT"],
  ] as const)("An upgrade with %s is refused with JSON.", async (...[, row, status, code]) => {
    const { path = "/graphql", ...headers } = row as { path?: string };
    const answer = await upgrade(path, headers);
    expect(answer.status).toBe(status);
    expect((JSON.parse(answer.text) as Answer).errors?.[0]?.extensions.code).toBe(code);
  });

  test.each([
    ["no origin", {}],
    ["an origin of the list", { origin: "https://sandbox.embed.apollographql.com" }],
  ])("An upgrade with %s is let in.", async (_name, headers) => {
    expect((await upgrade("/graphql", headers)).status).toBe(101);
  });

  test("An upgrade from our own origin is let in.", async () => {
    expect((await upgrade("/graphql", { origin: souk.url })).status).toBe(101);
  });
});
