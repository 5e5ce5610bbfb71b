/**
 * Everything whose size a client multiplies: names, messages of errors, answers, frames, lines of
 * the log. Each row is sent over every transport that can carry it, and held to the same bounds.
 */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import fc from "fast-check";
import type { ExecutionResult } from "graphql";
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  onTestFinished,
  test,
  vi,
} from "vitest";
import { ERROR_CODES, type ErrorCode } from "../../src/domain/errors.js";
import { ReadContext } from "../../src/domain/reading/read-context.js";
import type { Loaders } from "../../src/loaders/loaders.js";
import { createRequestContext } from "../../src/resolvers/context.js";
import {
  hasTransientError,
  isUnavailable,
  withRequestId,
} from "../../src/server/operation/format-error.js";
import type { ServerDeps } from "../../src/server/server.js";
import type { Limits } from "../../src/services/rate-limit/limits.js";
import { createLogger } from "../../src/telemetry/log.js";
import { createMetrics, type Metrics } from "../../src/telemetry/metrics.js";
import { type BoardServer, startBoards } from "../server/fan-out/leaderboard-server.js";
import { type Answer, startServer, type TestServer } from "../server/test-server.js";
import { ask, connectSocket, openSocket } from "../server/websocket/socket-client.js";
import { until } from "../support/until.js";

const KB = 1024;
/** The smallest bound that the configuration takes. */
const ANSWER_BYTES = 128 * KB;
const MAX_ERRORS = 10;
const MAX_MESSAGE = 300;
/** Ten errors with their places; a document multiplies none of it. */
const REFUSAL_BYTES = 8 * KB;
const LOG_LINE_BYTES = 16 * KB;
const LOG_LINES = 10;

const LONGEST = "a".repeat(128);
const [LONG, HUGE] = ["a".repeat(129), "a".repeat(10 * KB)];
const times = (count: number, make: (at: number) => string) =>
  Array.from({ length: count }, (_item, at) => make(at)).join(" ");

interface Row {
  readonly name: string;
  readonly payload: Readonly<Record<string, unknown>>;
  readonly verdict: ErrorCode | "ok";
  /** Mutations and long texts are no GET; a frame has 64 KB. */
  readonly not?: readonly Transport[];
}

/** Every place of a document that holds a name. */
const PLACES: Readonly<Record<string, (name: string) => string>> = {
  alias: (name) => `{ ${name}: hello }`,
  "alias in a list": (name) => `{ products(first: 50) { ${name}: __typename } }`,
  field: (name) => `{ ${name} }`,
  operation: (name) => `query ${name} { hello }`,
  variable: (name) => `query($${name}: String) { echo(text: $${name}) }`,
  "unknown variable": (name) =>
    `{ nodes(ids: [${times(100, () => `$${name.slice(0, 600)}`)}]) { id } }`,
  fragment: (name) => `{ ...${name} } fragment ${name} on Query { hello }`,
  directive: (name) => `{ hello @${name} }`,
  argument: (name) => `{ hello(${name}: 1) }`,
  "argument of a directive": (name) => `{ hello @include(${name}: true) }`,
  "type condition": (name) => `{ ... on ${name} { hello } }`,
  "type of a variable": (name) => `query($a: ${name}) { hello }`,
  "enum value": (name) => `{ search(color: ${name}) }`,
  "field of an input": (name) => `{ search(filter: { ${name}: 1 }) }`,
  "definition of a type": (name) => `type ${name} { a: Int }`,
  "keyword's place": (name) => `${name} { hello }`,
};

const NAMES: readonly Row[] = Object.entries(PLACES).flatMap(([place, write]) =>
  [LONG, HUGE].map(
    (name): Row => ({
      name: `A name of ${name.length} characters as ${place}`,
      payload: { query: write(name) },
      verdict: "GRAPHQL_PARSE_FAILED",
    }),
  ),
);

