/** What both transports promise about an operation that is allowed. */
import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { rememberingLog } from "../support/log.js";
import {
  type Answer,
  SECRET,
  SEEN_TOKENS,
  startServer,
  type TestServer,
  TOKEN,
} from "./test-server.js";
import { ask, connectSocket } from "./websocket/socket-client.js";

let souk: TestServer;
/** The same with a deadline that a test can wait for, and that nothing else may meet. */
let hasty: TestServer;
const log = rememberingLog();

beforeAll(async () => {
  const env = { NODE_ENV: "production", EXPLORER: "graphiql" };
  souk = await startServer(env, { log: log.log });
  hasty = await startServer({ ...env, REQUEST_TIMEOUT_MS: "100" });
});
afterAll(() => Promise.all([souk, hasty].map((server) => server.close())));

/** Asks over one transport. */
type Ask = (
  query: string,
  options?: { variables?: object; headers?: Record<string, string>; server?: TestServer },
) => Promise<Answer>;

const tokenOf = (count: number): string => SEEN_TOKENS.write({ count, bypassUntilMs: 0 });
const overHttp: Ask = async (query, { variables, headers, server = souk } = {}) =>
  (await server.post({ query, variables }, headers)).body;
const overSocket: Ask = async (query, { variables, headers, server = souk } = {}) => {
  const client = await connectSocket(server.live, headers);
  try {
    return await ask(client, { query, variables });
  } finally {
    await client.close();
  }
};

describe.each([
  ["HTTP", overHttp],
  ["WebSocket", overSocket],
])("over %s", (_name, run) => {
  test("A query is answered.", async () => {
    expect(await run("query($n: String) { hello(name: $n) }", { variables: { n: "you" } })).toEqual(
      { data: { hello: "Hello you" } },
    );
  });

  test("What we throw for clients keeps code, message and path, with a request id.", async () => {
    const { data, errors } = await run("{ hello badInput forbidden }");
    expect(data).toEqual({ hello: "Hello world", badInput: null, forbidden: null });
    expect(errors).toHaveLength(2);
    const badInput = errors?.find(({ path }) => path?.[0] === "badInput");
    expect(badInput).toMatchObject({
      message: "first must be smaller.",
      extensions: { code: "BAD_USER_INPUT", argument: ["first"] },
    });
    expect(badInput?.extensions.requestId).toMatch(/^[0-9a-f-]{36}$/);
    expect(errors?.find(({ path }) => path?.[0] === "forbidden")).toMatchObject({
      message: "Not for you.",
      extensions: { code: "FORBIDDEN" },
    });
  });

  test("Anything else is hidden from the client, and logged under its request id.", async () => {
    const answer = await run("{ crash }");
    expect(JSON.stringify(answer)).not.toContain("secret");
    expect(answer.errors?.[0]?.extensions.code).toBe("INTERNAL_SERVER_ERROR");
    const line = log.lines.find(
      (text) =>
        text.includes(answer.errors?.[0]?.extensions.requestId ?? "nothing") &&
        text.includes("stack"),
    );
    expect(line).toContain(SECRET.slice(0, 20));
  });

  test("An unavailable service says so, without its cause.", async () => {
    const answer = await run("{ unavailable }");
    expect(answer).toMatchObject({
      data: null,
      errors: [{ message: "Try again.", extensions: { code: "SERVICE_UNAVAILABLE" } }],
    });
    expect(JSON.stringify(answer)).not.toContain("secret");
  });

  test("An operation beyond its deadline is answered with DEADLINE_EXCEEDED.", async () => {
    expect((await run("{ never }", { server: hasty })).errors?.[0]?.extensions.code).toBe(
      "DEADLINE_EXCEEDED",
    );
  });

  test("A wrong value of a variable is BAD_USER_INPUT, of a scalar too.", async () => {
    for (const [query, variables] of [
      ["query($n: String) { hello(name: $n) }", { n: 1 }],
      ["query($v: Whole!) { whole(value: $v) }", { v: 1.5 }],
      ["query($v: Whole!) { whole(value: $v) }", {}],
      ["query($f: Int = 20) { page(first: $f) }", { f: null }],
      ["query($f: Filter) { search(filter: $f) }", { f: { nope: 1 } }],
    ] as const) {
      expect((await run(query, { variables })).errors?.[0]?.extensions.code).toBe("BAD_USER_INPUT");
    }
  });

  test("Production suggests no names.", async () => {
    const { errors } = await run("{ helo }");
    expect(errors?.[0]).toMatchObject({
      message: 'Cannot query field "helo" on type "Query".',
      extensions: { code: "GRAPHQL_VALIDATION_FAILED" },
    });
  });

  test("A service token is recognised, and a request without one is anonymous.", async () => {
    expect(await run("{ whoAmI }")).toEqual({ data: { whoAmI: "anonymous" } });
    expect(await run("{ whoAmI }", { headers: { authorization: `Bearer ${TOKEN}` } })).toEqual({
      data: { whoAmI: "service" },
    });
  });

  test("The answer reports on the cache where the request asks.", async () => {
    const query = '{ echo(text: "a") }';
    expect((await run(query)).extensions).toBeUndefined();
    expect((await run(query, { headers: { "souk-cache-report": "1" } })).extensions).toEqual({
      cache: { status: "HIT", ageMs: 5 },
    });
    const bypass = { "souk-cache-report": "1", "souk-cache": "bypass" };
    expect(
      (await run(query, { headers: { ...bypass, authorization: `Bearer ${TOKEN}` } })).extensions
        ?.cache?.status,
    ).toBe("BYPASS");
  });

  test("Only the service bypasses the cache, which protects the database.", async () => {
    const headers = { "souk-cache-report": "1", "souk-cache": "bypass" };
    expect((await run('{ echo(text: "a") }', { headers })).extensions?.cache?.status).toBe("HIT");
  });

  test("A client's consistency token reaches the operation; garbage counts as none.", async () => {
    expect(await run("{ seen }", { headers: { "souk-seen": tokenOf(41) } })).toEqual({
      data: { seen: 41 },
    });
    expect(await run("{ seen }", { headers: { "souk-seen": "41" } })).toEqual({
      data: { seen: 0 },
    });
    expect(await run("{ seen }", { headers: { "souk-seen": "-1; drop" } })).toEqual({
      data: { seen: 0 },
    });
  });
});

