/**
 * Builds the schema from resolver classes. Nothing runs before
 * the call.
 */
import {
  type GraphQLSchema,
  isInterfaceType,
  isUnionType,
  lexicographicSortSchema,
  printSchema,
} from "graphql";
import { GraphQLDateTime } from "graphql-scalars";
import { buildSchemaSync, type ContainerType, type NonEmptyArray, type PubSub } from "type-graphql";
import { decodeId } from "../domain/ids.js";
import { Node } from "./node.js";

/** A class that type-graphql calls methods of. */
// biome-ignore lint/complexity/noBannedTypes: this is type-graphql's own type for classes.
export type ResolverClass = Function;

export interface SchemaDeps {
  /** Classes decorated with `@Resolver`. */
  readonly resolvers: NonEmptyArray<ResolverClass>;
  /** Gives the instance of each class, with its services. */
  readonly container: ContainerType;
  /** Source of subscription events. */
  readonly pubSub: PubSub;
}

/** type-graphql makes the root types itself, without descriptions. */
const ROOT_DESCRIPTIONS = {
  Query: "What can be read. Reads never change anything and can be repeated at will.",
  Mutation:
    "What can be changed. Fields run one after the other; expected failures are data in " +
    "`errors` of each payload.",
  Subscription:
    "What can be watched over a WebSocket (`graphql-transport-ws`). Each field's description " +
    "names its delivery class.",
} as const;

/**
 * Throws when the classes do not fit together. Needs no
 * connection.
 */
export function buildSoukSchema({ resolvers, container, pubSub }: SchemaDeps): GraphQLSchema {
  const schema = buildSchemaSync({
    resolvers,
    container,
    pubSub,
    scalarsMap: [{ type: Date, scalar: GraphQLDateTime }],
    validate: false,
  });
  describeRootTypes(schema);
  tellNodesApart(schema);
  tellMembersApart(schema);
  return schema;
}

function describeRootTypes(schema: GraphQLSchema): void {
  for (const type of [
    schema.getQueryType(),
    schema.getMutationType(),
    schema.getSubscriptionType(),
  ]) {
    if (type) type.description = ROOT_DESCRIPTIONS[type.name as keyof typeof ROOT_DESCRIPTIONS];
  }
}

/**
 * The id names the type. Set here, because type-graphql makes
 * every resolveType asynchronous, which a compiling executor
 * cannot follow.
 */
function tellNodesApart(schema: GraphQLSchema): void {
  const node = schema.getType(Node.name);
  if (isInterfaceType(node)) node.resolveType = ({ id }: Node) => decodeId(id)?.type;
}

/**
 * Members of a union carry their type's name. Set here for the
 * same reason.
 */
function tellMembersApart(schema: GraphQLSchema): void {
  for (const type of Object.values(schema.getTypeMap())) {
    if (isUnionType(type))
      type.resolveType = ({ __typename }: { __typename: string }) => __typename;
  }
}

/** The SDL, sorted by name for stable diffs. Needs no service. */
export function printSoukSchema(resolvers: NonEmptyArray<ResolverClass>): string {
  const nobody = { get: () => undefined };
  const nothing = { publish() {}, subscribe: () => nowhere() };
  const schema = buildSoukSchema({ resolvers, container: nobody, pubSub: nothing });
  return `${printSchema(lexicographicSortSchema(schema))}\n`;
}

async function* nowhere(): AsyncGenerator<never> {}
