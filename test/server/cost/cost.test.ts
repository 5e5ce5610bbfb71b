/** The cost of an operation: one however it is written, and the same sum before and after. */
import { createRequire } from "node:module";
import fc from "fast-check";
import {
  buildSchema,
  type DocumentNode,
  type GraphQLField,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  isCompositeType,
  isListType,
  isObjectType,
  parse,
  validate,
} from "graphql";
import { describe, expect, it } from "vitest";
import { resolverClassesOf, SUBJECTS } from "../../../src/app/subjects.js";
import type { Work } from "../../../src/domain/price.js";
import { buildSoukSchema } from "../../../src/schema/build-schema.js";
import { createPrices } from "../../../src/server/cost/cost.js";
import { checkListSizes, undeclaredLists } from "../../../src/server/cost/field-price.js";
import { drillSize } from "../../support/drill.js";
import {
  answerOf,
  declaredLength,
  longestOf,
  randomOperation,
  sizedLists,
  type Wrap,
  write,
} from "./cost-documents.js";

const resolverClasses = resolverClassesOf(SUBJECTS);

// Required, not imported: its ES module brings another copy of graphql.
const { getComplexity } = createRequire(import.meta.url)(
  "graphql-query-complexity",
) as typeof import("graphql-query-complexity");

const schema = buildSoukSchema({
  resolvers: resolverClasses,
  container: { get: () => undefined },
  pubSub: { publish() {}, subscribe: () => nothing() },
});
async function* nothing(): AsyncGenerator<never> {}

const RUNS = { numRuns: drillSize({ sample: 300, full: 20_000 }), seed: 20_261_125 };
/** Answers larger than this are not built. */
const MAX_OBJECTS = 100_000;
const price = createPrices(schema);
const parsed = (text: string): DocumentNode => {
  const document = parse(text);
  expect(validate(schema, document)).toEqual([]);
  return document;
};
/** Every operation costs this besides its fields. */
const OPERATION = 1;
/** What the fields of an operation cost. */
const costOf = (
  document: DocumentNode,
  variables: Record<string, unknown> = {},
  prices = price,
) => {
  const cost = prices({ document, operationName: undefined, variables })!;
  return {
    ...cost,
    requested: cost.requested - OPERATION,
    actual: (data: unknown) => cost.actual(data) - OPERATION,
  };
};
const requested = (text: string, variables: Record<string, unknown> = {}): number =>
  costOf(parsed(text), variables).requested;

/**
 * Moves selections into named and inline fragments, by turns chosen by a seed; every second field
 * may be written twice.
 */
function scatter(seed: number) {
  const fragments: string[] = [];
  let turn = seed;
  const wrap: Wrap = (text, type, fields) => {
    turn = (turn * 1_103_515_245 + 12_345) % 2_147_483_648;
    const half = Math.ceil(fields.length / 2);
    const named = (body: string): string =>
      `...${`F${fragments.push(`fragment F${fragments.length} on ${type} { ${body} }`) - 1}`}`;
    switch (turn % 5) {
      case 0:
        return text;
      case 1:
        return named(text);
      case 2:
        return (
          `... on ${type} { ${fields.slice(0, half).join(" ")} } ` +
          `${named(fields.slice(half).join(" ") || text)} `
        );
      case 3:
        return `${named(text)} ${text}`;
      default:
        return `... @include(if: true) { ${text} } ... @skip(if: true) { ${text} }`;
    }
  };
  return { wrap, fragments };
}

/** Lists that the field above sizes, as long as that field says by default. */
const sizedAbove = new Map(
  Object.values(schema.getTypeMap())
    .flatMap((type) => (isObjectType(type) ? Object.values(type.getFields()) : []))
    .flatMap((field) =>
      Object.entries(sizedLists(field)).map(
        ([list, length]) =>
          [`${getNamedType(field.type).name}.${list}`, longestOf(field, length)] as const,
      ),
    ),
);

function priceOfOne(
  { extensions, type }: GraphQLField<unknown, unknown>,
  { isRoot, isFree }: Record<"isRoot" | "isFree", boolean>,
) {
  return (
    (extensions.complexity as number | undefined) ??
    (isRoot || (isCompositeType(getNamedType(type)) && !isFree) ? 1 : 0)
  );
}

function workOf(
  { extensions }: GraphQLField<unknown, unknown>,
  args: Readonly<Record<string, unknown>>,
): number {
  const works = (extensions.work ?? []) as readonly Work[];
  return works.reduce(
    (sum, { by, price }) =>
      sum + price * (by === undefined ? 1 : ((args[by] as number | undefined) ?? 0)),
    0,
  );
}

