/**
 * No client can tell a stored answer from an executed one. Two apps over one shop, one of them
 * without a store, are asked the same: generated documents of the whole schema by five callers, and
 * requests that are wrong in the ways of HTTP.
 */
import fc from "fast-check";
import type { GraphQLSchema } from "graphql";
import { afterAll, beforeAll, expect, it } from "vitest";
import { resolverClassesOf, SUBJECTS } from "../../src/app/subjects.js";
import { encodeId } from "../../src/domain/ids.js";
import { buildSoukSchema } from "../../src/schema/build-schema.js";
import { randomSelection } from "../server/operation/random-documents.js";
import { connectSocket, type SocketClient } from "../server/websocket/socket-client.js";
import { signUp } from "../support/accounts.js";
import { type RunningApp, seededDatabase, startApp } from "../support/app.js";
import { drillSize } from "../support/drill.js";
import { metric } from "../support/graphql.js";
import type { TestDatabase } from "../support/postgres.js";
import { testRedis } from "../support/redis.js";

const DOCUMENTS = drillSize({ sample: 150, full: 5_000 });
/** As often as stores an answer, knows its request, has credit, and then answers at once. */
const TIMES = 7;
const ENV = {
  CACHE_REPORT: "request",
  LIMIT_ADDRESS_BURST: "1000000000",
  LIMIT_BLOCK_BURST: "1000000000",
  LIMIT_VIEWER_BURST: "1000000000",
};

let database: TestDatabase;
let storing: RunningApp;
let executing: RunningApp;
let schema: GraphQLSchema;
let callers: Readonly<Record<string, Record<string, string>>>;
let sockets: Record<"storing" | "executing", Record<string, SocketClient>>;
beforeAll(async () => {
  database = await seededDatabase(40);
  const keyPrefix = testRedis().prefix;
  storing = await startApp({ database, keyPrefix, env: ENV });
  executing = await startApp({
    database,
    keyPrefix,
    env: { ...ENV, STORED_ANSWERS_BYTES: "0" },
    roles: { api: true, worker: false },
  });
  schema = buildSoukSchema({
    resolvers: resolverClassesOf(SUBJECTS),
    container: { get: () => undefined },
    pubSub: { publish() {}, subscribe: () => [] as never },
  });
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
  const [one, another] = [await signUp(storing.url), await signUp(storing.url)];
  callers = {
    anonymous: {},
    "a guest": { "souk-guest": await guestToken() },
    "a customer": bearer(one.token),
    "another customer": bearer(another.token),
    "an admin": bearer(storing.adminToken),
  };
  sockets = { storing: await openSockets(storing), executing: await openSockets(executing) };
});
/** A socket of each caller. */
async function openSockets(app: RunningApp): Promise<Record<string, SocketClient>> {
  const opened = Object.entries(callers).map(async ([name, headers]) => {
    const { "souk-guest": guest, ...init } = headers;
    return [name, await connectSocket(app.wsUrl, guest ? { guest } : init)] as const;
  });
  return Object.fromEntries(await Promise.all(opened));
}

/** What a socket gets for a query, without what differs between any two. */
async function framesOf(client: SocketClient, query: string): Promise<unknown> {
  const frames = (await client.run({ query })).map(({ id: _, ...frame }) => JSON.stringify(frame));
  return frames.map(withoutMoving);
}

afterAll(async () => {
  for (const clients of Object.values(sockets))
    for (const client of Object.values(clients)) await client.close();
  await storing.close();
  await executing.close();
  await database.close();
});

async function guestToken(): Promise<string> {
  const query = `mutation { addToCart(productId: "${PRODUCT}", quantity: 1) { errors { code } } }`;
  const answer = await send(storing, { body: JSON.stringify({ query }) });
  return answer.headers.get("souk-guest") ?? "";
}

interface Sent {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  readonly search?: string;
}

const send = ({ url }: RunningApp, { method = "POST", headers, body, search = "" }: Sent) =>
  fetch(`${url}${search}`, {
    method,
    headers: { "content-type": "application/json", ...headers },
    ...(body === undefined ? {} : { body }),
  });

/** An answer without what differs between any two. */
async function seen(answer: Response) {
  const text = await answer.text();
  return {
    status: answer.status,
    type: answer.headers.get("content-type"),
    names: [...answer.headers.keys()].filter((name) => name !== "cache-status").sort(),
    cookies: answer.headers.getSetCookie(),
    buckets: answer.headers.get("ratelimit-policy"),
    text: withoutMoving(text),
  };
}

const withoutMoving = (text: string): string =>
  text
    .replace(/"remaining":[\d.]+/g, '"remaining":0')
    .replace(/"requestId":"[^"]+"/g, '"requestId":""');

