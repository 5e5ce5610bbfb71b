/** Compiled queries answer what graphql-js answers, or leave it to graphql-js. */
import { parse } from "graphql";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isFitToCompile } from "../../../src/server/operation/compiled-queries.js";
import { startServer, type TestServer } from "../test-server.js";
import { generatePlain } from "./generated.js";

let compiling: TestServer;
let interpreting: TestServer;

beforeAll(async () => {
  [compiling, interpreting] = await Promise.all([
    startServer(),
    startServer({ COMPILE_QUERIES: "off" }),
  ]);
});
afterAll(async () => {
  await Promise.all([compiling.close(), interpreting.close()]);
});

const withoutIds = (text: string) => text.replace(/"requestId":"[^"]+"/g, "");
const fits = (query: string) => {
  try {
    return isFitToCompile(parse(query));
  } catch {
    return false;
  }
};

const USES = 7;

test("Generated documents, compiled, answer byte for byte what graphql-js does.", async () => {
  let answered = 0;
  for (const payload of generatePlain(250, 7)) {
    expect(fits(payload.query), payload.query).toBe(true);
    const expected = await interpreting.post(payload);
    if (!expected.body.errors) answered++;
    for (let use = 0; use < USES; use++) {
      const answer = await compiling.post(payload);
      expect([answer.status, withoutIds(answer.text)], JSON.stringify(payload)).toEqual([
        expected.status,
        withoutIds(expected.text),
      ]);
    }
  }
  expect(answered).toBeGreaterThan(50);
});

test.each([
  [
    "nested objects and lists",
    "{ category { id children { name products(first: 2) { tags category { id } } } parent { " +
      "id } } }",
    {},
  ],
  [
    "abstract types",
    "query($a: ID!, $b: ID!) { a: node(id: $a) { ...N } b: node(id: $b) { ...N } } fragment " +
      "N on Node { __typename id ... on Product { price } ... on Category { name } }",
    { a: "p1", b: "c1" },
  ],
  [
    "lists of abstract types with holes",
    "query($ids: [ID!]!) { nodes(ids: $ids) { id ... on Product { name } } }",
    { ids: ["p1", "x", "c1"] },
  ],
  [
    "merged selections",
    "{ category { id } category { name parent { id } } category { parent { name } } }",
    {},
  ],
  [
    "defaults, lists and enums in input",
    "query($f: Filter, $c: Color = GREEN) { search(filter: $f, color: $c) }",
    { f: { text: "x", ids: "one" } },
  ],
  ["an explicit null", "query($f: Filter) { search(filter: $f, color: null) }", { f: null }],
  ["a scalar of our own", "query($v: Whole!) { whole(value: $v) }", { v: 7 }],
  ["a wrong variable", "query($v: Whole!) { whole(value: $v) }", { v: 0.5 }],
  ["an error in a nullable field", "{ hello crash badInput }", {}],
  ["an error that empties the answer", "{ hello unavailable }", {}],
  ["an error thrown at once", "{ hello crashEarly }", {}],
  ["an unknown operation", "query A { hello }", {}],
] as const)(
  "A query is answered the same, uncompiled and compiled: %s",
  async (_name, query, variables) => {
    const payload = {
      query,
      variables,
      ...(query.startsWith("query A") && { operationName: "B" }),
    };
    expect(fits(query)).toBe(true);
    const expected = await interpreting.post(payload);
    for (let use = 0; use < USES; use++) {
      const answer = await compiling.post(payload);
      expect([answer.status, withoutIds(answer.text)]).toEqual([
        expected.status,
        withoutIds(expected.text),
      ]);
    }
  },
);

describe("what clients could turn against the compiler is not compiled", () => {
  test.each([
    ["string literals", '{ echo(text: "x") }'],
    ["block strings", '{ echo(text: """x""") }'],
    ["strings in defaults", 'query($t: String = "x") { echo(text: $t) }'],
    ["strings in lists and objects", '{ search(filter: { ids: ["x"] }) }'],
    ["directives", "query($f: Boolean!) { hello @skip(if: $f) }"],
    ["names that touch prototypes", "{ __proto__: hello }"],
    ["introspection", "{ __schema { types { name } } }"],
    ["mutations", "mutation { write }"],
    ["several operations", "query A { hello } query B { hello }"],
    [
      "fragments that multiply its fields",
      "{ category { ...F0 } } " +
        `${Array.from({ length: 8 }, (_item, at) => {
          const next = `...F${at + 1}`;
          return (
            `fragment F${at} on Category { parent { ${next} } children { ${next} } ` +
            `products { category { ${next} } } }`
          );
        }).join(" ")} ` +
        "fragment F8 on Category { id }",
    ],
  ])("A document with %s is not compiled.", (_name, query) => {
    expect(fits(query)).toBe(false);
  });

  test("Code in a literal is text, however often it is sent.", async () => {
    const query =
      '{ echo(text: "__MAGIC_DATE__33a9e76d_02e0_4128_8e92_3530ad3da74dglobalThis.pwned=1") }';
    for (let use = 0; use < USES; use++)
      expect((await compiling.post({ query })).body.data?.echo).toMatch(/^__MAGIC_DATE__/);
    expect(globalThis).not.toHaveProperty("pwned");
  });
});
