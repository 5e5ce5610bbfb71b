/**
 * Answers with errors: what may have been done is paid for. A failure is injected at every place of
 * random answers, and the resolvers that ran are counted.
 */
import fc from "fast-check";
import {
  buildSchema,
  execute,
  type GraphQLFieldResolver,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  getOperationAST,
  isAbstractType,
  isCompositeType,
  isInputObjectType,
  isListType,
  isObjectType,
  parse,
  printSchema,
  validate,
} from "graphql";
import { describe, expect, it } from "vitest";
import { resolverClassesOf, SUBJECTS } from "../../src/app/subjects.js";
import type { BadUserInput } from "../../src/domain/errors.js";
import { encodeCursor } from "../../src/domain/page.js";
import { buildSoukSchema } from "../../src/schema/build-schema.js";
import { createPrices } from "../../src/server/cost/cost.js";
import {
  coerceVariables,
  createArgumentCheck,
  type InvalidInput,
} from "../../src/server/cost/input.js";
import { randomOperation, write } from "../server/cost/cost-documents.js";
import { drillSize } from "../support/drill.js";

const resolverClasses = resolverClassesOf(SUBJECTS);

const RUNS = { numRuns: drillSize({ sample: 150, full: 10_000 }), seed: 20_261_129 };

const shop = buildSoukSchema({
  resolvers: resolverClasses,
  container: { get: () => undefined },
  pubSub: { publish() {}, subscribe: () => nothing() },
});
async function* nothing(): AsyncGenerator<never> {}

const small = buildSchema(`
  interface Node { id: ID! }
  type Product implements Node {
    id: ID!
    name: String
    category: Category!
    maybe: Category
    related(first: Int! = 3): [Product]!
  }
  type Category implements Node {
    id: ID!
    name: String!
    products(first: Int = 4): [Product!]!
    parent: Category
  }
  type Query {
    product: Product
    products(first: Int = 3): [Product!]!
    sparse(first: Int = 3): [Product]
    category: Category!
    node(id: ID!): Node
    nodes(ids: [ID!]!): [Node]!
  }
`);

/** Lists are shorter than they could be: that is what a refund is about. */
const shorter = (asked: number): number => Math.ceil(asked / 2);

/**
 * Runs an operation whose `failing`th resolver fails; counts the calls, and the objects that were
 * made for the answer.
 */
async function run(schema: GraphQLSchema, query: string, failing: number) {
  let [calls, objects] = [0, 0];
  const fieldResolver: GraphQLFieldResolver<{ asked?: number } | undefined, unknown> = async (
    source,
    args,
    _context,
    info,
  ) => {
    if (++calls === failing) throw new Error("injected");
    const named = getNamedType(info.returnType);
    if (!isCompositeType(named)) return leafOf(named.name);
    const isFree = ["edges", "pageInfo", "rateLimit"].includes(info.fieldName);
    const one = () => {
      if (!isFree) objects++;
      const type = isAbstractType(named) ? schema.getPossibleTypes(named)[0] : named;
      return { __typename: type?.name, asked: args.first };
    };
    if (!isListType(getNullableType(info.returnType))) return one();
    return Array.from(
      { length: shorter(args.first ?? args.ids?.length ?? source?.asked ?? 10) },
      one,
    );
  };
  const typeResolver = (value: { __typename: string }) => value.__typename;
  const result = await execute({ schema, document: parse(query), fieldResolver, typeResolver });
  return { result, calls, objects };
}

/** A value that every scalar of the schema takes; what it refuses is one more failure. */
const leafOf = (type: string): unknown =>
  type === "Boolean" ? true : /^(Int|Float|SafeInt)$/.test(type) ? 1 : "text";

describe.each([
  ["a small schema", small, small],
  // Executed without its resolvers, which need a database.
  ["the schema of the shop", shop, buildSchema(printSchema(shop))],
])("an answer of %s", (_name, priced, executed) => {
  const price = createPrices(priced);

  it("The answer costs at least what was done, wherever an error stands.", async () => {
    let [failed, refunded] = [0, 0];
    await fc.assert(
      fc.asyncProperty(randomOperation(priced), fc.nat(), async (operation, place) => {
        const query = `{ ${write(priced, operation)} }`;
        const cost = price({ document: parse(query), operationName: undefined, variables: {} })!;
        fc.pre(cost.requested < 3_000);
        const { calls } = await run(executed, query, 0);
        const { result, objects } = await run(executed, query, 1 + (place % calls));
        const charged = cost.actual(result.data, result.errors);
        expect(charged).toBeGreaterThanOrEqual(objects);
        expect(charged).toBeLessThanOrEqual(cost.requested);
        if (result.errors) failed++;
        if (charged < cost.requested) refunded++;
      }),
      RUNS,
    );
    // It is not by giving nothing back that it holds.
    expect(failed).toBeGreaterThan(RUNS.numRuns / 2);
    expect(refunded).toBeGreaterThan(RUNS.numRuns / 20);
  });

  it("The answer costs all that was asked for where no data or place is left.", async () => {
    await fc.assert(
      fc.asyncProperty(randomOperation(priced), async (operation) => {
        const cost = price({
          document: parse(`{ ${write(priced, operation)} }`),
          operationName: undefined,
          variables: {},
        })!;
        const nowhere = [Object.assign(new Error("no place"), { path: undefined })] as never;
        expect([
          cost.actual(null, nowhere),
          cost.actual({}, nowhere),
          cost.actual(undefined),
        ]).toEqual(Array(3).fill(cost.requested));
      }),
      RUNS,
    );
  });
});