test("A write over HTTP gives its token by header and cookie; the later one counts.", async () => {
  const { headers, body } = await souk.post(
    { query: "mutation { write }" },
    { "souk-seen": tokenOf(3) },
  );
  expect(body).toEqual({ data: { write: "" } });
  expect(headers.get("souk-seen")).toBe(tokenOf(10));
  expect(headers.get("set-cookie")).toBe(
    `souk_seen=${tokenOf(10)}; Max-Age=3600; Path=/; HttpOnly; Secure; SameSite=Lax`,
  );
  expect(
    (
      await souk.post(
        { query: "{ seen }" },
        { cookie: `a=b; souk_seen=${tokenOf(10)}`, "souk-seen": tokenOf(4) },
      )
    ).body,
  ).toEqual({
    data: { seen: 10 },
  });
  expect((await souk.post({ query: "{ hello }" })).headers.get("souk-seen")).toBeNull();
});

test("A write over WebSocket answers with its token, and the socket remembers it.", async () => {
  const client = await connectSocket(
    souk.live,
    {},
    { headers: { cookie: `souk_seen=${tokenOf(5)}` } },
  );
  expect(await ask(client, { query: "mutation { write }" })).toEqual({
    data: { write: "" },
    extensions: { seen: tokenOf(12) },
  });
  expect(await ask(client, { query: "{ seen }" })).toEqual({ data: { seen: 12 } });
  await client.close();
});

test("A wrong token is refused with 401 over HTTP and 4403 over WebSocket.", async () => {
  const { status, body, headers } = await souk.post(
    { query: "{ hello }" },
    { authorization: "Bearer wrong" },
  );
  expect([status, body.errors?.[0]?.extensions.code, headers.get("www-authenticate")]).toEqual([
    401,
    "UNAUTHENTICATED",
    "Bearer",
  ]);
  await expect(connectSocket(souk.live, { authorization: "Bearer wrong" })).rejects.toThrow("4403");
});

test("The same query has the same answer once it is compiled.", async () => {
  const query =
    "query($id: ID!) { node(id: $id) { __typename id ... on Product { name category { name } " +
    "} ... on Category { title: name } } }";
  const answers = [];
  for (let round = 0; round < 8; round++)
    answers.push((await souk.post({ query, variables: { id: "p1" } })).text);
  expect(new Set(answers).size).toBe(1);
  expect((await souk.post({ query, variables: { id: "c1" } })).body.data?.node).toEqual({
    __typename: "Category",
    id: "c1",
    title: "Category c1",
  });
  expect((await souk.post({ query, variables: {} })).body.errors?.[0]?.extensions.code).toBe(
    "BAD_USER_INPUT",
  );
});

test("A persisted query is found after it was sent, and a wrong hash is refused.", async () => {
  const query = "{ hello }";
  const persisted = (text: string) => ({
    persistedQuery: { version: 1, sha256Hash: createHash("sha256").update(text).digest("hex") },
  });
  const codeOf = ({ body }: { body: Answer }) => body.errors?.[0]?.extensions.code;
  expect(codeOf(await souk.post({ extensions: persisted(query) }))).toBe(
    "PERSISTED_QUERY_NOT_FOUND",
  );
  expect(codeOf(await souk.post({ query, extensions: persisted("{ other }") }))).toBe(
    "BAD_USER_INPUT",
  );
  await souk.post({ query, extensions: persisted(query) });
  expect((await souk.post({ extensions: persisted(query) })).body).toEqual({
    data: { hello: "Hello world" },
  });
});
