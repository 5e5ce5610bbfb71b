/**
 * No private field ever travels in a shared message: what a document may share is at most what its
 * strictest field allows.
 */
import fc from "fast-check";
import {
  type DocumentNode,
  execute,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  type InlineFragmentNode,
  isAbstractType,
  isInterfaceType,
  isObjectType,
  Kind,
  OperationTypeNode,
  parse,
  type SelectionSetNode,
} from "graphql";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { resolverClassesOf, SUBJECTS } from "../../../src/app/subjects.js";
import { type AnswerScope, SCOPES } from "../../../src/domain/scope.js";
import { buildSoukSchema } from "../../../src/schema/build-schema.js";
import { createAnswerPlanner } from "../../../src/server/operation/answer-plan.js";
import { drillSize } from "../../support/drill.js";
import { randomSelection } from "../operation/random-documents.js";
import { connectSocket, type SocketClient } from "../websocket/socket-client.js";
import { type BoardServer, boardSchema, startBoards, userOf } from "./leaderboard-server.js";

const resolverClasses = resolverClassesOf(SUBJECTS);

/** Queries whose answers are shared. */
const CATALOGUE_ROOTS = ["product", "products", "category", "categories", "brands"];

const choices = fc.array(fc.nat(9_999), { minLength: 80, maxLength: 80 });
const nobody = { get: () => undefined };
const soukSchema = (): GraphQLSchema =>
  buildSoukSchema({
    resolvers: resolverClasses,
    container: nobody,
    pubSub: { publish() {}, subscribe: () => [] as never },
  });

const fieldsOf = (schema: GraphQLSchema): [string, GraphQLField<unknown, unknown>][] =>
  Object.values(schema.getTypeMap()).flatMap((type) =>
    (isObjectType(type) || isInterfaceType(type)) && !type.name.startsWith("__")
      ? Object.values(type.getFields()).map((field): [string, GraphQLField<unknown, unknown>] => [
          `${type.name}.${field.name}`,
          field,
        ])
      : [],
  );

/**
 * Every scope that any execution of a document could meet: an abstract type is tried as each of its
 * types, one after the other.
 */
class Oracle {
  readonly met = new Set<AnswerScope>();
  /** Whether the answer hangs on what nobody knows before it is executed. */
  guessed = false;
  private readonly document: DocumentNode;

  constructor(
    private readonly schema: GraphQLSchema,
    text: string,
  ) {
    this.document = parse(text);
    const operation = this.document.definitions.find(
      (one) => one.kind === Kind.OPERATION_DEFINITION,
    )!;
    this.visit(operation.selectionSet, schema.getRootType(operation.operation)!);
  }

  get strictest(): number {
    return Math.max(0, ...[...this.met].map((scope) => SCOPES.indexOf(scope)));
  }

  private visit({ selections }: SelectionSetNode, object: GraphQLObjectType): void {
    for (const selection of selections) {
      if (selection.kind === Kind.FIELD) this.field(selection, object);
      else
        this.fragment(
          selection.kind === Kind.INLINE_FRAGMENT ? selection : this.named(selection.name.value),
          object,
        );
    }
  }

  private field({ name, selectionSet }: FieldNode, object: GraphQLObjectType): void {
    const field = object.getFields()[name.value];
    if (!field) return;
    this.met.add((field.extensions.scope as AnswerScope | undefined) ?? "VIEWER");
    if (selectionSet)
      for (const each of this.objects(getNamedType(field.type))) this.visit(selectionSet, each);
  }

  private fragment(
    { typeCondition, selectionSet }: InlineFragmentNode | FragmentDefinitionNode,
    object: GraphQLObjectType,
  ): void {
    this.guessed = true;
    const on = typeCondition ? this.schema.getType(typeCondition.name.value)! : object;
    if (this.objects(on).includes(object)) this.visit(selectionSet, object);
  }

  private named(name: string): FragmentDefinitionNode {
    return this.document.definitions.find(
      (one) => one.kind === Kind.FRAGMENT_DEFINITION && one.name.value === name,
    ) as FragmentDefinitionNode;
  }

  private objects(type: GraphQLNamedType): readonly GraphQLObjectType[] {
    if (!isAbstractType(type)) return [type as GraphQLObjectType];
    this.guessed = true;
    return this.schema.getPossibleTypes(type);
  }
}