const REQUESTS: readonly Row[] = [
  {
    name: "Names of 128 characters",
    payload: { query: `query ${LONGEST} { ${LONGEST}: hello }`, operationName: LONGEST },
    verdict: "ok",
  },
  {
    name: "A long word in a string",
    payload: { query: `{ echo(text: "${HUGE}") }` },
    verdict: "ok",
  },
  {
    name: "A long word in a block string",
    payload: { query: `{ echo(text: """${HUGE}""") }` },
    verdict: "ok",
  },
  { name: "A long word in a comment", payload: { query: `{ hello } # ${HUGE}` }, verdict: "ok" },
  {
    name: "A long operationName",
    payload: { query: "{ hello }", operationName: LONG },
    verdict: "BAD_USER_INPUT",
  },
  {
    name: "A long name among the variables",
    payload: { query: "{ hello }", variables: { [LONG]: 1 } },
    verdict: "BAD_USER_INPUT",
  },
  {
    name: "A long key within a variable",
    payload: { query: "query($f: Filter) { search(filter: $f) }", variables: { f: { [HUGE]: 1 } } },
    verdict: "BAD_USER_INPUT",
  },
  {
    name: "A long key among the extensions",
    payload: { query: "{ hello }", extensions: { [LONG]: [] } },
    verdict: "BAD_USER_INPUT",
  },
  {
    name: "A long documentId",
    payload: { documentId: HUGE, query: "" },
    verdict: "BAD_USER_INPUT",
  },
  {
    name: "A long hash",
    payload: {
      query: "{ hello }",
      extensions: { persistedQuery: { version: 1, sha256Hash: HUGE } },
    },
    verdict: "BAD_USER_INPUT",
  },
];

const MESSAGES: readonly Row[] = [
  {
    name: "A syntax error that quotes a string",
    payload: { query: `"${HUGE}"` },
    verdict: "GRAPHQL_PARSE_FAILED",
  },
  {
    name: "A syntax error that quotes a number",
    payload: { query: "1".repeat(10 * KB) },
    verdict: "GRAPHQL_PARSE_FAILED",
  },
  {
    name: "An argument that is a long number",
    payload: { query: `{ page(first: ${"1".repeat(9 * KB)}) }` },
    verdict: "GRAPHQL_VALIDATION_FAILED",
  },
  {
    name: "An argument that is a long string",
    payload: { query: `{ page(first: "${HUGE}") }` },
    verdict: "GRAPHQL_VALIDATION_FAILED",
  },
  {
    name: "A variable that is a long string",
    payload: { query: "query($n: Int!) { page(first: $n) }", variables: { n: HUGE } },
    verdict: "BAD_USER_INPUT",
  },
  {
    name: "A variable with many wrong fields and a long one",
    payload: {
      query: "query($f: Filter) { search(filter: $f) }",
      variables: {
        f: {
          ...Object.fromEntries(Array.from({ length: 60 }, (_, at) => [`wrong${at}`, 1])),
          text: HUGE,
        },
      },
    },
    verdict: "BAD_USER_INPUT",
  },
  {
    name: "A message that begins a suggestion many times",
    payload: {
      query: "query($n: Int!) { page(first: $n) }",
      variables: { n: "Did you mean ".repeat(700) },
    },
    verdict: "BAD_USER_INPUT",
  },
  {
    name: "Many unknown fields",
    payload: { query: `{ ${times(300, (at) => `f${at}`)} }` },
    verdict: "GRAPHQL_VALIDATION_FAILED",
  },
  {
    name: "Fields that conflict in many places",
    payload: {
      query: `{ category { ${times(100, () => "a: id")} ${times(100, () => "a: name")} } }`,
    },
    verdict: "GRAPHQL_VALIDATION_FAILED",
  },
  {
    name: "A list whose items all fail",
    payload: { query: `{ products(first: 50) { ${times(14, (at) => `a${at}: breaks`)} } }` },
    verdict: "INTERNAL_SERVER_ERROR",
  },
];

const texts = (
  count: number,
  of: string,
  characters: number,
): Readonly<Record<string, unknown>> => ({
  query:
    "query($of: String) { " +
    `${times(count, (at) => `a${at}: text(characters: ${characters}, of: $of)`)} }`,
  variables: { of },
});