const PRODUCT = encodeId("Product", 3);
const TEXTS: Readonly<Record<string, string>> = {
  "Query.product": `(id: "${PRODUCT}")`,
  "Query.category": `(id: "${encodeId("Category", 2)}")`,
  "Query.node": `(id: "${PRODUCT}")`,
  "Query.nodes": `(ids: ["${PRODUCT}", "${encodeId("Brand", 1)}"])`,
  "Query.leaderboard": '(slug: "bestsellers")',
  "Product.reviews": "(first: 2)",
  "Category.products": "(first: 2)",
  "Query.products": "(first: 3)",
  "Query.brands": "(first: 3)",
  "Query.leaderboards": "(first: 2)",
};

/** What differs from one execution to the next, or is not for all of these callers. */
const MOVING = /rateLimit|sessions|activity|lastSeenAt|expiresAt|__typename: /;

it("Five callers get from the store what execution gives them, over generated documents.", async () => {
  const query = schema.getQueryType();
  const choices = fc.array(fc.nat(9_999), { minLength: 60, maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(choices, async (numbers) => {
      const { selection, fragments } = randomSelection(schema, query!, {
        choices: numbers,
        depth: 4,
        args: (type, field) => TEXTS[`${type}.${field}`] ?? "",
      });
      const document = `query Q ${selection}\n${fragments}`;
      if (MOVING.test(document)) return;
      const body = JSON.stringify({ query: document });
      for (const [name, headers] of Object.entries(callers)) {
        const expected = await seen(await send(executing, { headers, body }));
        for (let times = 0; times < TIMES; times += 1)
          expect([name, await seen(await send(storing, { headers, body }))]).toEqual([
            name,
            expected,
          ]);
        const [shown, known] = [sockets.storing[name]!, sockets.executing[name]!];
        expect([name, await framesOf(shown, document)]).toEqual([
          name,
          await framesOf(known, document),
        ]);
      }
    }),
    { numRuns: DOCUMENTS, seed: 11 },
  );
  const hits = await metric(storing.url, "souk_stored_answers_total", 'outcome="hit"');
  expect(hits).toBeGreaterThan(DOCUMENTS / 10);
  const atOnce = await metric(storing.url, "souk_limit_requests_total", 'outcome="admitted here"');
  expect(atOnce).toBeGreaterThan(DOCUMENTS / 10);
  // A field that declares itself cached, and is not, would be counted here.
  expect(await metric(storing.url, "souk_stored_answers_total", 'outcome="uncached"')).toBe(0);
});

/** Queries of public fields and others. Some fail for some callers, in either kind of field. */
const MIXED: readonly string[] = [
  "{ viewer { user { name } } products(first: 5) { edges { node { name } } } cart { quantity } }",
  `query M { a: product(id: "${PRODUCT}") { name } __typename viewer { user { id } }
    b: product(id: "${PRODUCT}") { name reviews(first: 2) { edges { node { rating } } } } }`,
  `{ products(first: 50) { edges { node { id name description } } }
    product(id: "${PRODUCT}") { stats { views } } }`,
  `query M($no: Boolean = false) { viewer @include(if: $no) { user { name } } categories { name }
    product(id: "${PRODUCT}") { name } }`,
  `{ viewer { user { name } } product(id: "${encodeId("Product", 99_999)}") { name }
    brands(first: 2) { edges { node { name } } } }`,
  "{ activity(days: 7) { days { __typename } } categories { name } viewer { user { name } } }",
];

it.each(MIXED)("A query in parts is answered as without a store: %s", async (query) => {
  const hits = () => metric(storing.url, "souk_stored_answers_total", 'outcome="hit"');
  const before = await hits();
  const body = JSON.stringify({ query });
  for (const [name, headers] of Object.entries(callers)) {
    const expected = await seen(await send(executing, { headers, body }));
    for (let times = 0; times < TIMES; times += 1)
      expect([name, await seen(await send(storing, { headers, body }))]).toEqual([name, expected]);
  }
  expect(await hits()).toBeGreaterThan(before);
});

const PAGE = "query Page($first: Int) { products(first: $first) { edges { node { id name } } } }";
const json = (more: object) => JSON.stringify({ query: PAGE, variables: { first: 4 }, ...more });
const search = (more: Record<string, string> = {}) =>
  `?${new URLSearchParams({ query: PAGE, variables: '{"first":4}', ...more })}`;
const PREFLIGHT = { "apollo-require-preflight": "1" };
const get = (sent: Sent): Sent => ({ method: "GET", search: search(), ...sent });

const REQUESTS: Readonly<Record<string, Sent>> = {
  "as it should be": { body: json({}) },
  "with other names beside it": { body: json({ more: 1 }) },
  "with an unused variable": { body: json({ variables: { first: 4, other: 1 } }) },
  "with variables as text": { body: json({ variables: '{"first":4}' }) },
  "with variables as a list": { body: json({ variables: [4] }) },
  "with extensions as text": { body: json({ extensions: "{}" }) },
  "with empty extensions": { body: json({ extensions: {} }) },
  "with a number as its name": { body: json({ operationName: 7 }) },
  "with a name that is not there": { body: json({ operationName: "Other" }) },
  "with its name": { body: json({ operationName: "Page" }) },
  "with a null name": { body: json({ operationName: null }) },
  "with a variable of a wrong type": { body: json({ variables: { first: "4" } }) },
  "with a number beyond the range of a double": {
    body: `{"query":${JSON.stringify(PAGE)},"variables":{"first":1e400}}`,
  },
  "with null as a number": { body: json({ variables: { first: null } }) },
  "with a page that is too long": { body: json({ variables: { first: 101 } }) },
  "that accepts text alone": { headers: { accept: "text/plain" }, body: json({}) },
  "that accepts its own media type": {
    headers: { accept: "application/graphql-response+json" },
    body: json({}),
  },
  "that prefers one": {
    headers: { accept: "application/json;q=0.1, application/graphql-response+json" },
    body: json({}),
  },
  "that accepts pages": { headers: { accept: "text/html" }, body: json({}) },
  "as plain text": { headers: { "content-type": "text/plain" }, body: json({}) },
  "by GET": get({ headers: { ...PREFLIGHT } }),
  "by GET without a preflight header": get({}),
  "by GET with a form's type": get({
    headers: { "content-type": "application/x-www-form-urlencoded", ...PREFLIGHT },
  }),
  "by GET with an operation's name as header": get({
    headers: { "x-apollo-operation-name": "Page" },
  }),
  "by GET with two documents": get({ headers: PREFLIGHT, search: `${search()}&query={a}` }),
  "by GET with broken variables": get({
    headers: PREFLIGHT,
    search: search({ variables: "{" }),
  }),
  "by PUT": { method: "PUT", body: json({}) },
  "of an unknown origin": { headers: { origin: "https://evil.example" }, body: json({}) },
  "with an invalid token": { headers: { authorization: "Bearer x" }, body: json({}) },
  "with a broken authorization": { headers: { authorization: "Basic x" }, body: json({}) },
  "with an expired cookie": { headers: { cookie: "souk_session=x" }, body: json({}) },
};

it.each(Object.entries(REQUESTS))(
  "A request %s is answered as without a store.",
  async (_, sent) => {
    for (let times = 0; times < TIMES; times += 1) {
      await send(storing, { body: json({}) });
      await send(storing, { body: json({ variables: { first: null } }) });
    }
    const [expected, shown] = [
      await seen(await ask(executing, sent)),
      await seen(await ask(storing, sent)),
    ];
    expect(shown).toEqual(expected);
  },
);

it("Sockets get stored answers with the bytes of executed ones, from both transports.", async () => {
  const payload = { query: PAGE, variables: { first: 9 } };
  const texts = async (app: RunningApp): Promise<string[]> => {
    const client = await connectSocket(app.wsUrl);
    const frames: string[] = [];
    client.socket.on("message", (data) => frames.push(String(data)));
    for (let times = 0; times < TIMES; times += 1) await client.run(payload);
    await client.close();
    return frames.map((text) => text.replace(/"remaining":[\d.]+/g, '"remaining":0'));
  };
  const hits = () => metric(storing.url, "souk_stored_answers_total", 'outcome="hit"');
  const before = await hits();
  expect(await texts(storing)).toEqual(await texts(executing));
  expect(await hits()).toBeGreaterThan(before);
  // What a socket stored is given over HTTP.
  expect((await send(storing, { body: JSON.stringify(payload) })).headers.get("cache-status")).toBe(
    "souk; hit",
  );
});

it("A stored answer to an operation that was completed before is not sent.", async () => {
  const payload = { query: PAGE, variables: { first: 8 } };
  const client = await connectSocket(storing.wsUrl);
  for (let times = 0; times < TIMES; times += 1) await client.run(payload);
  client.send({ id: "gone", type: "subscribe", payload });
  client.send({ id: "gone", type: "complete" });
  const [next] = await client.run(payload);
  expect(next).toMatchObject({ type: "next", id: `run-${TIMES + 1}` });
  await client.close();
});

/** A GET has no content type of its own. */
function ask(app: RunningApp, sent: Sent): Promise<Response> {
  if (sent.method !== "GET") return send(app, sent);
  return fetch(`${app.url}${sent.search}`, { headers: sent.headers ?? {} });
}