describe("the scope of a document", () => {
  test("It is never wider than the strictest field it can reach, over random documents.", () => {
    const planned = new Map<AnswerScope, number>();
    fc.assert(
      fc.property(
        choices,
        fc.constantFrom(OperationTypeNode.QUERY, OperationTypeNode.SUBSCRIPTION),
        fc.infiniteStream(fc.constantFrom(...SCOPES, undefined)),
        (numbers, kind, scopes) => {
          const schema = soukSchema();
          // Most fields are public, or no document would be.
          for (const [at, [, field]] of fieldsOf(schema).entries()) {
            const scope = numbers[at % numbers.length]! % 7 === 0 ? scopes.next().value : "PUBLIC";
            field.extensions = scope === undefined ? {} : { scope };
          }
          const root = schema.getRootType(kind)!;
          const { selection, fragments } = randomSelection(schema, root, { choices: numbers });
          const text = `${kind} ${selection}\n${fragments}`;
          const { scope } = createAnswerPlanner(schema)(parse(text), undefined);
          planned.set(scope, (planned.get(scope) ?? 0) + 1);
          const { strictest, guessed } = new Oracle(schema, text);
          expect(SCOPES.indexOf(scope)).toBeGreaterThanOrEqual(strictest);
          if (!guessed) expect(SCOPES.indexOf(scope)).toBe(strictest);
        },
      ),
      { numRuns: drillSize({ sample: 150, full: 10_000 }), seed: 5 },
    );
    expect([...planned.keys()].sort()).toEqual([...SCOPES].sort());
  });

  test("It is VIEWER where nothing is declared, and for every account, session and caller.", () => {
    const schema = soukSchema();
    const declared = fieldsOf(schema).filter(
      ([, { extensions }]) => extensions.scope !== undefined,
    );
    expect(declared.map(([name]) => name)).toContain("Product.price");
    expect(
      declared
        .filter(([name]) => /^(User|Viewer|Session|Query|Mutation)\./.test(name))
        .map(([name]) => name)
        .sort(),
    ).toEqual(["User.id", ...CATALOGUE_ROOTS.map((name) => `Query.${name}`)].sort());
    const plan = createAnswerPlanner(schema);
    expect(plan(parse("{ viewer { email } }"), undefined).scope).toBe("VIEWER");
    expect(
      plan(
        parse(
          'subscription { productChanged(ids: ["x"]) { product { reviews { edges { node { ' +
            "author } } } } } }",
        ),
        undefined,
      ),
    ).toMatchObject({
      scope: "PUBLIC",
      delivery: "SNAPSHOT",
    });
  });

  test("Only public fields are cached, and none of counters, leaderboards or changes.", () => {
    const cached = fieldsOf(soukSchema()).filter(([, { extensions }]) => extensions.cached);
    expect(cached.filter(([, { extensions }]) => extensions.scope !== "PUBLIC")).toEqual([]);
    // Ids, and fields of every connection, are nothing without those beside them.
    const telling = cached
      .map(([name]) => name)
      .filter((name) => !/(Edge|Connection)\.|\.id$/.test(name));
    expect(telling.filter((name) => /Stats|Leaderboard|Changed|Payload|Viewer/.test(name))).toEqual(
      [],
    );
    const plan = createAnswerPlanner(soukSchema());
    const isCached = (text: string) => plan(parse(text), null).cached;
    expect(isCached('{ product(id: "1") { name brand { name } } }')).toBe(true);
    expect(isCached('{ product(id: "1") { name stats { views } } }')).toBe(false);
    expect(isCached('{ leaderboard(slug: "a") { title } }')).toBe(false);
  });

  test("The scope is found at once, however often fragments spread others.", () => {
    const { schema } = boardSchema();
    const nested = Array.from(
      { length: 60 },
      (_, at) => `fragment F${at} on Board { self { ...F${at + 1} } self { ...F${at + 1} } }`,
    );
    const text =
      `subscription { board(slugs: ["a"]) { ...F0 } } ${nested.join(" ")} fragment F60 on ` +
      "Board { whoAmI }";
    expect(createAnswerPlanner(schema)(parse(text), undefined).scope).toBe("VIEWER");
  });
});

describe("over real sockets", () => {
  const ASKERS = ["", "CUSTOMER-7", "CUSTOMER-8", "ADMIN-1", "ADMIN-2"];
  let server: BoardServer;
  let clients: SocketClient[];
  beforeAll(async () => {
    server = await startBoards({ LIMIT_COST: "20000", LIMIT_DEPTH: "50", LIMIT_TOKENS: "5000" });
    clients = await Promise.all(
      ASKERS.map((token) =>
        connectSocket(server.live, token ? { authorization: `Bearer ${token}` } : {}),
      ),
    );
  });
  afterAll(async () => {
    for (const { socket } of clients) socket.terminate();
    await server.close();
  });

  test("Subscribers of a group get the answers that they would get alone.", async () => {
    const { schema } = boardSchema();
    const board = schema.getType("Board") as GraphQLObjectType;
    let [operations, groups] = [0, 0];
    await fc.assert(
      fc.asyncProperty(choices, fc.nat(3), async (numbers, version) => {
        const { selection, fragments } = randomSelection(schema, board, {
          choices: numbers,
          depth: 3,
        });
        const query = `subscription { board(slugs: ["a"]) ${selection} }\n${fragments}`;
        server.boards.set("a", version);
        const id = `${++operations}`;
        for (const client of clients) client.send({ id, type: "subscribe", payload: { query } });
        const answers = await Promise.all(clients.map((client) => client.next()));
        groups += await server.metric("souk_fan_out_groups");
        for (const [at, token] of ASKERS.entries()) {
          const principal = userOf(token) ?? { kind: "anonymous" };
          const own = boardSchema();
          own.boards.set("a", version);
          const alone = await execute({
            schema: own.schema,
            document: parse(query),
            rootValue: { id: "a" },
            contextValue: { principal },
          });
          expect(answers[at]?.payload).toEqual(JSON.parse(JSON.stringify(alone)));
        }
        for (const client of clients) {
          client.send({ id, type: "complete" });
          client.send({ type: "ping" });
        }
        expect(
          new Set(
            (await Promise.all(clients.map((client) => client.next()))).map(({ type }) => type),
          ),
        ).toEqual(new Set(["pong"]));
      }),
      { numRuns: drillSize({ sample: 80, full: 3_000 }), seed: 3 },
    );
    // Something was shared, and something was not.
    expect(groups).toBeGreaterThan(operations);
    expect(groups).toBeLessThan(operations * ASKERS.length);
  });
});