/**
 * The same prices in the words of graphql-query-complexity, which knows neither connections nor
 * merged fields.
 */
function oracle(document: DocumentNode, given: GraphQLSchema = schema): number {
  return getComplexity({
    schema: given,
    query: document,
    estimators: [
      ({ type, field, args, childComplexity }) => {
        const named = getNamedType(field.type);
        const isRoot = type === given.getQueryType();
        const isConnection = named.name.endsWith("Connection");
        const isEnvelope = type.name.endsWith("Connection");
        const isFree =
          field.name === "pageInfo" || (field.name === "node" && type.name.endsWith("Edge"));
        const own = priceOfOne(field, { isRoot, isFree });
        const isList = isListType(getNullableType(field.type));
        const work = workOf(field, args);
        const sized =
          sizedAbove.get(`${type.name}.${field.name}`) ??
          longestOf(field, declaredLength(field) ?? { most: 0 });
        const count =
          (args.first as number | undefined) ??
          (args.ids as unknown[] | undefined)?.length ??
          sized;
        if (isConnection) return own + work + count * childComplexity;
        if (isList && !isCompositeType(named)) return work + Math.floor(sized / 10);
        return (
          work + (isList && !isEnvelope ? count * (own + childComplexity) : own + childComplexity)
        );
      },
    ],
  });
}

describe("the cost of an operation", () => {
  it("It is one for fields in place, in fragments, twice, or under conditions that hold.", () => {
    fc.assert(
      fc.property(randomOperation(schema), fc.nat(), (operation, seed) => {
        const { wrap, fragments } = scatter(seed);
        const scattered = `{ ${write(schema, operation, wrap)} } ${fragments.join(" ")}`;
        expect(requested(scattered)).toBe(requested(`{ ${write(schema, operation)} }`));
      }),
      RUNS,
    );
  });

  it("It equals graphql-query-complexity, where no number is asked for beside a page.", () => {
    fc.assert(
      fc.property(randomOperation(schema, ["totalCount"]), (operation) => {
        const document = parsed(`{ ${write(schema, operation)} }`);
        expect(costOf(document).requested).toBe(oracle(document));
      }),
      RUNS,
    );
  });

  it("An interface inside another costs no more, though the library adds both up.", () => {
    const plain =
      '{ node(id: "a") { ... on Product { brand { id } } ... on Category { parent { id } } } }';
    const nested =
      '{ node(id: "a") { ... on Node { ... on Product { brand { id } } } ... on Node { ... ' +
      "on Category { parent { id } } } } }";
    expect(requested(nested)).toBe(requested(plain));
    expect(oracle(parse(nested))).toBeGreaterThan(oracle(parse(plain)));
  });

  it("The highest cost is reached with full lists and never exceeded.", () => {
    fc.assert(
      fc.property(
        randomOperation(schema),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (operation, share) => {
          const cost = costOf(parsed(`{ ${write(schema, operation)} }`));
          fc.pre(cost.requested < MAX_OBJECTS);
          expect(cost.actual(answerOf(operation, (most) => most))).toBe(cost.requested);
          const shorter = cost.actual(answerOf(operation, (most) => Math.floor(share * most)));
          expect(shorter).toBeLessThanOrEqual(cost.requested);
          expect(cost.actual(null)).toBe(cost.requested);
        },
      ),
      RUNS,
    );
  });
});

/**
 * Fields whose length or work an argument decides: the document, what it costs, and the same with
 * the most.
 */
