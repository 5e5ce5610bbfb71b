/**
 * The table of bad inputs: what clients send by mistake or on purpose, with the one verdict it
 * gets.
 */
import type { ErrorCode } from "../../src/domain/errors.js";

/**
 * An operation that is refused with the same code over HTTP and WebSocket. `ok` rows are odd but
 * must be answered normally.
 */
export interface BadOperation {
  readonly name: string;
  readonly payload: Readonly<Record<string, unknown>>;
  readonly verdict: ErrorCode | "ok";
}

const nested = (depth: number, open: string, inner: string) =>
  `{ category { ${open.repeat(depth)} ${inner} ${"}".repeat(depth)} } }`;
const times = (count: number, make: (index: number) => string) =>
  Array.from({ length: count }, (_item, index) => make(index)).join(" ");

/** A bomb: each fragment spreads the next one twice, 2^n fields in a few hundred tokens. */
const bomb = (size: number) => {
  const link = (at: number) =>
    `fragment F${at} on Category { parent { ...F${at + 1} } children { ...F${at + 1} } }`;
  return `{ category { ...F0 } } ${times(size, link)} fragment F${size} on Category { id }`;
};
const wideBomb = (size: number) =>
  "{ ...F0 } " +
  `${times(size, (at) => `fragment F${at} on Query { ...F${at + 1} ...F${at + 1} }`)} ` +
  `fragment F${size} on Query { hello }`;

/** Makes rows of one verdict. */
const withVerdict =
  (verdict: BadOperation["verdict"]) =>
  (name: string, query: string, more: Readonly<Record<string, unknown>> = {}): BadOperation => ({
    name,
    payload: { query, ...more },
    verdict,
  });
const unparsable = withVerdict("GRAPHQL_PARSE_FAILED");
const invalid = withVerdict("GRAPHQL_VALIDATION_FAILED");
const badInput = withVerdict("BAD_USER_INPUT");
const answered = withVerdict("ok");

export const BAD_OPERATIONS: readonly BadOperation[] = [
  badInput("an empty query", ""),
  unparsable("a syntax error", "{ hello "),
  unparsable("no GraphQL at all", "select * from products"),
  invalid("an unknown field", "{ nope }"),
  invalid("an unknown argument", "{ hello(nope: 1) }"),
  invalid("a leaf with a selection", "{ hello { x } }"),
  invalid("an object without a selection", "{ category }"),
  badInput("an unknown operation name", "query A { hello }", { operationName: "B" }),
  badInput("two operations and no name", "query A { hello } query B { hello }"),
  invalid("two operations of one name", "query A { hello } query A { hello }", {
    operationName: "A",
  }),
  invalid("only a fragment", "fragment F on Query { hello }"),
  invalid("a type definition", "type A { b: Int }"),
  invalid("eleven levels", nested(10, "parent {", "id")),
  invalid(
    "eleven levels hidden in fragments",
    "{ category { ...A } } fragment A on Category { parent { parent { parent { parent { " +
      "...B } } } } } fragment B on Category { parent { parent { parent { parent { parent { " +
      "id } } } } } }",
  ),
  answered("ten levels", nested(8, "parent {", "id")),
  invalid("sixteen aliases", `{ ${times(16, (at) => `a${at}: hello`)} }`),
  invalid(
    "sixteen aliases in a fragment spread twice",
    "{ a: category { ...F } b: category { ...F } } fragment F on Category { " +
      `${times(8, (at) => `x${at}: id`)} }`,
  ),
  answered("fifteen aliases", `{ ${times(15, (at) => `a${at}: hello`)} }`),
  invalid("twenty-one root fields", `{ ${times(21, () => "hello")} }`),
  invalid(
    "twenty-one root fields by fragments",
    `{ ...F ...F ...F } fragment F on Query { ${times(7, () => "hello")} }`,
  ),
  answered("twenty root fields", `{ ${times(20, () => "hello")} }`),
  invalid(
    "twenty-one directives",
    `{ ${times(7, () => "hello @skip(if: false) @include(if: true) @skip(if: false)")} }`,
  ),
  invalid("an unknown directive", "{ hello @nope }"),
  unparsable("more than a thousand tokens", `{ ${times(1_000, () => "hello")} }`),
  unparsable("a huge number of braces", "{".repeat(20_000)),
  invalid("a fragment cycle", "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }"),
  invalid(
    "a fragment of itself, many times",
    `{ ...A } fragment A on Query { hello ${times(200, () => "...A")} }`,
  ),
  invalid("a bomb of nested fragments", bomb(30)),
  invalid("a bomb of flat fragments", wideBomb(60)),
  answered(
    "a chain of ninety fragments",
    `{ ...F0 } ${times(90, (at) => `fragment F${at} on Query { ...F${at + 1} }`)} fragment ` +
      "F90 on Query { hello }",
  ),
  invalid("conflicting fields", '{ hello hello(name: "x") }'),
  invalid(
    "introspection that amplifies itself",
    "{ __schema { types { fields { type { fields { type { fields { type { fields { name } " +
      "} } } } } } } } }",
  ),
  badInput("a variable of the wrong type", "query($n: String) { hello(name: $n) }", {
    variables: { n: {} },
  }),
  badInput("a missing variable", "query($id: ID!) { product(id: $id) { id } }"),
  badInput("an unknown input field", "query($f: Filter) { search(filter: $f) }", {
    variables: { f: { nope: 1 } },
  }),
  badInput("a number beyond 32 bits", "query($n: Int!) { page(first: $n) }", {
    variables: { n: 2 ** 40 },
  }),
  badInput("an unknown enum value", "query($c: Color) { search(color: $c) }", {
    variables: { c: "BLUE" },
  }),
  badInput("NUL in a variable", "query($t: String) { echo(text: $t) }", {
    variables: { t: "a\0b" },
  }),
  badInput("NUL in a key", "{ hello }", { variables: { "a\0b": 1 } }),
  badInput("NUL in the query", '{ echo(text: "a\0b") }'),
  badInput("NUL spelled by an escape of GraphQL", '{ echo(text: "a\\u0000b") }'),
  badInput("NUL in a default value", 'query($t: String = "\\u{0}") { echo(text: $t) }'),
  badInput("a lone surrogate in a variable", "query($t: String) { echo(text: $t) }", {
    variables: { t: "\ud800" },
  }),
  badInput("a lone surrogate in the query", '{ echo(text: "\udc00") }'),
  unparsable("a lone surrogate by an escape of GraphQL", '{ echo(text: "\\ud800") }'),
  answered("a whole surrogate pair", "query($t: String) { echo(text: $t) }", {
    variables: { t: "😀" },
  }),
  answered("__proto__ among the variables", "{ hello }", {
    variables: JSON.parse('{"__proto__":{"polluted":true},"constructor":{"prototype":1}}'),
  }),
  badInput("__proto__ in an input object", "query($f: Filter) { search(filter: $f) }", {
    variables: { f: JSON.parse('{"__proto__":{"text":"x"}}') },
  }),
  answered("__proto__ as an alias", "{ __proto__: hello constructor: hello }"),
  answered(
    "code for a compiler that pastes literals",
    '{ echo(text: "__MAGIC_DATE__33a9e76d_02e0_4128_8e92_3530ad3da74dglobalThis.pwned=1") }',
  ),
];