const ANSWERS: readonly Row[] = [
  {
    name: "An answer of many texts",
    payload: texts(14, "x", 100 * KB),
    verdict: "PAYLOAD_TOO_LARGE",
  },
  {
    name: "An answer of one text",
    payload: texts(1, "x", ANSWER_BYTES),
    verdict: "PAYLOAD_TOO_LARGE",
  },
  {
    name: "An answer whose bytes are escapes",
    payload: texts(1, "\u0001", 12 * KB),
    verdict: "PAYLOAD_TOO_LARGE",
  },
  {
    name: "An answer whose characters have three bytes",
    payload: texts(1, "€", 24 * KB),
    verdict: "PAYLOAD_TOO_LARGE",
  },
  {
    name: "An answer whose characters have four bytes",
    payload: texts(1, "😀", 17 * KB),
    verdict: "PAYLOAD_TOO_LARGE",
  },
  { name: "An answer of quotes", payload: texts(1, '"', 33 * KB), verdict: "PAYLOAD_TOO_LARGE" },
  { name: "An answer below the bound", payload: texts(1, "x", 60 * KB), verdict: "ok" },
  {
    name: "An answer of long aliases",
    payload: {
      query:
        "{ products(first: 50) { " +
        `${times(14, (at) => `${`a${at}`.padEnd(128, "a")}: __typename`)} } }`,
    },
    verdict: "PAYLOAD_TOO_LARGE",
  },
  {
    name: "A large answer that also fails",
    payload: { query: `{ a: text(characters: ${ANSWER_BYTES}) products(first: 50) { breaks } }` },
    verdict: "PAYLOAD_TOO_LARGE",
  },
];

const lines: string[] = [];
const log = createLogger({
  level: "trace",
  destination: { write: (line: string) => void lines.push(line) },
});
let souk: TestServer;

beforeAll(async () => {
  souk = await startServer(
    { ANSWER_MAX_BYTES: String(ANSWER_BYTES), MESSAGE_MAX_BYTES: String(ANSWER_BYTES) },
    { log },
  );
});
afterAll(() => souk.close());
beforeEach(() => void lines.splice(0));

type Transport = "POST" | "GET" | "WebSocket";

const readAnswer = async (response: Response) => ({
  status: response.status,
  text: await response.text(),
});

/** Sends a payload; answers the text as it arrived. */
const TRANSPORTS: Readonly<Record<Transport, (payload: Row["payload"]) => Promise<string>>> = {
  POST: async (payload) => (await souk.post(payload)).text,
  async GET(payload) {
    const given = Object.entries(payload).map(([name, value]) => [
      name,
      typeof value === "string" ? value : JSON.stringify(value),
    ]);
    const url = `${souk.graphql}?${new URLSearchParams(given)}`;
    return (await readAnswer(await fetch(url, { headers: { "apollo-require-preflight": "1" } })))
      .text;
  },
  async WebSocket(payload) {
    const client = await connectSocket(souk.live);
    try {
      return JSON.stringify(await ask(client, { query: "", ...payload }));
    } finally {
      client.socket.terminate();
    }
  },
};

/** Makes the context of an operation, and notes the device of its caller. */
function recordDevice(devices: string[], init: Parameters<ServerDeps["createOperation"]>[0]) {
  devices.push(init.client.device);
  return createRequestContext({
    ...init,
    reading: new ReadContext(init),
    makeLoaders: () => ({}) as Loaders,
  });
}

const verdictOf = ({ data, errors }: Answer) =>
  errors?.[0]?.extensions.code ?? (data ? "ok" : "nothing");

/** Holds an answer and what was logged for it to their bounds. */
function expectBounds(text: string): void {
  const { errors = [], data } = JSON.parse(text) as Answer;
  expect(Buffer.byteLength(text)).toBeLessThanOrEqual(data ? ANSWER_BYTES : REFUSAL_BYTES);
  expect(errors.length).toBeLessThanOrEqual(MAX_ERRORS);
  for (const { message } of errors) expect(message.length).toBeLessThanOrEqual(MAX_MESSAGE);
  expect(lines.length).toBeLessThanOrEqual(LOG_LINES);
  for (const line of lines) expect(Buffer.byteLength(line)).toBeLessThanOrEqual(LOG_LINE_BYTES);
}

