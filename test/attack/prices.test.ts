/**
 * Prices that a client tries to lower by what it calls its variables, or by what it or another
 * client sent before.
 */
import fc from "fast-check";
import { buildSchema, type DocumentNode, parse, validate } from "graphql";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createPrices } from "../../src/server/cost/cost.js";
import { type Answer, startServer, type TestServer } from "../server/test-server.js";
import { ask, connectSocket, type SocketClient } from "../server/websocket/socket-client.js";

/** Names that every plain object answers to. */
const NAMES = Object.getOwnPropertyNames(Object.prototype);

/**
 * Documents by the name of their variable; the variables they come with; the honest price of their
 * fields.
 */
const DOCUMENTS: readonly {
  what: string;
  query: (name: string) => string;
  given?: unknown;
  price: number;
}[] = [
  {
    what: "include, by default",
    query: (n) => `query($${n}: Boolean = true) { products(first: 60) @include(if: $${n}) { id } }`,
    price: 60,
  },
  {
    what: "skip, by default",
    query: (n) => `query($${n}: Boolean = false) { products(first: 60) @skip(if: $${n}) { id } }`,
    price: 60,
  },
  {
    what: "include, given",
    query: (n) => `query($${n}: Boolean!) { products(first: 60) @include(if: $${n}) { id } }`,
    given: true,
    price: 60,
  },
  {
    what: "skip, given",
    query: (n) => `query($${n}: Boolean!) { products(first: 60) @skip(if: $${n}) { id } }`,
    given: false,
    price: 60,
  },
  {
    what: "a size by default",
    query: (n) => `query($${n}: Int = 60) { products(first: $${n}) { id } }`,
    price: 60,
  },
  {
    what: "a size, given",
    query: (n) => `query($${n}: Int) { products(first: $${n}) { id } }`,
    given: 60,
    price: 60,
  },
  {
    what: "ids",
    query: (n) => `query($${n}: [ID!]!) { nodes(ids: $${n}) { id } }`,
    given: Array(60).fill("p1"),
    price: 60,
  },
];

type Ask = (payload: object) => Promise<Answer>;

describe("a variable named like a member of Object.prototype", () => {
  let souk: TestServer;
  let socket: SocketClient;
  beforeAll(async () => {
    souk = await startServer({ LIMIT_COST: "50" });
    socket = await connectSocket(souk.live);
  });
  afterAll(() => souk.close());
  const transports: Record<string, Ask> = {
    HTTP: async (payload) => (await souk.post(payload)).body,
    WebSocket: (payload) => ask(socket, payload),
  };

  describe.each(Object.keys(transports))("over %s", (transport) => {
    it.each(DOCUMENTS)(
      "A variable named like a member leaves the price what it is: $what",
      async ({ query, given, price }) => {
        for (const name of ["ordinary", ...NAMES]) {
          const variables = given === undefined ? {} : Object.fromEntries([[name, given]]);
          const { errors } = await transports[transport]!({ query: query(name), variables });
          expect([name, errors?.[0]?.extensions]).toMatchObject([
            name,
            { code: "OPERATION_TOO_COMPLEX", cost: 1 + price },
          ]);
        }
      },
    );

    it("A variable named like a member has no value where none is given.", async () => {
      for (const name of NAMES) {
        const query =
          `query($${name}: String) ` +
          `{ echo(text: $${name}) search(filter: { text: $${name} }) }`;
        const { data, errors } = await transports[transport]!({ query });
        expect([name, data?.echo, errors]).toEqual([name, null, undefined]);
        expect([name, String(data?.search)]).toEqual([
          name,
          '[["filter",{"min":1,"color":"RED"}]]',
        ]);
      }
    });
  });
});

describe("a price", () => {
  const schema = buildSchema(`
    type Product { id: ID! category(deep: Boolean): Category! }
    type Category { id: ID! products(first: Int = 5): [Product!]! }
    type Query { products(first: Int = 3): [Product!]! nodes(ids: [ID!]): [Product]! }
  `);
  const document =
    parse(`query($flag: Boolean = true, $more: Boolean = false, $first: Int = 7, $ids: [ID!]) {
    always: products(first: $first) {
      id category { id products(first: 50) @include(if: $more) { id } }
    }
    nodes(ids: $ids) @skip(if: $flag) { id }
    products(first: 9) @include(if: $more) { id category @skip(if: $flag) { id } }
  }`);
  const WRONG: readonly unknown[] = [
    true,
    false,
    null,
    undefined,
    "true",
    "false",
    0,
    1,
    3,
    -1,
    1.5,
    "3",
    [],
    ["p1"],
    ["p1", 2],
    [null],
    {},
    { toString: "x" },
  ];
  const value = (...right: readonly unknown[]) =>
    fc.oneof(
      { weight: 5, arbitrary: fc.constantFrom(...right) },
      { weight: 1, arbitrary: fc.constantFrom(...WRONG) },
    );
  const request = fc.record(
    {
      flag: value(true, false),
      more: value(true, false),
      first: value(1, 4, null),
      ids: value([], ["p1"], ["p1", 2], null),
      constructor: value(true),
      undeclared: value(1),
    },
    { requiredKeys: [] },
  );

  it("Earlier requests change no price, and a wrong value has none.", () => {
    expect(validate(schema, document)).toEqual([]);
    const used = createPrices(schema);
    let valid = 0;
    fc.assert(
      fc.property(fc.array(request, { minLength: 1, maxLength: 30 }), (requests) => {
        for (const given of requests) {
          // JSON knows no undefined.
          const variables = JSON.parse(JSON.stringify(given)) as Record<string, unknown>;
          const expected = priceOrRefusal(createPrices(schema), document, variables);
          expect(priceOrRefusal(used, document, variables)).toEqual(expected);
          if (typeof expected === "number") valid++;
        }
      }),
      { numRuns: 200, seed: 9 },
    );
    expect(valid).toBeGreaterThan(100);
  });
});

function priceOrRefusal(
  price: ReturnType<typeof createPrices>,
  document: DocumentNode,
  variables: Record<string, unknown>,
) {
  try {
    return price({ document, operationName: undefined, variables })?.requested;
  } catch (error) {
    return (error as Error).message;
  }
}
