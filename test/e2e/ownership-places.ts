/**
 * Where the schema takes the id of something, found by walking it: whatever is added is found too.
 */
import {
  type GraphQLArgument,
  type GraphQLInputField,
  type GraphQLInputObjectType,
  type GraphQLSchema,
  getNamedType,
  isInputObjectType,
  isInterfaceType,
  isIntrospectionType,
  isObjectType,
} from "graphql";

/**
 * Texts that name a thing although their type does not say so: cursors, keys, tokens, ids of
 * another kind.
 */
const NAMING = /(^|[a-z])(id|ids|cursor|key|token)$|^(after|before|upTo)$/i;

/**
 * Every place of a schema where a client names a thing: `Type.field(argument)`,
 * `Type.field(argument.inputField)`, and `node(Type)` and `nodes(Type)` for each type that has a
 * global id.
 */
export function placesOf(schema: GraphQLSchema): string[] {
  const objects = Object.values(schema.getTypeMap()).filter(
    (type) => isObjectType(type) && !isIntrospectionType(type),
  );
  const inArguments = objects.flatMap((type) =>
    isObjectType(type)
      ? Object.values(type.getFields()).flatMap(({ name, args }) =>
          args.flatMap((arg) => pathsOf(arg, []).map((path) => `${type.name}.${name}(${path})`)),
        )
      : [],
  );
  const node = schema.getType("Node");
  const nodes = isInterfaceType(node)
    ? schema.getPossibleTypes(node).flatMap(({ name }) => [`node(${name})`, `nodes(${name})`])
    : [];
  return [...inArguments, ...nodes].sort();
}

/**
 * Paths of an argument or input field, itself included, that name a thing. An input that holds
 * itself is walked once.
 */
function pathsOf(
  { name, type }: GraphQLArgument | GraphQLInputField,
  above: readonly GraphQLInputObjectType[],
): string[] {
  const named = getNamedType(type);
  if (isInputObjectType(named)) {
    if (above.includes(named)) return [];
    return Object.values(named.getFields()).flatMap((field) =>
      pathsOf(field, [...above, named]).map((path) => `${name}.${path}`),
    );
  }
  return named.name === "ID" || (named.name === "String" && NAMING.test(name)) ? [name] : [];
}