const ROWS = [...NAMES, ...REQUESTS, ...MESSAGES, ...ANSWERS];
/** Node takes 16 KB of headers and URL. */
const fitsUrl = ({ payload }: Row) =>
  new URLSearchParams(payload as Record<string, string>).toString().length < 12 * KB;

describe.each(Object.keys(TRANSPORTS) as Transport[])("over %s", (transport) => {
  const rows = ROWS.filter((row) => transport !== "GET" || fitsUrl(row));

  test.each(rows.map((row) => [row.name, row] as const))(
    "%s gets its verdict within all bounds.",
    async (_name, row) => {
      const text = await TRANSPORTS[transport](row.payload);
      expect(verdictOf(JSON.parse(text) as Answer)).toBe(row.verdict);
      expectBounds(text);
    },
  );
});

test("The last error of an answer counts those that are left out.", async () => {
  const { body } = await souk.post({ query: `{ products(first: 50) { breaks } }` });
  expect(body.errors).toHaveLength(MAX_ERRORS);
  expect(body.errors?.at(-1)).toMatchObject({
    message: "41 more errors are left out.",
    extensions: { code: "INTERNAL_SERVER_ERROR" },
  });
});

test("Where an error that may pass is left out, the last error has its code.", () => {
  const errorOf = (code: ErrorCode) => ({ message: code, extensions: { code } });
  const codes = fc.array(fc.constantFrom(...ERROR_CODES), {
    minLength: 1,
    maxLength: 3 * MAX_ERRORS,
  });
  fc.assert(
    fc.property(codes, (given) => {
      const all = { errors: given.map(errorOf) } as unknown as ExecutionResult;
      const shown = {
        errors: withRequestId(given.map(errorOf), "id"),
      } as unknown as ExecutionResult;
      expect(shown.errors?.length).toBeLessThanOrEqual(MAX_ERRORS);
      expect([isUnavailable(shown), hasTransientError(shown)]).toEqual([
        isUnavailable(all),
        hasTransientError(all),
      ]);
    }),
    { seed: 9 },
  );
});

test("Production suggests no names in a message that is cut.", async () => {
  const production = await startServer({ NODE_ENV: "production", EXPLORER: "off" });
  const beginnings = await Promise.all(
    Array.from({ length: 30 }, (_, at) =>
      production.post({
        query:
          `{ hello(${"n".repeat(at + 90)}name: 1) helo product(id: "${"x".repeat(100)}") { nam ` +
          "} }",
      }),
    ),
  );
  for (const { text } of beginnings) expect(text).not.toMatch(/Did you/);
  await production.close();
});

describe("a mutation whose answer is too large", () => {
  const query =
    `mutation { ${times(10, (at) => `a${at}: write(text: "${"x".repeat(1_500)}")`)} ` +
    `${times(4, (at) => `b${at}: write(text: "${"y".repeat(10_000)}")`)} }`;
  const tooLarge = `mutation($t: String) { ${times(14, (at) => `a${at}: write(text: $t)`)} }`;
  const variables = { t: "x".repeat(20 * KB) };

  test.each(["POST", "WebSocket"] as const)(
    "A mutation over %s is said to have run, and hands out what it wrote.",
    async (transport) => {
      expect(verdictOf(JSON.parse(await TRANSPORTS[transport]({ query })) as Answer)).toBe("ok");
      const answer = JSON.parse(
        await TRANSPORTS[transport]({ query: tooLarge, variables }),
      ) as Answer;
      expect(answer.data).toBeNull();
      expect(answer.errors?.[0]).toMatchObject({
        message: expect.stringContaining("its changes stand"),
        extensions: { code: "PAYLOAD_TOO_LARGE", limitBytes: ANSWER_BYTES },
      });
      if (transport === "WebSocket") expect(answer.extensions?.seen).toBeTruthy();
    },
  );
});