/** A request that only HTTP can carry. */
export interface BadRequest {
  readonly name: string;
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  readonly status: number;
  readonly code: ErrorCode;
}

const json = { "content-type": "application/json" };
const hello = '{"query":"{ hello }"}';
const encoded = (query: string) => `/graphql?query=${encodeURIComponent(query)}`;
const preflighted = { "apollo-require-preflight": "1" };

/** What a row sends, beside its name and verdict. */
type Sent = Omit<BadRequest, "name" | "status" | "code">;

/** Makes rows of one verdict. */
const refusedWith =
  (status: number, code: ErrorCode) =>
  (name: string, sent: Sent): BadRequest => ({ name, ...sent, status, code });
const badRequest = refusedWith(400, "BAD_USER_INPUT");
const unauthenticated = refusedWith(401, "UNAUTHENTICATED");
const notFound = refusedWith(404, "BAD_USER_INPUT");
const wrongMethod = refusedWith(405, "METHOD_NOT_ALLOWED");
const notAcceptable = refusedWith(406, "BAD_USER_INPUT");
const tooLarge = refusedWith(413, "PAYLOAD_TOO_LARGE");
const wrongType = refusedWith(415, "UNSUPPORTED_MEDIA_TYPE");

const post = (body: string | Buffer, headers: BadRequest["headers"] = {}): Sent => ({
  headers: { ...json, ...headers },
  body,
});
const get = (path: string, headers: BadRequest["headers"] = preflighted): Sent => ({
  method: "GET",
  path,
  headers,
});