const SIZED: readonly {
  readonly ask: string;
  readonly variables?: Record<string, unknown>;
  readonly cost: number;
}[] = [
  { ask: "{ cart { lines { product { name } } } }", cost: 1 + 200 * 2 },
  { ask: "{ cart { subtotal { amount } } }", cost: 1 + 20 + 1 },
  { ask: "{ categories { name } }", cost: 100 },
  { ask: "{ category(id: 1) { children { name } } }", cost: 1 + 50 },
  { ask: "{ viewer { sessions { id } unreadCount } }", cost: 1 + 10 + 2 },
  { ask: '{ leaderboard(slug: "a") { around(owner: "a", radius: 50) { rank } } }', cost: 1 + 101 },
  {
    ask: '{ leaderboard(slug: "a") { around(owner: "a", radius: 1000) { rank } } }',
    cost: 1 + 101,
  },
  {
    ask:
      'query($r: Int = 3) { leaderboard(slug: "a") { around(owner: "a", radius: $r) { rank } } ' +
      "}",
    cost: 1 + 7,
  },
  {
    ask:
      'query($r: Int = 3) { leaderboard(slug: "a") { around(owner: "a", radius: $r) { rank } } ' +
      "}",
    variables: { r: 0 },
    cost: 2,
  },
  {
    ask: '{ leaderboard(slug: "a") { entries(first: 30) { totalCount edges { node { rank } } } } }',
    cost: 1 + 1 + 30,
  },
  { ask: '{ leaderboard(slug: "a") { total periods } }', cost: 1 + 1 },
  { ask: "{ product(id: 1) { stats { daily(days: 90) { views } } } }", cost: 2 + 90 * 2 },
  { ask: "{ product(id: 1) { stats { monthly(months: 24) { views } } } }", cost: 2 + 24 * 2 },
  { ask: "{ product(id: 1) { stats { monthly { views } } } }", cost: 2 + 12 * 2 },
  { ask: "{ product(id: 1) { stats { uniqueViewers { estimate } } } }", cost: 2 + 1 },
  {
    ask: "{ product(id: 1) { stats { uniqueViewers(days: 90) { estimate } } } }",
    cost: 2 + 1 + 90 * 2,
  },
  {
    ask: "{ activity(days: 90) { days { day } retention { returned } } }",
    cost: 1 + 90 * 5 + 90 + 13 * 2,
  },
  { ask: "{ products(first: 5) { totalCount edges { node { id } } } }", cost: 1 + 5 + 20 },
  { ask: "{ products(first: 5) { edges { cursor } } }", cost: 1 + 5 },
  { ask: "{ products(first: 5, filter: {}) { edges { node { id } } } }", cost: 1 + 5 + 10 },
  {
    ask: '{ products(first: 5, filter: { text: " " }) { edges { node { id } } } }',
    cost: 1 + 5 + 10,
  },
  {
    ask: '{ products(first: 5, filter: { text: "oak" }) { edges { node { id } } } }',
    cost: 1 + 5 + 10 + 40,
  },
  {
    ask:
      "query($text: String) { products(first: 5, filter: { text: $text }) { edges { node { id " +
      "} } } }",
    variables: { text: "oak" },
    cost: 56,
  },
  {
    ask:
      "query($filter: ProductFilter) { products(first: 5, filter: $filter) { edges { node { id " +
      "} } } }",
    variables: { filter: { text: "oak" } },
    cost: 56,
  },
  {
    ask:
      'query($filter: ProductFilter = { text: "oak" }) { products(first: 5, filter: $filter) { ' +
      "edges { node { id } } } }",
    cost: 56,
  },
  {
    ask:
      "query($constructor: ProductFilter) { products(first: 5, filter: $constructor) { edges { " +
      "node { id } } } }",
    cost: 6,
  },
  {
    ask: "mutation($ids: [ID!]) { markNotificationsRead(ids: $ids) { marked } }",
    variables: { ids: Array(1_000).fill("a") },
    cost: 10 + 100,
  },
  {
    ask: 'subscription { leaderboardChanged(slug: "a", top: 100) { entries { rank } } }',
    cost: 1 + 100,
  },
  {
    ask: "subscription { productStatsChanged(productId: 1) { stats { daily(days: 90) { views } } } }",
    cost: 1 + 90 * 2,
  },
];

describe("a field whose answer can be long, or whose work can be much", () => {
  it.each(SIZED)("A field costs what it can be: $ask", ({ ask, variables, cost }) => {
    expect(requested(ask, variables)).toBe(cost);
  });

  it("No list field exists in the schema without a declared length.", () => {
    expect(undeclaredLists(schema)).toEqual([]);
    expect(() => checkListSizes(buildSchema("type Query { all: [Query!]! }"))).toThrow("Query.all");
  });

  it("A field costs as much as its answer holds, also beyond its declaration.", () => {
    const { requested: most, actual } = costOf(parsed("{ categories { name } }"));
    expect([most, actual({ categories: Array(150).fill({ name: "" }) })]).toEqual([100, 150]);
  });

  it("A field is charged for its work, however short its answer is.", () => {
    const { actual } = costOf(parsed("{ product(id: 1) { stats { daily(days: 90) { views } } } }"));
    expect(actual({ product: { stats: { daily: [] } } })).toBe(2 + 90);
  });

  it("A subscription that watches several things costs one message each.", () => {
    const watch = "subscription($ids: [ID!]!) { productChanged(ids: $ids) { product { id } } }";
    const { actual } = costOf(parsed(watch), { ids: ["a", "b", "c"] });
    expect(actual({ productChanged: { product: { id: "" } } })).toBe(2);
  });
});