describe("frames of a WebSocket", () => {
  test("A long id of an operation closes the socket as a bad message.", async () => {
    const client = await connectSocket(souk.live);
    client.send({ id: LONG, type: "subscribe", payload: { query: "{ hello }" } });
    expect(await client.closed).toEqual({
      code: 4400,
      reason: "The id of an operation is too long",
    });
    expect(lines.filter((line) => JSON.parse(line).level > 40)).toEqual([]);
  });

  test.each([LONGEST, "é".repeat(128), "😀".repeat(64)])(
    "A duplicate of the id %s closes the socket with 4409.",
    async (id) => {
      const client = await connectSocket(souk.live);
      for (let at = 0; at < 2; at++)
        client.send({ id, type: "subscribe", payload: { query: "subscription { endless }" } });
      const { code, reason } = await client.closed;
      expect(code).toBe(4409);
      expect(Buffer.byteLength(reason)).toBeLessThanOrEqual(123);
    },
  );

  test("A log message that is too large ends its subscription and closes its source.", async () => {
    const client = await connectSocket(souk.live);
    const messages = await client.run({
      query: `subscription { ticks { text(characters: ${ANSWER_BYTES}) } }`,
    });
    expect(messages.map(({ type }) => type)).toEqual(["error"]);
    expect(messages[0]?.payload).toMatchObject([
      { extensions: { code: "PAYLOAD_TOO_LARGE", limitBytes: ANSWER_BYTES } },
    ]);
    await until("the source to close", () => souk.sources.open === 0);
    expect(await ask(client, { query: "{ hello }" })).toMatchObject({
      data: { hello: "Hello world" },
    });
    await client.close();
  });

  test("A socket keeps no more of its init payload than a line about its device.", async () => {
    const kept: string[] = [];
    const server = await startServer({}, { createOperation: (init) => recordDevice(kept, init) });
    onTestFinished(() => server.close());
    const client = await connectSocket(server.live, { "user-agent": HUGE });
    await ask(client, { query: "{ hello }" });
    expect(kept.map(({ length }) => length)).toEqual([200]);
    await client.close();
  });

  test("An init payload of many long keys is no error of ours.", async () => {
    const client = await openSocket(souk.live);
    client.send({ type: "connection_init", payload: { [HUGE]: HUGE, authorization: undefined } });
    expect(await client.next()).toEqual({ type: "connection_ack" });
    client.socket.terminate();
  });
});

describe("messages that are shared", () => {
  let boards: BoardServer;
  beforeAll(async () => {
    boards = await startBoards({ MESSAGE_MAX_BYTES: String(ANSWER_BYTES) });
  });
  afterAll(() => boards.close());
  const watch = (filler: number) => ({
    query: `subscription { board(slugs: ["a"], filler: ${filler}) { filler } }`,
  });

  test("A snapshot that is too large ends its members' subscriptions, and no other.", async () => {
    const clients = await Promise.all([1, 2].map(() => connectSocket(boards.live)));
    const other = await connectSocket(boards.live);
    other.send({ id: "small", type: "subscribe", payload: watch(10) });
    await other.next();
    const ended = await Promise.all(clients.map((client) => client.run(watch(ANSWER_BYTES))));
    for (const messages of ended) {
      expect(messages.map(({ type }) => type)).toEqual(["error"]);
      expect(messages[0]?.payload).toMatchObject([{ extensions: { code: "PAYLOAD_TOO_LARGE" } }]);
    }
    boards.boards.publish("a", 2);
    expect(await other.next()).toMatchObject({ id: "small", type: "next" });
    await Promise.all([...clients, other].map((client) => client.close()));
    await until("all sources to close", () => boards.boards.open === 0);
  });

  /** A value that is due again after its reading was refused. */
  const AGAIN: Readonly<Record<string, () => void>> = {
    "nothing else happens": () => {},
    "its value changes meanwhile": () => boards.boards.publish("a", 3),
  };
  test.each(Object.keys(AGAIN))(
    "A snapshot that is too large gets one `error` and is never read again: %s.",
    async (what) => {
      const client = await connectSocket(boards.live);
      const release = boards.boards.hold();
      const reads = boards.boards.reads;
      client.send({ id: "large", type: "subscribe", payload: watch(ANSWER_BYTES) });
      await until("its value to be read", () => boards.boards.reads > reads);
      AGAIN[what]?.();
      release();
      expect(await client.next()).toMatchObject({
        id: "large",
        type: "error",
        payload: [{ extensions: { code: "PAYLOAD_TOO_LARGE" } }],
      });
      await until("its source to close", () => boards.boards.open === 0);
      expect(await ask(client, { query: "{ ok }" })).toEqual({ data: { ok: null } });
      expect(boards.boards.reads).toBe(reads + 1);
      await client.close();
    },
  );

  test("A snapshot that grows too large ends with one `error`, after earlier values.", async () => {
    const client = await connectSocket(boards.live);
    const query =
      `subscription { board(slugs: ["a"], filler: ${ANSWER_BYTES / 2}) { slug ` +
      `${times(14, (at) => `f${at}: growing`)} } }`;
    boards.boards.set("a", 0);
    client.send({ id: "grows", type: "subscribe", payload: { query } });
    expect(await client.next()).toMatchObject({ id: "grows", type: "next" });
    boards.boards.publish("a", 1);
    expect(await client.next()).toMatchObject({
      id: "grows",
      type: "error",
      payload: [{ extensions: { code: "PAYLOAD_TOO_LARGE" } }],
    });
    await until("its source to close", () => boards.boards.open === 0);
    await client.close();
  });
});

