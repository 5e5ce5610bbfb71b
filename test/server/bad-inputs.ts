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

export const BAD_OPERATIONS: readonly BadOperation[] = [
  { name: "an empty query", payload: { query: "" }, verdict: "BAD_USER_INPUT" },
  { name: "a syntax error", payload: { query: "{ hello " }, verdict: "GRAPHQL_PARSE_FAILED" },
  {
    name: "no GraphQL at all",
    payload: { query: "select * from products" },
    verdict: "GRAPHQL_PARSE_FAILED",
  },
  {
    name: "an unknown field",
    payload: { query: "{ nope }" },
    verdict: "GRAPHQL_VALIDATION_FAILED",
  },
  {
    name: "an unknown argument",
    payload: { query: "{ hello(nope: 1) }" },
    verdict: "GRAPHQL_VALIDATION_FAILED",
  },
  {
    name: "a leaf with a selection",
    payload: { query: "{ hello { x } }" },
    verdict: "GRAPHQL_VALIDATION_FAILED",
  },
  {
    name: "an object without one",
    payload: { query: "{ category }" },
    verdict: "GRAPHQL_VALIDATION_FAILED",
  },
  {
    name: "an unknown operation name",
    payload: { query: "query A { hello }", operationName: "B" },
    verdict: "BAD_USER_INPUT",
  },
  {
    name: "two operations and no name",
    payload: { query: "query A { hello } query B { hello }" },
    verdict: "BAD_USER_INPUT",
  },
  {
    name: "two operations of one name",
    payload: { query: "query A { hello } query A { hello }", operationName: "A" },
    verdict: "GRAPHQL_VALIDATION_FAILED",
  },
  {
    name: "only a fragment",
    payload: { query: "fragment F on Query { hello }" },
    verdict: "GRAPHQL_VALIDATION_FAILED",
  },
  {
    name: "a type definition",
    payload: { query: "type A { b: Int }" },
    verdict: "GRAPHQL_VALIDATION_FAILED",
  },
  {
    name: "eleven levels",
    payload: { query: nested(10, "parent {", "id") },
    verdict: "GRAPHQL_VALIDATION_FAILED",
  },
  {
    name: "eleven levels hidden in fragments",
    payload: {
      query:
        "{ category { ...A } } fragment A on Category { parent { parent { parent { parent { " +
        "...B } } } } } fragment B on Category { parent { parent { parent { parent { parent { " +
        "id } } } } } }",
    },
    verdict: "GRAPHQL_VALIDATION_FAILED",
  },
  { name: "ten levels", payload: { query: nested(8, "parent {", "id") }, verdict: "ok" },
  {
    name: "sixteen aliases",
    payload: { query: `{ ${times(16, (at) => `a${at}: hello`)} }` },
    verdict: "GRAPHQL_VALIDATION_FAILED",
  },
  {
    name: "sixteen aliases in a fragment spread twice",
    payload: {
      query:
        "{ a: category { ...F } b: category { ...F } } fragment F on Category { " +
        `${times(8, (at) => `x${at}: id`)} }`,
    },
    verdict: "GRAPHQL_VALIDATION_FAILED",
  },
  {
    name: "fifteen aliases",
    payload: { query: `{ ${times(15, (at) => `a${at}: hello`)} }` },
    verdict: "ok",
  },
  {
    name: "twenty-one root fields",
    payload: { query: `{ ${times(21, () => "hello")} }` },
    verdict: "GRAPHQL_VALIDATION_FAILED",
  },
  {
    name: "twenty-one root fields by fragments",
    payload: { query: `{ ...F ...F ...F } fragment F on Query { ${times(7, () => "hello")} }` },
    verdict: "GRAPHQL_VALIDATION_FAILED",
  },
  {
    name: "twenty root fields",
    payload: { query: `{ ${times(20, () => "hello")} }` },
    verdict: "ok",
  },
  {
    name: "twenty-one directives",
    payload: {
      query: `{ ${times(7, () => "hello @skip(if: false) @include(if: true) @skip(if: false)")} }`,
    },
    verdict: "GRAPHQL_VALIDATION_FAILED",
  },
  {
    name: "an unknown directive",
    payload: { query: "{ hello @nope }" },
    verdict: "GRAPHQL_VALIDATION_FAILED",
  },
  {
    name: "more than a thousand tokens",
    payload: { query: `{ ${times(1_000, () => "hello")} }` },
    verdict: "GRAPHQL_PARSE_FAILED",
  },
  {
    name: "a huge number of braces",
    payload: { query: "{".repeat(20_000) },
    verdict: "GRAPHQL_PARSE_FAILED",
  },
  {
    name: "a fragment cycle",
    payload: { query: "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }" },
    verdict: "GRAPHQL_VALIDATION_FAILED",
  },
  {
    name: "a fragment of itself, many times",
    payload: { query: `{ ...A } fragment A on Query { hello ${times(200, () => "...A")} }` },
    verdict: "GRAPHQL_VALIDATION_FAILED",
  },
  {
    name: "a bomb of nested fragments",
    payload: { query: bomb(30) },
    verdict: "GRAPHQL_VALIDATION_FAILED",
  },
  {
    name: "a bomb of flat fragments",
    payload: { query: wideBomb(60) },
    verdict: "GRAPHQL_VALIDATION_FAILED",
  },
  {
    name: "a chain of ninety fragments",
    payload: {
      query:
        `{ ...F0 } ${times(90, (at) => `fragment F${at} on Query { ...F${at + 1} }`)} fragment ` +
        "F90 on Query { hello }",
    },
    verdict: "ok",
  },
  {
    name: "conflicting fields",
    payload: { query: '{ hello hello(name: "x") }' },
    verdict: "GRAPHQL_VALIDATION_FAILED",
  },
  {
    name: "introspection that amplifies itself",
    payload: {
      query:
        "{ __schema { types { fields { type { fields { type { fields { type { fields { name } " +
        "} } } } } } } } }",
    },
    verdict: "GRAPHQL_VALIDATION_FAILED",
  },
  {
    name: "a variable of the wrong type",
    payload: { query: "query($n: String) { hello(name: $n) }", variables: { n: {} } },
    verdict: "BAD_USER_INPUT",
  },
  {
    name: "a missing variable",
    payload: { query: "query($id: ID!) { product(id: $id) { id } }" },
    verdict: "BAD_USER_INPUT",
  },
  {
    name: "an unknown input field",
    payload: { query: "query($f: Filter) { search(filter: $f) }", variables: { f: { nope: 1 } } },
    verdict: "BAD_USER_INPUT",
  },
  {
    name: "a number beyond 32 bits",
    payload: { query: "query($n: Int!) { page(first: $n) }", variables: { n: 2 ** 40 } },
    verdict: "BAD_USER_INPUT",
  },
  {
    name: "an unknown enum value",
    payload: { query: "query($c: Color) { search(color: $c) }", variables: { c: "BLUE" } },
    verdict: "BAD_USER_INPUT",
  },
  {
    name: "NUL in a variable",
    payload: { query: "query($t: String) { echo(text: $t) }", variables: { t: "a\0b" } },
    verdict: "BAD_USER_INPUT",
  },
  {
    name: "NUL in a key",
    payload: { query: "{ hello }", variables: { "a\0b": 1 } },
    verdict: "BAD_USER_INPUT",
  },
  {
    name: "NUL in the query",
    payload: { query: '{ echo(text: "a\0b") }' },
    verdict: "BAD_USER_INPUT",
  },
  {
    name: "NUL spelled by an escape of GraphQL",
    payload: { query: '{ echo(text: "a\\u0000b") }' },
    verdict: "BAD_USER_INPUT",
  },
  {
    name: "NUL in a default value",
    payload: { query: 'query($t: String = "\\u{0}") { echo(text: $t) }' },
    verdict: "BAD_USER_INPUT",
  },
  {
    name: "a lone surrogate in a variable",
    payload: { query: "query($t: String) { echo(text: $t) }", variables: { t: "\ud800" } },
    verdict: "BAD_USER_INPUT",
  },
  {
    name: "a lone surrogate in the query",
    payload: { query: '{ echo(text: "\udc00") }' },
    verdict: "BAD_USER_INPUT",
  },
  {
    name: "a lone surrogate by an escape of GraphQL",
    payload: { query: '{ echo(text: "\\ud800") }' },
    verdict: "GRAPHQL_PARSE_FAILED",
  },
  {
    name: "a whole surrogate pair",
    payload: { query: "query($t: String) { echo(text: $t) }", variables: { t: "😀" } },
    verdict: "ok",
  },
  {
    name: "__proto__ among the variables",
    payload: {
      query: "{ hello }",
      variables: JSON.parse('{"__proto__":{"polluted":true},"constructor":{"prototype":1}}'),
    },
    verdict: "ok",
  },
  {
    name: "__proto__ in an input object",
    payload: {
      query: "query($f: Filter) { search(filter: $f) }",
      variables: { f: JSON.parse('{"__proto__":{"text":"x"}}') },
    },
    verdict: "BAD_USER_INPUT",
  },
  {
    name: "__proto__ as an alias",
    payload: { query: "{ __proto__: hello constructor: hello }" },
    verdict: "ok",
  },
  {
    name: "code for a compiler that pastes literals",
    payload: {
      query:
        '{ echo(text: "__MAGIC_DATE__33a9e76d_02e0_4128_8e92_3530ad3da74dglobalThis.pwned=1") }',
    },
    verdict: "ok",
  },
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

export const BAD_REQUESTS: readonly BadRequest[] = [
  { name: "an empty body", headers: json, body: "", status: 400, code: "BAD_USER_INPUT" },
  { name: "invalid JSON", headers: json, body: "{", status: 400, code: "BAD_USER_INPUT" },
  { name: "JSON that is no object", headers: json, body: "7", status: 400, code: "BAD_USER_INPUT" },
  { name: "null", headers: json, body: "null", status: 400, code: "BAD_USER_INPUT" },
  {
    name: "a body without a query",
    headers: json,
    body: "{}",
    status: 400,
    code: "BAD_USER_INPUT",
  },
  {
    name: "a query that is a number",
    headers: json,
    body: '{"query":7}',
    status: 400,
    code: "BAD_USER_INPUT",
  },
  {
    name: "variables that are a list",
    headers: json,
    body: '{"query":"{ hello }","variables":[]}',
    status: 400,
    code: "BAD_USER_INPUT",
  },
  {
    name: "variables that are a string",
    headers: json,
    body: '{"query":"{ hello }","variables":"{}"}',
    status: 400,
    code: "BAD_USER_INPUT",
  },
  {
    name: "an operation name that is a list",
    headers: json,
    body: '{"query":"{ hello }","operationName":[]}',
    status: 400,
    code: "BAD_USER_INPUT",
  },
  {
    name: "an unknown version of persisted queries",
    headers: json,
    body: '{"extensions":{"persistedQuery":{"version":9,"sha256Hash":"x"}}}',
    status: 400,
    code: "BAD_USER_INPUT",
  },
  {
    name: "a batch",
    headers: json,
    body: `[${hello},${hello}]`,
    status: 400,
    code: "BAD_USER_INPUT",
  },
  { name: "an empty batch", headers: json, body: "[]", status: 400, code: "BAD_USER_INPUT" },
  {
    name: "a body of 2 MB",
    headers: json,
    body: `{"query":"{ hello }","variables":{"x":"${"x".repeat(2_000_000)}"}}`,
    status: 413,
    code: "PAYLOAD_TOO_LARGE",
  },
  {
    name: "JSON 100,000 deep",
    headers: json,
    body: `{"query":"{ hello }","variables":${"[".repeat(100_000)}${"]".repeat(100_000)}}`,
    status: 400,
    code: "BAD_USER_INPUT",
  },
  {
    name: "JSON 101 deep",
    headers: json,
    body: `{"query":"{ hello }","variables":{"x":${"[".repeat(99)}${"]".repeat(99)}}}`,
    status: 400,
    code: "BAD_USER_INPUT",
  },
  {
    name: "bytes that are no UTF-8",
    headers: json,
    body: Buffer.from([...Buffer.from('{"query":"'), 0xff, 0xfe, ...Buffer.from('"}')]),
    status: 400,
    code: "BAD_USER_INPUT",
  },
  {
    name: "UTF-16",
    headers: { "content-type": "application/json; charset=utf-16" },
    body: Buffer.from(hello, "utf16le"),
    status: 415,
    code: "UNSUPPORTED_MEDIA_TYPE",
  },
  {
    name: "a compressed body",
    headers: { ...json, "content-encoding": "gzip" },
    body: "x",
    status: 415,
    code: "UNSUPPORTED_MEDIA_TYPE",
  },
  {
    name: "a form (CSRF)",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: "query={hello}",
    status: 415,
    code: "UNSUPPORTED_MEDIA_TYPE",
  },
  {
    name: "text/plain (CSRF)",
    headers: { "content-type": "text/plain" },
    body: hello,
    status: 415,
    code: "UNSUPPORTED_MEDIA_TYPE",
  },
  {
    name: "a multipart upload (CSRF)",
    headers: { "content-type": "multipart/form-data; boundary=x" },
    body: "--x--",
    status: 415,
    code: "UNSUPPORTED_MEDIA_TYPE",
  },
  {
    name: "application/graphql",
    headers: { "content-type": "application/graphql" },
    body: "{ hello }",
    status: 415,
    code: "UNSUPPORTED_MEDIA_TYPE",
  },
  {
    name: "no content type",
    headers: { "content-type": "" },
    body: hello,
    status: 415,
    code: "UNSUPPORTED_MEDIA_TYPE",
  },
  {
    name: "a content type that is none",
    headers: { "content-type": "json" },
    body: hello,
    status: 415,
    code: "UNSUPPORTED_MEDIA_TYPE",
  },
  {
    name: "a simple GET (CSRF)",
    method: "GET",
    path: encoded("{ hello }"),
    status: 400,
    code: "BAD_USER_INPUT",
  },
  {
    name: "a mutation by GET",
    method: "GET",
    path: encoded("mutation { write }"),
    headers: preflighted,
    status: 405,
    code: "METHOD_NOT_ALLOWED",
  },
  {
    name: "a subscription by GET",
    method: "GET",
    path: encoded("subscription { endless }"),
    headers: preflighted,
    status: 405,
    code: "METHOD_NOT_ALLOWED",
  },
  {
    name: "a query parameter twice",
    method: "GET",
    path: `${encoded("{ hello }")}&query=x`,
    headers: preflighted,
    status: 400,
    code: "BAD_USER_INPUT",
  },
  {
    name: "variables by GET that are no JSON",
    method: "GET",
    path: `${encoded("{ hello }")}&variables=x`,
    headers: preflighted,
    status: 400,
    code: "BAD_USER_INPUT",
  },
  {
    name: "NUL in a query by GET",
    method: "GET",
    path: encoded('{ echo(text: "\0") }'),
    headers: preflighted,
    status: 400,
    code: "BAD_USER_INPUT",
  },
  {
    name: "NUL in variables by GET",
    method: "GET",
    path:
      `${encoded("query($t: String) { echo(text: $t) }")}&variables=` +
      encodeURIComponent('{"t":"\\u0000"}'),
    headers: preflighted,
    status: 400,
    code: "BAD_USER_INPUT",
  },
  {
    name: "PUT",
    method: "PUT",
    headers: json,
    body: hello,
    status: 405,
    code: "METHOD_NOT_ALLOWED",
  },
  { name: "DELETE", method: "DELETE", status: 405, code: "METHOD_NOT_ALLOWED" },
  { name: "an unknown path", method: "GET", path: "/nowhere", status: 404, code: "BAD_USER_INPUT" },
  {
    name: "an unknown path by POST",
    path: "/../etc/passwd",
    headers: json,
    body: hello,
    status: 404,
    code: "BAD_USER_INPUT",
  },
  {
    name: "a path that cannot be decoded",
    method: "GET",
    path: "/%c0%ae",
    status: 400,
    code: "BAD_USER_INPUT",
  },
  {
    name: "an answer in XML",
    headers: { ...json, accept: "application/xml" },
    body: hello,
    status: 406,
    code: "BAD_USER_INPUT",
  },
  {
    name: "a wrong token",
    headers: { ...json, authorization: "Bearer wrong" },
    body: hello,
    status: 401,
    code: "UNAUTHENTICATED",
  },
  {
    name: "basic authentication",
    headers: { ...json, authorization: "Basic eDp5" },
    body: hello,
    status: 401,
    code: "UNAUTHENTICATED",
  },
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