export const BAD_REQUESTS: readonly BadRequest[] = [
  badRequest("an empty body", post("")),
  badRequest("invalid JSON", post("{")),
  badRequest("JSON that is no object", post("7")),
  badRequest("a body that is null", post("null")),
  badRequest("a body without a query", post("{}")),
  badRequest("a query that is a number", post('{"query":7}')),
  badRequest("variables that are a list", post('{"query":"{ hello }","variables":[]}')),
  badRequest("variables that are a string", post('{"query":"{ hello }","variables":"{}"}')),
  badRequest("an operation name that is a list", post('{"query":"{ hello }","operationName":[]}')),
  badRequest(
    "an unknown version of persisted queries",
    post('{"extensions":{"persistedQuery":{"version":9,"sha256Hash":"x"}}}'),
  ),
  badRequest("a batch", post(`[${hello},${hello}]`)),
  badRequest("an empty batch", post("[]")),
  tooLarge(
    "a body of 2 MB",
    post(`{"query":"{ hello }","variables":{"x":"${"x".repeat(2_000_000)}"}}`),
  ),
  badRequest(
    "JSON 100,000 deep",
    post(`{"query":"{ hello }","variables":${"[".repeat(100_000)}${"]".repeat(100_000)}}`),
  ),
  badRequest(
    "JSON 101 deep",
    post(`{"query":"{ hello }","variables":{"x":${"[".repeat(99)}${"]".repeat(99)}}}`),
  ),
  badRequest(
    "bytes that are no UTF-8",
    post(Buffer.from([...Buffer.from('{"query":"'), 0xff, 0xfe, ...Buffer.from('"}')])),
  ),
  wrongType(
    "a body in UTF-16",
    post(Buffer.from(hello, "utf16le"), { "content-type": "application/json; charset=utf-16" }),
  ),
  wrongType("a compressed body", post("x", { "content-encoding": "gzip" })),
  wrongType(
    "a form (CSRF)",
    post("query={hello}", { "content-type": "application/x-www-form-urlencoded" }),
  ),
  wrongType("the type text/plain (CSRF)", post(hello, { "content-type": "text/plain" })),
  wrongType(
    "a multipart upload (CSRF)",
    post("--x--", { "content-type": "multipart/form-data; boundary=x" }),
  ),
  wrongType(
    "the type application/graphql",
    post("{ hello }", { "content-type": "application/graphql" }),
  ),
  wrongType("no content type", post(hello, { "content-type": "" })),
  wrongType("a content type that is none", post(hello, { "content-type": "json" })),
  badRequest("a query by GET and no preflight (CSRF)", get(encoded("{ hello }"), {})),
  wrongMethod("a mutation by GET", get(encoded("mutation { write }"))),
  wrongMethod("a subscription by GET", get(encoded("subscription { endless }"))),
  badRequest("a query parameter twice", get(`${encoded("{ hello }")}&query=x`)),
  badRequest("variables by GET that are no JSON", get(`${encoded("{ hello }")}&variables=x`)),
  badRequest("NUL in a query by GET", get(encoded('{ echo(text: "\0") }'))),
  badRequest(
    "NUL in variables by GET",
    get(
      `${encoded("query($t: String) { echo(text: $t) }")}&variables=` +
        encodeURIComponent('{"t":"\\u0000"}'),
    ),
  ),
  wrongMethod("the method PUT", { method: "PUT", ...post(hello) }),
  wrongMethod("the method DELETE", { method: "DELETE" }),
  notFound("an unknown path", get("/nowhere", {})),
  notFound("an unknown path by POST", { path: "/../etc/passwd", ...post(hello) }),
  badRequest("a path that cannot be decoded", get("/%c0%ae", {})),
  notAcceptable("a wish for XML", post(hello, { accept: "application/xml" })),
  unauthenticated("a wrong token", post(hello, { authorization: "Bearer wrong" })),
  unauthenticated("basic authentication", post(hello, { authorization: "Basic eDp5" })),
];

/**
 * Frames on a socket that break the protocol, and the code it is closed with. `raw` rows begin
 * before the init handshake.
 */
export interface BadFrames {
  readonly name: string;
  readonly raw?: true;
  readonly frames: readonly (object | string | Buffer)[];
  readonly close: number;
}

const init = { type: "connection_init" };
const subscribe = { id: "1", type: "subscribe", payload: { query: "subscription { endless }" } };

export const BAD_FRAMES: readonly BadFrames[] = [
  { name: "an operation before the ack", raw: true, frames: [subscribe], close: 4401 },
  { name: "init twice", raw: true, frames: [init, init], close: 4429 },
  { name: "no init in time", raw: true, frames: [], close: 4408 },
  {
    name: "a wrong token",
    raw: true,
    frames: [{ ...init, payload: { authorization: "Bearer wrong" } }],
    close: 4403,
  },
  {
    name: "basic authentication",
    raw: true,
    frames: [{ ...init, payload: { authorization: "Basic eDp5" } }],
    close: 4403,
  },
  { name: "an id that is in use", frames: [subscribe, subscribe], close: 4409 },
  { name: "a binary frame", frames: [Buffer.from(JSON.stringify(subscribe))], close: 4400 },
  {
    name: "a frame beyond 64 KB",
    frames: [{ ...subscribe, payload: { query: "#".repeat(70_000) } }],
    close: 1009,
  },
  { name: "text that is no JSON", frames: ["hello"], close: 4400 },
  { name: "JSON that is no message", frames: ["[]"], close: 4400 },
  { name: "an unknown type", frames: [{ type: "start", id: "1", payload: {} }], close: 4400 },
  {
    name: "a message that only servers send",
    frames: [{ type: "next", id: "1", payload: {} }],
    close: 4400,
  },
  { name: "no id", frames: [{ type: "subscribe", payload: { query: "{ hello }" } }], close: 4400 },
  {
    name: "a query that is a number",
    frames: [{ ...subscribe, payload: { query: 7 } }],
    close: 4400,
  },
  {
    name: "variables that are a string",
    frames: [{ ...subscribe, payload: { query: "{ hello }", variables: "x" } }],
    close: 4400,
  },
  { name: "a batch", frames: [[subscribe]], close: 4400 },
  {
    name: "a message nested 1,000 deep",
    frames: [
      '{"id":"1","type":"subscribe","payload":{"query":"{ hello ' +
        `}","variables":{"x":${"[".repeat(1_000)}${"]".repeat(1_000)}}}}`,
    ],
    close: 4400,
  },
];
