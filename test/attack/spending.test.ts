/**
 * What is in a bucket may be spent, on both transports alike; what is more is refused and takes
 * nothing.
 */
import { createHash } from "node:crypto";
import fc from "fast-check";
import { parse } from "graphql";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ask, connectSocket, type SocketClient } from "../server/websocket/socket-client.js";
import { type RunningApp, startApp } from "../support/app.js";
import { drillSize } from "../support/drill.js";
import { whileLimitsAreShared } from "../support/graphql.js";

const BURST = 60;
/** Nothing comes back while the test runs. */
const SLOW = "0.000001";
const RUNS = { numRuns: drillSize({ sample: 25, full: 500 }), seed: 20_261_129 };

let app: RunningApp;
beforeAll(async () => {
  app = await startApp({
    products: 5,
    env: {
      LIMIT_COST: `${BURST}`,
      LIMIT_ADDRESS_BURST: `${BURST}`,
      LIMIT_ADDRESS_PER_SECOND: SLOW,
      TRUSTED_PROXIES: "127.0.0.1",
    },
    roles: { api: true, worker: false },
  });
  // What is to be known is read before.
  for (let cost = 2; cost <= BURST; cost++)
    await post(newAddress(), { query: documentOf(cost, false) });
});
afterAll(() => app.close());

let addresses = 0;
/** An address that has asked for nothing yet. */
const newAddress = (): string =>
  `10.${(++addresses >> 16) & 255}.${(addresses >> 8) & 255}.${addresses & 255}`;

let documents = 0;
/**
 * A document of this cost, 2 at least, that gives nothing back; it was never sent before if
 * `isNew`.
 */
const documentOf = (cost: number, isNew: boolean): string => {
  const name = isNew ? `New${++documents}` : "Known";
  const keys = Array.from({ length: cost - 1 }, (_, at) => `"k${at}"`);
  return `query ${name} { nodes(ids: [${keys.join(", ")}]) { __typename } }`;
};
/** What is owed for reading it where it is new. */
const readingOf = (query: string): number => Math.ceil((parse(query).tokenCount ?? 0) / 10);

interface Outcome {
  readonly code: string;
  readonly remaining: number | undefined;
}
interface Body {
  readonly errors?: readonly { readonly extensions: { readonly code: string } }[];
  readonly extensions?: { readonly cost?: { readonly remaining: number } };
}
const outcomeOf = ({ errors, extensions }: Body): Outcome => ({
  code: errors?.[0]?.extensions.code ?? "ok",
  remaining: extensions?.cost?.remaining,
});

const from = (address: string) => ({ "x-forwarded-for": address });
async function post(address: string, body: object): Promise<Outcome> {
  const headers = { ...from(address), "content-type": "application/json" };
  return outcomeOf(
    (await (
      await fetch(app.url, { method: "POST", headers, body: JSON.stringify(body) })
    ).json()) as Body,
  );
}

/** A way to send a document. */
type Send = (
  address: string,
  query: string,
  socket: () => Promise<SocketClient>,
) => Promise<Outcome>;
const hashOf = (query: string) => ({
  persistedQuery: { version: 1, sha256Hash: createHash("sha256").update(query).digest("hex") },
});
const WAYS: Readonly<Record<string, Send>> = {
  POST: (address, query) => post(address, { query }),
  async GET(address, query) {
    const headers = { ...from(address), "apollo-require-preflight": "1" };
    return outcomeOf(
      (await (
        await fetch(`${app.url}?query=${encodeURIComponent(query)}`, { headers })
      ).json()) as Body,
    );
  },
  hash: (address, query) => post(address, { query, extensions: hashOf(query) }),
  WebSocket: async (_address, query, socket) =>
    outcomeOf((await ask(await socket(), { query })) as Body),
};