describe("what is counted", () => {
  const PAGE =
    "edges { node { id brand { name } reviews(first: $r) { totalCount pageInfo { hasNextPage " +
    "} edges { cursor node { id } } } } }";
  const listing = `query($f: Int = 7, $r: Int) { products(first: $f) { ${PAGE} } }`;

  it("It is multiplied through nested connections by variables and by all defaults.", () => {
    // The page, and for each product: itself, its brand, its page of reviews, their number, and
    // each review.
    const of = (f: number, r: number) => 1 + f * (4 + r);
    expect(requested(listing, { f: 3, r: 4 })).toBe(of(3, 4));
    expect(requested(listing)).toBe(of(7, 20));
    // Null is no absence: the argument is null then, and the field takes its own default.
    expect(requested(listing, { f: null })).toBe(of(20, 20));
  });

  it("The cost counts what came: shorter lists cost less, null lists nothing.", () => {
    const { actual } = costOf(parsed(listing), { f: 100, r: 100 });
    const product = (reviews: number) => ({
      node: { reviews: { edges: Array(reviews).fill({ node: {} }) } },
    });
    expect(actual({ products: { edges: [product(2), product(0)] } })).toBe(1 + (4 + 2) + 4);
    expect(actual({ products: { edges: [] } })).toBe(1);
  });

  it("The cost grows with the ids of a list, also of a subscription.", () => {
    expect(
      requested("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", { ids: ["a", "b", "c"] }),
    ).toBe(3);
    const watch = "subscription($ids: [ID!]!) { productChanged(ids: $ids) { product { id } } }";
    expect(requested(watch, { ids: ["a", "b", "c"] })).toBe(3 * 2);
  });

  it("A list costs no more than the longest page; what asks for more is refused.", () => {
    expect(requested("{ products(first: 1000000) { edges { node { id } } } }")).toBe(101);
    expect(requested("{ products(first: -5) { edges { node { id } } } }")).toBe(1);
  });

  it("Fields that a condition leaves out cost nothing.", () => {
    const text =
      "query($all: Boolean = false) { brands(first: 5) { edges @include(if: $all) { node { " +
      "id } } } }";
    expect([
      requested(text),
      requested(text, { all: true }),
      requested(text, { all: false }),
    ]).toEqual([1, 6, 1]);
  });

  it.each(["{ rateLimit { limit } }", "{ viewer @include(if: false) { unreadCount } }"])(
    "An operation costs at least one: %s",
    (ask) => {
      const cost = price({ document: parsed(ask), operationName: undefined, variables: {} })!;
      expect([cost.requested, cost.actual({}), cost.actual(null)]).toEqual([1, 1, 1]);
    },
  );

  it("Introspection has a fixed price, and any root field costs at least one.", () => {
    expect(requested("{ __schema { types { fields { type { ofType { name } } } } } }")).toBe(100);
    expect(requested("{ __typename }")).toBe(1);
  });

  it("Sign-ins are counted one by one, under any alias.", () => {
    const input = 'input: { email: "a@b.example", password: "password" }';
    const aliases = Array.from(
      { length: 100 },
      (_, at) => `a${at}: signIn(${input}) { token }`,
    ).join(" ");
    const cost = costOf(parsed(`mutation { ${aliases} }`));
    expect([cost.classes.get("signIn"), cost.classes.get("checkout")]).toEqual([100, undefined]);
    expect(
      costOf(
        parsed(
          `mutation { signIn(${input}) { token } ...F } fragment F on Mutation { ` +
            `signIn(${input}) { token } }`,
        ),
      ).classes.get("signIn"),
    ).toBe(1);
  });

  it("A document that stands for more than can be counted ends the count.", () => {
    const deep = buildSchema("type Query { a: Query b: Query c: Query d: Query }");
    const levels = Array.from(
      { length: 9 },
      (_, at) =>
        `fragment F${at} on Query { ` +
        `${["a", "b", "c", "d"].map((f) => `${f} { ...F${at + 1} }`).join(" ")} }`,
    );
    const bomb = parse(`{ ...F0 } ${levels.join(" ")} fragment F9 on Query { __typename }`);
    expect(
      createPrices(deep)({ document: bomb, operationName: undefined, variables: {} })?.requested,
    ).toBe(Number.MAX_SAFE_INTEGER);
  });
});
