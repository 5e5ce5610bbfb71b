/**
 * What browsers are told and asked for: CORS, CSRF and headers; and what production keeps to
 * itself.
 */
import { connect } from "node:net";
import { text as read } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { type Answer, startServer, type TestServer } from "../test-server.js";
import { ask, connectSocket } from "../websocket/socket-client.js";

const SHOP = "https://shop.example";
const json = { "content-type": "application/json" };
const HELLO = JSON.stringify({ query: "{ hello }" });

let souk: TestServer;
beforeAll(async () => {
  souk = await startServer({
    NODE_ENV: "production",
    ALLOWED_ORIGINS: `${SHOP},https://admin.example`,
  });
});
afterAll(() => souk.close());

const corsOf = (headers: Headers) =>
  Object.fromEntries([...headers].filter(([name]) => name.startsWith("access-control-")));
const preflight = (
  origin: string,
  method = "POST",
  asked = "content-type,authorization,apollo-require-preflight",
) =>
  fetch(souk.graphql, {
    method: "OPTIONS",
    headers: {
      origin,
      "access-control-request-method": method,
      "access-control-request-headers": asked,
    },
  });

describe("CORS", () => {
  test("A page of the list may call, with its cookies, and read what it needs.", async () => {
    const { status, headers } = await preflight(SHOP);
    expect([status, corsOf(headers)]).toEqual([
      204,
      {
        "access-control-allow-origin": SHOP,
        "access-control-allow-credentials": "true",
        "access-control-allow-methods": "GET, POST",
        "access-control-allow-headers": "content-type,authorization,apollo-require-preflight",
        "access-control-expose-headers": expect.stringContaining("Souk-Seen"),
        "access-control-max-age": "600",
      },
    ]);
    const answer = await fetch(souk.graphql, {
      method: "POST",
      headers: { ...json, origin: SHOP },
      body: HELLO,
    });
    expect(corsOf(answer.headers)).toMatchObject({
      "access-control-allow-origin": SHOP,
      "access-control-allow-credentials": "true",
    });
    expect(answer.headers.get("vary")).toMatch(/\bOrigin\b/);
  });

  test.each([
    "https://evil.example",
    "null",
    "https://shop.example.evil.example",
    "https://evilshop.example",
    "http://shop.example",
    "https://shop.example:8443",
    "https://SHOP.example",
    "https://shop.example/",
    "*",
    "https://studio.apollographql.com",
  ])("Another origin is neither echoed nor let in: %s", async (origin) => {
    const answers = [
      await preflight(origin),
      await preflight(origin, "GET"),
      await fetch(souk.graphql, { method: "POST", headers: { ...json, origin }, body: HELLO }),
      await fetch(souk.graphql, { method: "POST", headers: { ...json, origin }, body: "{" }),
      await fetch(`${souk.url}/livez`, { headers: { origin } }),
      await fetch(`${souk.url}/nowhere`, { headers: { origin } }),
    ];
    for (const { headers } of answers) {
      expect(headers.get("access-control-allow-origin")).toBeNull();
      expect(headers.get("access-control-allow-credentials")).toBeNull();
      expect(headers.get("vary")).toMatch(/\bOrigin\b/);
    }
  });

  test("Without a list no origin is let in, and never all.", async () => {
    const own = await startServer({ NODE_ENV: "production" });
    onTestFinished(() => own.close());
    for (const origin of ["https://evil.example", "null", own.url]) {
      const { headers } = await fetch(own.graphql, {
        method: "POST",
        headers: { ...json, origin },
        body: HELLO,
      });
      expect(corsOf(headers)).not.toHaveProperty("access-control-allow-origin");
    }
  });
});