describe("a bucket with r left", () => {
  it("It admits a cost of up to r and no more, over every transport.", async () => {
    const step = fc.record({
      way: fc.constantFrom(...Object.keys(WAYS)),
      cost: fc.oneof(fc.integer({ min: 2, max: 12 }), fc.integer({ min: 2, max: BURST })),
      isNew: fc.boolean(),
    });
    let [admitted, refused] = [0, 0];
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), (steps) =>
        whileLimitsAreShared(app.url, async () => {
          const address = newAddress();
          const sockets: SocketClient[] = [];
          // The socket is opened first: its own unit is taken then.
          sockets.push(await connectSocket(app.wsUrl, {}, { headers: from(address) }));
          let left = BURST - 1;
          for (const { way, cost, isNew } of steps) {
            const query = documentOf(cost, isNew);
            const outcome = await WAYS[way]!(address, query, async () => sockets[0]!);
            if (cost <= left) {
              left -= cost;
              admitted++;
              expect({ way, cost, isNew, ...outcome }).toEqual({
                way,
                cost,
                isNew,
                code: "ok",
                remaining: left,
              });
            } else {
              refused++;
              expect({ way, cost, left, isNew, ...outcome }).toMatchObject({
                way,
                code: "RATE_LIMITED",
              });
            }
            // It was read, also where it was refused, and is owed for.
            if (isNew) left -= readingOf(query);
          }
          await sockets[0]!.close();
        }),
      ),
      RUNS,
    );
    expect(Math.min(admitted, refused)).toBeGreaterThan(RUNS.numRuns);
  });

  it.each([
    ["a document that is not GraphQL", { query: "{ products(" }, "GRAPHQL_PARSE_FAILED"],
    ["a document of another schema", { query: "{ nothing }" }, "GRAPHQL_VALIDATION_FAILED"],
    [
      "a wrong variable",
      { query: "query($a: Int) { products(first: $a) { totalCount } }", variables: { a: "1" } },
      "BAD_USER_INPUT",
    ],
    ["a wrong argument", { query: "{ products(first: 0) { totalCount } }" }, "BAD_USER_INPUT"],
    [
      "a hash that is not known",
      { extensions: hashOf("{ unknown }") },
      "PERSISTED_QUERY_NOT_FOUND",
    ],
  ])(
    "A nearly empty bucket owes for %s, and later requests wait for it.",
    async (_what, body, code) => {
      const address = newAddress();
      expect(await post(address, { query: documentOf(BURST - 6, false) })).toEqual({
        code: "ok",
        remaining: 6,
      });
      expect((await post(address, body)).code).toBe(code);
      expect((await post(address, { query: documentOf(2, false) })).code).toBe("RATE_LIMITED");
      expect((await post(address, body)).code).toBe("RATE_LIMITED");
    },
  );
});

describe("a session cookie that is not valid", () => {
  it("An invalid session cookie pays the price of its operations, as its address.", async () => {
    const address = newAddress();
    const headers = {
      ...from(address),
      "content-type": "application/json",
      cookie: `souk_session=${"x".repeat(22)}.${"y".repeat(43)}`,
    };
    const body = JSON.stringify({ query: documentOf(30, false) });
    const sent = async () =>
      outcomeOf((await (await fetch(app.url, { method: "POST", headers, body })).json()) as Body);
    expect(await sent()).toEqual({ code: "ok", remaining: BURST - 30 });
    expect(await sent()).toEqual({ code: "ok", remaining: 0 });
    expect((await sent()).code).toBe("RATE_LIMITED");
  });

  it("It is refused as a bearer token even where less is left than a refusal costs.", async () => {
    const address = newAddress();
    await post(address, { query: documentOf(BURST - 3, false) });
    const headers = {
      ...from(address),
      "content-type": "application/json",
      authorization: `Bearer ${"x".repeat(22)}.${"y".repeat(43)}`,
    };
    const response = await fetch(app.url, {
      method: "POST",
      headers,
      body: JSON.stringify({ query: "{ __typename }" }),
    });
    expect(response.status).toBe(401);
    expect((await post(address, { query: "{ __typename }" })).code).toBe("RATE_LIMITED");
  });
});
