/**
 * Values of arguments, as far as prices need them: numbers,
 * flags, texts and lengths of lists.
 */
import { type FieldNode, Kind, type ValueNode } from "graphql";
import { own } from "../../domain/own.js";

/** Coerced variables with defaults: what execution sees. */
export type Variables = Readonly<Record<string, unknown>>;

export type ReadArgument = (variables: Variables) => unknown;

/**
 * Reads an argument, or a member of it.
 * @param path such as `filter.text`
 */
export function argumentReader(path: string, node: FieldNode): ReadArgument {
  const [name, ...members] = path.split(".");
  const given = node.arguments?.find((argument) => argument.name.value === name)?.value;
  return given ? (variables) => readNode(given, members, variables) : () => undefined;
}

function readNode(node: ValueNode, members: readonly string[], variables: Variables): unknown {
  if (node.kind === Kind.VARIABLE) return inputMember(own(variables, node.name.value), members);
  const [member, ...rest] = members;
  if (member === undefined) return literalOf(node);
  const field =
    node.kind === Kind.OBJECT ? node.fields.find(({ name }) => name.value === member) : undefined;
  return field && readNode(field.value, rest, variables);
}

function inputMember(value: unknown, members: readonly string[]): unknown {
  let found = value;
  for (const member of members) {
    if (typeof found !== "object" || found === null) return undefined;
    found = own(found as Variables, member);
  }
  return found;
}

/** A list as its items, an object as anything truthy. */
function literalOf(node: ValueNode): unknown {
  if (node.kind === Kind.INT || node.kind === Kind.FLOAT) return Number(node.value);
  if (node.kind === Kind.NULL) return null;
  if (node.kind === Kind.LIST) return node.values;
  return "value" in node ? node.value : node;
}