describe("CSRF: what a page can send without a preflight", () => {
  const search = `?query=${encodeURIComponent("{ hello }")}`;
  const send = async (path: string, init: RequestInit) => {
    const response = await fetch(`${souk.graphql}${path}`, init);
    const { errors } = (await response.json()) as Answer;
    return [response.status, errors?.[0]?.extensions.code ?? "ok"];
  };

  test.each([
    ["GET", search, {}],
    ["GET with a cookie", search, { headers: { cookie: "souk_session=a" } }],
    ["GET with an empty preflight header", search, { headers: { "apollo-require-preflight": "" } }],
    ["GET with a content type of forms", search, { headers: { "content-type": "text/plain" } }],
    [
      "a form",
      "",
      {
        method: "POST",
        headers: { "content-type": "application/x-www-form-urlencoded" },
        body: "query={hello}",
      },
    ],
    [
      "JSON as text",
      "",
      { method: "POST", headers: { "content-type": "text/plain" }, body: HELLO },
    ],
    [
      "JSON as text, with a parameter that says otherwise",
      "",
      { method: "POST", headers: { "content-type": "text/plain; application/json" }, body: HELLO },
    ],
    [
      "a multipart form",
      "",
      {
        method: "POST",
        headers: { "content-type": "multipart/form-data; boundary=x" },
        body: "--x--",
      },
    ],
    ["no content type", "", { method: "POST", headers: { "content-type": "" }, body: HELLO }],
  ] as const)(
    "A request without a preflight is refused before anything runs: %s",
    async (_name, path, init) => {
      const [status, code] = await send(path, init);
      expect([400, 415]).toContain(status);
      expect(["BAD_USER_INPUT", "UNSUPPORTED_MEDIA_TYPE"]).toContain(code);
    },
  );

  test.each([
    ["apollo-require-preflight", { "apollo-require-preflight": "1" }],
    ["x-apollo-operation-name", { "x-apollo-operation-name": "Hello" }],
    ["a content type of JSON", json],
  ] as const)(
    "GET with %s is answered, because no page can send it without a preflight.",
    async (_name, headers) => {
      expect(await send(search, { headers })).toEqual([200, "ok"]);
    },
  );
});

test("No cache may keep an answer to GET, because it may be private.", async () => {
  for (const query of ["{ hello }", "{ whoAmI }", "{ nope }", "{"]) {
    const { headers } = await fetch(`${souk.graphql}?query=${encodeURIComponent(query)}`, {
      headers: { "apollo-require-preflight": "1" },
    });
    expect([query, headers.get("cache-control")]).toEqual([query, "no-store"]);
  }
});

describe("security headers", () => {
  const HEADERS = {
    "content-security-policy": "default-src 'none';frame-ancestors 'none';base-uri 'none'",
    "strict-transport-security": expect.stringMatching(/^max-age=\d{8}; includeSubDomains$/),
    "x-content-type-options": "nosniff",
    "x-frame-options": "SAMEORIGIN",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "x-request-id": expect.stringMatching(/^[0-9a-f-]{36}$/),
  };

  test.each([
    ["an answer", "/graphql", { method: "POST", headers: json, body: HELLO }],
    ["a refused document", "/graphql", { method: "POST", headers: json, body: '{"query":"{"}' }],
    ["no JSON", "/graphql", { method: "POST", headers: json, body: "{" }],
    [
      "a body that is too large",
      "/graphql",
      { method: "POST", headers: json, body: " ".repeat(300_000) },
    ],
    [
      "another media type",
      "/graphql",
      { method: "POST", headers: { "content-type": "text/plain" }, body: "x" },
    ],
    ["another method", "/graphql", { method: "PUT" }],
    [
      "a wrong token",
      "/graphql",
      { method: "POST", headers: { ...json, authorization: "Bearer no" }, body: HELLO },
    ],
    [
      "an unknown document",
      "/graphql",
      { method: "POST", headers: json, body: '{"documentId":"nope"}' },
    ],
    [
      "a preflight",
      "/graphql",
      { method: "OPTIONS", headers: { origin: SHOP, "access-control-request-method": "POST" } },
    ],
    ["nothing there", "/nowhere", {}],
    ["a probe", "/livez", {}],
    ["metrics", "/metrics", {}],
  ] as const)("Every answer has the security headers: %s", async (_name, path, init) => {
    const { headers } = await fetch(`${souk.url}${path}`, init);
    expect(Object.fromEntries(headers)).toMatchObject(HEADERS);
    expect([headers.get("x-powered-by"), headers.get("server")]).toEqual([null, null]);
  });

  test("What is no HTTP and refused upgrades get JSON that no browser mistakes.", async () => {
    for (const request of [
      "\x16\x03\x01\r\n\r\n",
      "GET /graphql HTTP/1.1\r\nHost: x\r\nOrigin: https://evil.example\r\nConnection: " +
        "upgrade\r\nUpgrade: websocket\r\n\r\n",
    ]) {
      const socket = connect(Number(new URL(souk.url).port), "127.0.0.1");
      socket.write(request);
      const answer = await read(socket);
      expect(answer).toMatch(/\r\nContent-Type: application\/json; charset=utf-8\r\n/);
      expect(answer).toMatch(/\r\nX-Content-Type-Options: nosniff\r\n/);
    }
  });

  test("HTTPS is demanded only where clients come by it.", async () => {
    const plain = await startServer();
    onTestFinished(() => plain.close());
    expect((await fetch(`${plain.url}/livez`)).headers.get("strict-transport-security")).toBeNull();
  });
});