describe("documents at random", () => {
  const name = fc.oneof(
    fc.constantFrom("a", LONGEST, LONG, "b".repeat(128)),
    fc.integer({ min: 1, max: 5_000 }).map((length) => "n".repeat(length)),
  );
  const text = fc.constantFrom("x", "\u0001", '"', "€", "😀", "\\");
  const field = fc.oneof(
    fc
      .tuple(name, fc.integer({ min: 0, max: 200 * KB }))
      .map(([alias, characters]) => `${alias}: text(characters: ${characters}, of: $of)`),
    fc
      .tuple(name, fc.integer({ min: 1, max: 50 }))
      .map(([alias, first]) => `${alias}: products(first: ${first}) { ${alias}: name breaks }`),
    fc.tuple(name, name).map(([alias, argument]) => `${alias}: hello(${argument}: 1)`),
    name,
  );

  test("No answer, list of errors or line of the log is ever above its bound.", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(field, { minLength: 1, maxLength: 12 }),
        text,
        name,
        async (fields, of, operation) => {
          const payload = {
            query: `query ${operation}($of: String) { ${fields.join(" ")} }`,
            variables: { of },
          };
          lines.splice(0);
          for (const transport of ["POST", "WebSocket"] as const)
            expectGeneratedBounds(await TRANSPORTS[transport](payload));
          for (const line of lines)
            expect(Buffer.byteLength(line)).toBeLessThanOrEqual(LOG_LINE_BYTES);
        },
      ),
      { numRuns: 60, seed: 9 },
    );
  });

  /** A partial answer has data and errors. */
  function expectGeneratedBounds(answer: string): void {
    expect(Buffer.byteLength(answer)).toBeLessThanOrEqual(ANSWER_BYTES);
    const { errors = [] } = JSON.parse(answer) as Answer;
    expect(errors.length).toBeLessThanOrEqual(MAX_ERRORS);
    for (const { message } of errors) expect(message.length).toBeLessThanOrEqual(MAX_MESSAGE);
  }
});

