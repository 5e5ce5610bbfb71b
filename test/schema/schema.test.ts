import { readFileSync } from "node:fs";
import { CriticalityLevel, diff } from "@graphql-inspector/core";
import {
  buildSchema,
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isIntrospectionType,
  isObjectType,
  isSpecifiedScalarType,
} from "graphql";
import { describe, expect, it } from "vitest";
import { resolverClassesOf, SUBJECTS } from "../../src/app/subjects.js";
import { encodeId, NODE_TYPES } from "../../src/domain/ids.js";
import { buildSoukSchema, printSoukSchema } from "../../src/schema/build-schema.js";

const resolverClasses = resolverClassesOf(SUBJECTS);

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), "utf8");
const emitted = printSoukSchema(resolverClasses);
const schema = buildSchema(emitted);

/** What a client of `old` would notice, one line each; `levels` says how much it would hurt. */
async function changesSince(old: string, levels: readonly CriticalityLevel[]): Promise<string[]> {
  const changes = await diff(buildSchema(old), schema);
  return changes
    .filter(({ criticality }) => levels.includes(criticality.level))
    .map(({ message }) => message);
}

/** A named type's members and their arguments, each with its path. */
function membersOf(
  type: GraphQLNamedType,
): { path: string; description?: string | null | undefined }[] {
  if (isEnumType(type))
    return type
      .getValues()
      .map(({ name, description }) => ({ path: `${type.name}.${name}`, description }));
  if (isInputObjectType(type))
    return Object.values(type.getFields()).map(({ name, description }) => ({
      path: `${type.name}.${name}`,
      description,
    }));
  if (!isObjectType(type) && !isInterfaceType(type)) return [];
  return Object.values(type.getFields()).flatMap(({ name, description, args }) => [
    { path: `${type.name}.${name}`, description },
    ...args.map((arg) => ({
      path: `${type.name}.${name}(${arg.name}:)`,
      description: arg.description,
    })),
  ]);
}

describe("the schema", () => {
  it("The schema equals the committed SDL.", () => {
    expect(
      emitted === read("../../src/schema/schema.graphql"),
      "src/schema/schema.graphql is not what the classes say: run `npm run codegen` and " +
        "commit what it writes.",
    ).toBe(true);
  });

  it("The schema holds everything that clients were promised.", async () => {
    expect(
      await changesSince(read("./contract.graphql"), [CriticalityLevel.Breaking]),
      "the contract of test/schema/contract.graphql is broken",
    ).toEqual([]);
  });

  it("The schema keeps the defaults that clients were promised.", async () => {
    const dangerous = await changesSince(read("./contract.graphql"), [CriticalityLevel.Dangerous]);
    expect(dangerous.filter((message) => /default/i.test(message))).toEqual([]);
  });

  it("The schema breaks no client of the last release.", async () => {
    const advice = [
      "the schema breaks clients of the last release (test/schema/released.graphql).",
      "Keep what they use and add the new beside it: a new field, an optional argument, a " +
        "nullable type; mark the old with deprecationReason.",
      "Where the break is meant: run `npm run codegen`, copy src/schema/schema.graphql over " +
        "test/schema/released.graphql, and say in CHANGELOG.md what clients have to do.",
    ].join(" ");
    expect(
      await changesSince(read("./released.graphql"), [CriticalityLevel.Breaking]),
      advice,
    ).toEqual([]);
  });

  it("The schema describes every type, field, argument, enum value and input field.", () => {
    const own = Object.values(schema.getTypeMap()).filter(
      (type) => !isIntrospectionType(type) && !isSpecifiedScalarType(type),
    );
    const words = own.flatMap((type) => [
      { path: type.name, description: type.description },
      ...membersOf(type),
    ]);
    expect(
      words
        .filter(({ description }) => !description || description.length < 10)
        .map(({ path }) => path),
    ).toEqual([]);
  });

  it("The schema names the delivery class of every subscription.", () => {
    const subscriptions = Object.values(schema.getSubscriptionType()?.getFields() ?? {});
    expect(subscriptions.length).toBeGreaterThan(0);
    expect(
      subscriptions
        .filter(({ description }) => !/Delivery class: (snapshot|log)\./.test(description ?? ""))
        .map(({ name }) => name),
    ).toEqual([]);
  });

  it("The schema resolves every node's type from its id, without waiting.", () => {
    const built = builtSchema();
    const node = built.getType("Node");
    if (!isInterfaceType(node)) throw new Error("Node is not an interface");
    expect(
      built
        .getImplementations(node)
        .objects.map(({ name }) => name)
        .sort(),
    ).toEqual([...NODE_TYPES].sort());
    const typeOf = (id: string): unknown =>
      node.resolveType?.({ id }, undefined, undefined as never, node);
    expect(NODE_TYPES.map((type) => typeOf(encodeId(type, 7)))).toEqual([...NODE_TYPES]);
  });

  it("What is private to an account is reached by look-ups of admins alone, and never shared.", () => {
    const objects = Object.values(schema.getTypeMap()).filter(isObjectType);
    const placesOf = (name: string): string[] =>
      objects.flatMap((type) =>
        Object.values(type.getFields())
          .filter((field) => getNamedType(field.type).name === name)
          .map((field) => `${type.name}.${field.name}`),
      );
    expect(placesOf("Account").sort()).toEqual(["Query.user", "UserEdge.node"]);
    expect(placesOf("UserConnection")).toEqual(["Query.users"]);
    expect(placesOf("AuditLogEntry")).toEqual(["AuditLogEdge.node"]);
    expect(placesOf("AuditLogConnection")).toEqual(["Query.auditLog"]);
    expect(placesOf("Session").sort()).toEqual(["Account.sessions", "Viewer.sessions"]);
    const fields = builtSchema().getQueryType()?.getFields() ?? {};
    for (const name of ["user", "users", "auditLog"])
      expect([name, fields[name]?.extensions.scope]).toEqual([name, undefined]);
    expect(fields.products?.extensions.scope).toBe("PUBLIC");
  });
});

const builtSchema = (): GraphQLSchema =>
  buildSoukSchema({
    resolvers: resolverClasses,
    container: { get: () => undefined },
    pubSub: { publish() {}, subscribe: () => never() },
  });

async function* never(): AsyncGenerator<never> {}