/** Asks over one transport. */
type Ask = (server: TestServer, payload: object) => Promise<Answer>;
const overHttp: Ask = async (server, payload) => (await server.post(payload)).body;
const overSocket: Ask = async ({ live }, payload) => {
  const client = await connectSocket(live);
  try {
    return await ask(client, payload as { query: string });
  } finally {
    await client.close();
  }
};

describe.each([
  ["HTTP", overHttp],
  ["WebSocket", overSocket],
])("production, over %s,", (_name, run) => {
  test.each([
    ["the schema", "{ __schema { queryType { name } } }"],
    ["a type", '{ __type(name: "Query") { name } }'],
    ["the schema by an alias", "{ a: __schema { types { name } } }"],
    ["the schema in a fragment", "{ ...F } fragment F on Query { __schema { types { name } } }"],
  ])("Production does not describe %s.", async (_what, query) => {
    const { data, errors } = await run(souk, { query });
    expect(data ?? null).toBeNull();
    expect(errors?.[0]?.extensions.code).toBe("GRAPHQL_VALIDATION_FAILED");
  });

  test("Production still answers __typename, which clients' caches need.", async () => {
    expect(await run(souk, { query: "{ __typename }" })).toEqual({ data: { __typename: "Query" } });
  });

  /** Each of them is close to a name of the schema. */
  const CLOSE = [
    { query: "{ helo }" },
    { query: "{ hello(nam: 1) }" },
    { query: "{ node(id: 1) { ... on Prodct { id } } }" },
    { query: "{ node(id: 1) { name } }" },
    { query: "query($f: Filtr) { search(filter: $f) }" },
    { query: "{ hello @skp(if: true) }" },
    { query: "{ hello @skip(i: true) }" },
    { query: "{ ...Fragmnt } fragment Fragment on Query { hello }" },
    { query: "{ search(color: GREN) }" },
    { query: '{ search(color: "GREEN") }' },
    { query: "{ search(filter: { tex: 1 }) }" },
    { query: "query($f: Filter) { search(filter: $f) }", variables: { f: { tex: 1 } } },
    { query: "query($f: Filter) { search(filter: $f) }", variables: { f: { color: "GREN" } } },
    { query: "query($c: Color) { search(color: $c) }", variables: { c: "GREN" } },
    { query: "query Hello { hello }", operationName: "Helo" },
  ];

  test.each(CLOSE.map((payload) => [payload.query, payload] as const))(
    "Production suggests nothing for %s.",
    async (_query, payload) => {
      const { errors } = await run(souk, payload);
      expect(errors?.length).toBeGreaterThan(0);
      expect(JSON.stringify(errors)).not.toMatch(/did you mean/i);
      for (const { message } of errors ?? []) expect(message.trim()).not.toBe("");
    },
  );

  test("Development suggests names for the rows above.", async () => {
    const helpful = await startServer();
    onTestFinished(() => helpful.close());
    const answers = await Promise.all(CLOSE.map((payload) => run(helpful, payload)));
    expect(
      answers.filter((answer) => /did you mean/i.test(JSON.stringify(answer))).length,
    ).toBeGreaterThan(9);
  });
});