describe("answers that nobody reads", () => {
  const start = async (largest: number) => {
    const server = await startServer({ ANSWER_MAX_BYTES: String(largest) });
    onTestFinished(() => server.close());
    return server;
  };

  test("An unread socket holds one answer beyond its bound, and gets all once read.", async () => {
    const ANSWERS = 40;
    const stalled = await start(1024 * KB);
    const connected = once(stalled.server.app.server, "connection") as Promise<[Socket]>;
    const client = await connectSocket(stalled.live);
    const [connection] = await connected;
    client.socket.pause();
    const query = `{ text(characters: ${900 * KB}) }`;
    for (let at = 0; at < ANSWERS; at++)
      client.send({ id: String(at), type: "subscribe", payload: { query } });
    await until("the socket to be full", () => connection.writableLength > 1024 * KB);
    // What is ready is written within a few turns of the event loop, if anything is to be written.
    for (let turn = 0; turn < 500; turn++) await nextTurn();
    expect(connection.writableLength).toBeLessThan(2 * 1024 * KB + 64 * KB);
    client.socket.resume();
    const ids = new Set<string>();
    while (ids.size < ANSWERS) {
      const { type, id } = await client.next();
      if (type === "next") ids.add(id ?? "");
    }
    await client.close();
  });

  test("An address that reads no answers gets so many, and others once they left.", async () => {
    // More than the system buffers for a connection.
    const query = `{ text(characters: ${12 * KB * KB}) }`;
    const stalled = await start(16 * KB * KB);
    const { hostname, port } = new URL(stalled.url);
    const body = JSON.stringify({ query });
    const head =
      `POST /graphql HTTP/1.1\r\nHost: ${hostname}\r\nContent-Type: ` +
      `application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
    const connections = Array.from({ length: 6 }, () => connect(Number(port), hostname).pause());
    for (const connection of connections) connection.write(head + body);
    await until("one to be refused", async () =>
      (await stalled.metrics.render()).text.includes('outcome="refused"'),
    );
    const { status, headers, body: refused } = await stalled.post({ query });
    expect([status, refused.data]).toEqual([429, null]);
    expect(refused.errors?.[0]?.extensions).toMatchObject({
      code: "RATE_LIMITED",
      bucket: "unread",
    });
    expect(headers.get("retry-after")).toBe("1");
    expect((await stalled.post({ query: "{ hello }" })).status).toBe(200);
    for (const connection of connections) connection.destroy();
    await until("the next to be sent", async () => (await stalled.post({ query })).status === 200);
  });
});

describe("answers whose clients have left", () => {
  const BYTES = 60 * KB;
  const LEAVERS = 6;
  const body = JSON.stringify({
    query: `{ slow a: text(characters: ${BYTES}) b: text(characters: ${BYTES / 2}) }`,
  });
  const request =
    "POST /graphql HTTP/1.1\r\nHost: souk\r\nContent-Type: application/json\r\nContent-Length: " +
    `${body.length}\r\n\r\n${body}`;

  test.each([
    { how: "each on a connection of its own", connections: LEAVERS, each: 1 },
    { how: "one after another on one connection", connections: 1, each: LEAVERS },
  ])(
    "No answer counts as unread whose client left before it was ready ($how).",
    async ({ connections, each }) => {
      const left = await startServer({ ANSWER_MAX_BYTES: String(ANSWER_BYTES) });
      onTestFinished(() => left.close());
      const { hostname, port } = new URL(left.url);
      const answered = async () =>
        Number(
          /_count\{operation="anonymous".*\} (\d+)/.exec((await left.metrics.render()).text)?.[1] ??
            0,
        );
      const clients = Array.from({ length: connections }, () => connect(Number(port), hostname));
      const isAsked = vi.fn();
      left.server.app.server.on("request", isAsked);
      for (const client of clients) client.write(request.repeat(each));
      await until("all requests to be read", () => isAsked.mock.calls.length === LEAVERS);
      await left.slowAsked;
      for (const client of clients) client.destroy();
      const open = () =>
        new Promise<number>((resolve) =>
          left.server.app.server.getConnections((_error, count) => resolve(count)),
        );
      await until("all connections to close", async () => (await open()) === 0);
      left.release();
      await until("all operations to end", async () => (await answered()) === LEAVERS);
      const { status } = await left.post({
        query: `{ a: text(characters: ${BYTES}) b: text(characters: ${BYTES / 2}) }`,
      });
      expect(status).toBe(200);
    },
  );

  test("Answers that one connection has not taken count no longer once it closes.", async () => {
    const left = await startServer({ ANSWER_MAX_BYTES: String(16 * KB * KB) });
    onTestFinished(() => left.close());
    const { hostname, port } = new URL(left.url);
    const large = { query: `{ text(characters: ${12 * KB * KB}) }` };
    const text = JSON.stringify(large);
    const head =
      "POST /graphql HTTP/1.1\r\nHost: souk\r\nContent-Type: " +
      `application/json\r\nContent-Length: ${text.length}\r\n\r\n`;
    const refused = async () =>
      Number(
        /_count\{.*outcome="refused"\} (\d+)/.exec((await left.metrics.render()).text)?.[1] ?? 0,
      );
    for (let time = 0; time < 2; time++) {
      const before = await refused();
      const client = connect(Number(port), hostname).pause();
      client.write((head + text).repeat(LEAVERS));
      await until("one to be refused", async () => (await refused()) > before);
      client.destroy();
      await until("the next to be sent", async () => (await left.post(large)).status === 200);
    }
  });
});

describe("many answers at once", () => {
  test("Answers that are far too large are never serialised, and the server goes on.", async () => {
    const large = {
      query: `{ ${times(14, (at) => `a${at}: text(characters: ${20 * KB * KB})`)} }`,
    };
    const serialised = vi.spyOn(JSON, "stringify");
    onTestFinished(() => serialised.mockRestore());
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, at) => TRANSPORTS[at % 2 ? "POST" : "WebSocket"](large)),
    );
    expect(answers.map((text) => verdictOf(JSON.parse(text) as Answer))).toEqual(
      answers.map(() => "PAYLOAD_TOO_LARGE"),
    );
    const characters = serialised.mock.results.reduce(
      (sum, { value }) => sum + String(value).length,
      0,
    );
    expect(characters).toBeLessThan(answers.length * REFUSAL_BYTES);
    expect(verdictOf(JSON.parse(await TRANSPORTS.POST({ query: "{ hello }" })) as Answer)).toBe(
      "ok",
    );
  });
});

describe("the price of an answer that is not sent", () => {
  test.each(["POST", "WebSocket"] as const)(
    "All that was held is kept over %s.",
    async (transport) => {
      const settled: { readonly cost: number; readonly actual: number }[] = [];
      const limits: Limits = {
        check: () => {},
        owe: () => {},
        recentlyRejected: () => false,
        takeCredit: () => null,
        charge: async (_payer, charge) => ({
          charge,
          buckets: [],
          settle: (actual) => void settled.push({ cost: charge.cost, actual }),
        }),
      };
      const paying = await startServer({ ANSWER_MAX_BYTES: String(ANSWER_BYTES) }, { limits });
      onTestFinished(() => paying.close());
      const query = `{ products(first: 100) { id } text(characters: ${ANSWER_BYTES}) }`;
      if (transport === "POST") await paying.post({ query });
      else await ask(await connectSocket(paying.live), { query });
      const [{ cost, actual }] = settled.filter((each) => each.cost > 50) as [
        (typeof settled)[number],
      ];
      expect(actual).toBe(cost);
    },
  );
});

describe("labels of metrics", () => {
  const answered = {
    kind: "query",
    transport: "http",
    outcome: "answered",
    durationMs: 1,
  } as const;
  const labelsOf = async (metrics: Metrics) =>
    new Set(
      [
        ...(await metrics.render()).text.matchAll(
          /souk_operation_seconds_count\{operation="([^"]*)"/g,
        ),
      ].map(([, name]) => name),
    );
  let metrics: Metrics;
  beforeEach(() => {
    metrics = createMetrics();
  });
  afterEach(() => metrics.close());

  test("A name of the manifest has its label after any number of invented ones.", async () => {
    metrics.keepOperations(["Shop"]);
    for (let at = 0; at < 5_000; at++) metrics.operation({ ...answered, name: `Invented${at}` });
    metrics.operation({ ...answered, name: "Shop" });
    const labels = await labelsOf(metrics);
    expect(labels).toContain("Shop");
    expect(labels.size).toBeLessThanOrEqual(102);
  });

  test("A name that is used takes the place of an invented one, and keeps it.", async () => {
    for (let at = 0; at < 5_000; at++) metrics.operation({ ...answered, name: `Invented${at}` });
    for (let at = 0; at < 50; at++) metrics.operation({ ...answered, name: "Shop" });
    expect(await labelsOf(metrics)).toContain("Shop");
    for (let at = 0; at < 5_000; at++) metrics.operation({ ...answered, name: `More${at}` });
    const labels = await labelsOf(metrics);
    expect(labels).toContain("Shop");
    expect(labels.size).toBeLessThanOrEqual(102);
  });

  test("A name that is only refused gets no label.", async () => {
    for (let at = 0; at < 200; at++)
      metrics.operation({ ...answered, outcome: "refused", name: `Invented${at}` });
    expect([...(await labelsOf(metrics))]).toEqual(["other"]);
  });
});