describe("an argument that cannot be meant", () => {
  const check = createArgumentCheck(shop);
  const refusal = (query: string, variables: Record<string, unknown> = {}) => {
    const document = parse(query);
    expect([query, validate(shop, document)]).toEqual([query, []]);
    try {
      check(
        { document, operationName: undefined },
        coerceVariables(shop, getOperationAST(document)!, variables),
      );
      return null;
    } catch (error) {
      return (error as InvalidInput).errors.map(
        (one) => (one.originalError as BadUserInput | undefined)?.argument ?? one.message,
      );
    }
  };
  const STATS = (field: string) =>
    `{ products(first: 2) { edges { node { stats { ${field} } } } } }`;
  const CURSOR = encodeCursor("any list", { value: 1, id: 1 });

  /** Documents, their variables, and the argument to blame; null where nothing is. */
  const ROWS: readonly (readonly [string, Record<string, unknown>, readonly unknown[] | null])[] = [
    [STATS("uniqueViewers(days: 0) { estimate }"), {}, [["days"]]],
    [STATS("uniqueViewers(days: 90) { estimate }"), {}, null],
    [STATS("uniqueViewers(days: null) { estimate }"), {}, null],
    [STATS("daily(days: 91) { day }"), {}, [["days"]]],
    [STATS("monthly(months: -1) { month }"), {}, [["months"]]],
    ["query($n: Int) { products(first: $n) { totalCount } }", { n: 0 }, [["first"]]],
    ["query($n: Int) { products(first: $n) { totalCount } }", { n: 101 }, [["first"]]],
    ["query($n: Int) { products(first: $n) { totalCount } }", { n: 100 }, null],
    ["query($n: Int) { products(first: $n) { totalCount } }", {}, null],
    ["query($n: Int = 0) { products(first: $n) { totalCount } }", {}, [["first"]]],
    [
      "{ products(first: 2) { edges { node { reviews(first: 0) { totalCount } } } } }",
      {},
      [["first"]],
    ],
    ['{ products(after: "nonsense") { totalCount } }', {}, [["after"]]],
    [`{ products(after: "${CURSOR}") { totalCount } }`, {}, null],
    ['{ products(filter: { categoryId: "x" }) { totalCount } }', {}, [["filter", "categoryId"]]],
    [
      "query($f: ProductFilter) { products(filter: $f) { totalCount } }",
      { f: { minPrice: -1 } },
      [["filter", "minPrice"]],
    ],
    [
      "query($p: SafeInt) { products(filter: { maxPrice: $p }) { totalCount } }",
      { p: -1 },
      [["filter", "maxPrice"]],
    ],
    ["query($t: String) { brands(text: $t) { totalCount } }", { t: "x".repeat(201) }, [["text"]]],
    ["query($ids: [ID!]!) { nodes(ids: $ids) { id } }", { ids: Array(101).fill("x") }, [["ids"]]],
    ['{ leaderboard(slug: "a") { around(owner: "b", radius: 51) { rank } } }', {}, [["radius"]]],
    ['{ leaderboard(slug: "a") { entries(fromRank: 0) { totalCount } } }', {}, [["fromRank"]]],
    [
      "{ ...A } fragment A on Query { ...B } fragment B on Query { brands(first: 0) { " +
        "totalCount } }",
      {},
      [["first"]],
    ],
    ["{ node(id: 1) { ... on Product { reviews(first: 0) { totalCount } } } }", {}, [["first"]]],
    [
      "query($y: Boolean!) { brands(first: 0) @include(if: $y) { totalCount } }",
      { y: true },
      [["first"]],
    ],
    [
      "query($y: Boolean!) { brands(first: 0) @include(if: $y) { totalCount } __typename }",
      { y: false },
      null,
    ],
    [
      "query($y: Boolean!) { ...A @skip(if: $y) __typename } fragment A on Query { " +
        "brands(first: 0) { totalCount } }",
      { y: true },
      null,
    ],
    [
      "{ a: brands(first: 0) { totalCount } b: brands(first: 101) { totalCount } }",
      {},
      [["first"], ["first"]],
    ],
    [
      "query($id: ID = null) { product(id: $id) { id } }".replace("= null", '= "a"'),
      { id: null },
      [expect.stringContaining("must not be null")],
    ],
  ];

  it.each(ROWS)(
    "An invalid argument is refused before anything runs, and only then: %s %j",
    (query, variables, expected) => {
      expect(refusal(query, variables)).toEqual(expected);
    },
  );

  /**
   * What depends on the board, or on another argument, is known to the field. A subscription reads
   * its arguments before it begins.
   */
  const isKnownLater = (place: string): boolean =>
    place.endsWith(".period") ||
    place === "Leaderboard.entries.after" ||
    place.startsWith("Subscription.");

  it("Every argument that promises BAD_USER_INPUT is refused early.", () => {
    const promised = Object.values(shop.getTypeMap()).flatMap((type) => {
      if (isInputObjectType(type))
        return Object.values(type.getFields()).map((field) => ({
          place: `${type.name}.${field.name}`,
          ...field,
        }));
      if (!isObjectType(type)) return [];
      return Object.values(type.getFields()).flatMap(({ name, args }) =>
        args.map((argument) => ({ place: `${type.name}.${name}.${argument.name}`, ...argument })),
      );
    });
    const late = promised.filter(
      ({ description, extensions }) => description?.includes("BAD_USER_INPUT") && !extensions.rule,
    );
    expect(late.map(({ place }) => place).filter((place) => !isKnownLater(place))).toEqual([]);
  });
});
