/** Queries are executed here or by Apollo, and no client can tell which. */
import { ApolloServer } from "@apollo/server";
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import type { Charge, Payer } from "../../../src/services/rate-limit/charge.js";
import { type Generated, generate } from "../operation/generated.js";
import { startServer, type TestServer, TOKEN } from "../test-server.js";

const DOCUMENTS = 400;
const SEED = 20_261_130;

let souk: TestServer;
beforeAll(async () => {
  souk = await startServer();
});
const spyOnApollo = () => vi.spyOn(ApolloServer.prototype, "executeHTTPGraphQLRequest");
let byApollo: ReturnType<typeof spyOnApollo>;
beforeEach(() => {
  byApollo = spyOnApollo();
});
afterAll(() => souk.close());

/** A GET with this type goes to Apollo, which alone accepts it. */
async function get({ query, variables, operationName }: Generated, headers = {}) {
  const parameters = new URLSearchParams({
    query,
    ...(variables && { variables: JSON.stringify(variables) }),
    ...(operationName && { operationName }),
  });
  const response = await fetch(`${souk.graphql}?${parameters}`, {
    headers: { "content-type": "application/json", ...headers },
  });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

/** A URL holds no lone surrogates, and an empty query is refused in other words. */
const fitsUrl = (payload: Generated): boolean =>
  payload.query.trim() !== "" && !/\\ud[89a-f]/i.test(JSON.stringify(payload));

const withoutId = (text: string): string => text.replaceAll(/"requestId":"[^"]*"/g, '"requestId"');

/** Headers that do not differ between any two answers, or between GET and POST. */
function lasting(headers: Headers): Record<string, string> {
  const moving = new Set(["date", "x-request-id", "cache-control", "content-length"]);
  return Object.fromEntries([...headers].filter(([name]) => !moving.has(name)));
}

test("An answer has the bytes and headers that Apollo gives it, and its report on the cache.", async () => {
  const reporting = { authorization: `Bearer ${TOKEN}`, "souk-cache-report": "1" };
  let direct = 0;
  const requests = [
    { query: '{ echo(text: "\\u2028 ü") seen }' },
    { query: "{ hello forbidden }" },
    ...generate(DOCUMENTS, SEED).filter(fitsUrl),
  ];
  for (const payload of requests) {
    byApollo.mockClear();
    const here = await souk.post(payload, reporting);
    if (byApollo.mock.calls.length === 0) direct += 1;
    byApollo.mockClear();
    const apollo = await get(payload, reporting);
    const told = JSON.stringify(payload);
    expect(withoutId(here.text), told).toBe(withoutId(apollo.text));
    expect(here.status, told).toBe(apollo.status);
    expect(lasting(here.headers), told).toEqual(lasting(apollo.headers));
    if (here.status === 200) expect(byApollo, told).toHaveBeenCalledTimes(1);
  }
  expect(direct).toBeGreaterThan(DOCUMENTS / 10);
});

test("Apollo is not entered for an answer without errors.", async () => {
  await souk.post({ query: "{ hello }" });
  await souk.post({ query: "mutation { own }" });
  await fetch(`${souk.graphql}?query={hello}`, { headers: { "apollo-require-preflight": "1" } });
  expect(byApollo).not.toHaveBeenCalled();
});

test("Apollo answers a mutation with errors, which runs once.", async () => {
  const before = souk.writes.count;
  const { body } = await souk.post({ query: 'mutation { write(text: "a") fails }' });
  expect(body.errors).toHaveLength(1);
  expect(byApollo).toHaveBeenCalledTimes(1);
  expect(souk.writes.count).toBe(before + 1);
});

test("Apollo refuses a mutation by GET, which does not run.", async () => {
  const before = souk.writes.count;
  const response = await fetch(`${souk.graphql}?query=mutation{write}`, {
    headers: { "apollo-require-preflight": "1" },
  });
  expect(response.status).toBe(405);
  expect(souk.writes.count).toBe(before);
});

test("Apollo refuses a GET that a page of another site can send.", async () => {
  const response = await fetch(`${souk.graphql}?query={hello}`);
  expect(response.status).toBe(400);
  expect(byApollo).toHaveBeenCalledTimes(1);
});

test("An operation that fails outside its execution is settled, observed and answered.", async () => {
  let settled = 0;
  const limits = {
    check() {},
    recentlyRejected: () => false,
    takeCredit: () => null,
    charge: async (_payer: Payer, charge: Charge) => ({
      charge,
      buckets: [],
      settle() {
        settled += 1;
        return undefined;
      },
    }),
    owe() {},
  };
  const createOperation = () => {
    throw new Error("no context");
  };
  const broken = await startServer({}, { limits, createOperation });
  onTestFinished(() => broken.close());
  const observed = vi.spyOn(broken.metrics, "operation");
  const { status, body } = await broken.post({ query: "query Named { hello }" });
  expect([status, body.errors?.[0]?.extensions.code]).toEqual([500, "INTERNAL_SERVER_ERROR"]);
  expect(settled).toBe(1);
  expect(observed.mock.calls.map(([{ name, kind, outcome }]) => [name, kind, outcome])).toEqual([
    ["Named", "query", "failed"],
  ]);
});
