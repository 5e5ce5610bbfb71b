/** Which queries are split into stored parts, and into what. */
import { buildSchema, type GraphQLObjectType, parse, print, validate } from "graphql";
import { beforeEach, expect, it } from "vitest";
import { createQuerySplitter, type SplitQuery } from "../../../src/server/answers/answer-parts.js";
import { createAnswerPlanner } from "../../../src/server/operation/answer-plan.js";

const schema = buildSchema(/* GraphQL */ `
  type Query {
    products(first: Int, after: String): [Product!]!
    product(id: ID!): Product
    viewer: Viewer
    stats: Int!
  }
  type Mutation { products(first: Int): [Product!]! viewer: Viewer }
  type Product { id: ID! name(upper: Boolean): String! inCart: Int! }
  type Viewer { name: String! }
`);
const PUBLIC = { scope: "PUBLIC", cached: true };
const declare = (type: string, ...names: string[]): void => {
  const fields = (schema.getType(type) as GraphQLObjectType).getFields();
  for (const name of names) fields[name]!.extensions = PUBLIC;
};
declare("Query", "products", "product");
declare("Product", "id", "name");

let split: SplitQuery;
beforeEach(() => {
  const splitQuery = createQuerySplitter(schema, createAnswerPlanner(schema));
  split = (operation) => {
    for (let uses = 1; uses < 3; uses += 1) expect(splitQuery(operation)).toBeNull();
    return splitQuery(operation);
  };
});

const operationOf = (source: string, operationName: string | null = null) => ({
  document: parse(source),
  operationName,
  variables: null,
});
const plain = (text: string): string => text.replaceAll(/\s+/g, " ").trim();

it("Each public root field is a part, with the fragments and variables that it uses.", () => {
  const source = `
    query Page($first: Int, $id: ID!, $upper: Boolean!, $more: Boolean = true) {
      page: products(first: $first) { ...Named }
      viewer @include(if: $more) { name }
      product(id: $id) { id }
      stats
    }
    fragment Named on Product { ...Id name(upper: $upper) }
    fragment Id on Product { id }
    fragment Unused on Product { name }`;
  const parts = split(operationOf(source));
  expect(parts?.keys).toEqual(["page", "viewer", "product", "stats"]);
  expect(parts?.parts.map(({ key, document }) => [key, plain(print(document))])).toEqual([
    [
      "page",
      "query ($first: Int, $upper: Boolean!) { page: products(first: $first) { ...Named } } " +
        "fragment Named on Product { ...Id name(upper: $upper) } fragment Id on Product { id }",
    ],
    ["product", "query ($id: ID!) { product(id: $id) { id } }"],
  ]);
  expect(plain(print(parts!.rest))).toBe(
    "query Page($more: Boolean = true) { viewer @include(if: $more) { name } stats }",
  );
  for (const document of [parts!.rest, ...parts!.parts.map((part) => part.document)])
    expect(validate(schema, document)).toEqual([]);
});

it("Parts of different documents that write a field alike have one source.", () => {
  const part = (source: string) => split(operationOf(source))?.parts[0]?.document.loc?.source.body;
  const one = part("query One { viewer { name } products(first: 3) { id } }");
  const another = part(
    "query Another($id: ID) { products(first: 3) { id } viewer { name } stats }",
  );
  expect(one).toBeTypeOf("string");
  expect(another).toBe(one);
});

it.each([
  ["a query that is stored whole", "{ products { id } product(id: 1) { name } }"],
  ["a query without a public field", "{ viewer { name } products { inCart } }"],
  ["a query with a fragment at its root", "{ ... { products { id } } viewer { name } }"],
  ["a query that names a field twice", "{ products { id } products { name } viewer { name } }"],
  ["a public field with a condition", "{ products @skip(if: false) { id } viewer { name } }"],
  ["a mutation", "mutation { products { id } viewer { name } }"],
  [
    "a long document",
    `{ viewer { name } products { id ${Array.from({ length: 1_800 }, (_, at) => `n${at}: name`)} } }`,
  ],
])("%s is not split.", (_, source) => {
  const splitQuery = createQuerySplitter(schema, createAnswerPlanner(schema));
  const operation = operationOf(source);
  for (let uses = 0; uses < 5; uses += 1) expect(splitQuery(operation)).toBeNull();
});

it("At most four parts are split off; the other fields stay together.", () => {
  const fields = ["a", "b", "c", "d", "e"].map((name) => `${name}: products { id }`);
  const parts = split(operationOf(`{ viewer { name } ${fields.join(" ")} }`));
  expect(parts?.parts.map(({ key }) => key)).toEqual(["a", "b", "c", "d"]);
  expect(plain(print(parts!.rest))).toBe("{ viewer { name } e: products { id } }");
});

it("The named operation of a document is split.", () => {
  const source = "query A { viewer { name } stats } query B { products { id } stats }";
  expect(split(operationOf(source, "B"))?.keys).toEqual(["products", "stats"]);
  expect(split(operationOf(source, "A"))).toBeNull();
});
