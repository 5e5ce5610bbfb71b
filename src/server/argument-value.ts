/**
 * What a document and its variables give for an argument, as far as prices look at it: numbers, flags, texts, and how long lists are.
 * Names come from clients, so a variable is looked up among the own members of its object alone.
 */
import { type FieldNode, Kind, type OperationDefinitionNode, type ValueNode } from "graphql";

/** Values of variables by their names. */
export type Variables = Readonly<Record<string, unknown>>;

/** Looks up the value of one argument. */
export type ReadArgument = (variables: Variables) => unknown;

/** Reads an argument, or a member of it. @param path the name of the argument, then of members: `filter.text` */
export function argumentReader(path: string, node: FieldNode, operation: OperationDefinitionNode): ReadArgument {
  const [name, ...members] = path.split(".");
  const given = node.arguments?.find((argument) => argument.name.value === name)?.value;
  return given ? (variables) => readNode(given, members, { operation, variables }) : () => undefined;
}

interface Given {
  readonly operation: OperationDefinitionNode;
  readonly variables: Variables;
}

function readNode(node: ValueNode, members: readonly string[], given: Given): unknown {
  if (node.kind === Kind.VARIABLE) return memberOf(variableOf(node.name.value, given), members);
  const [member, ...rest] = members;
  if (member === undefined) return literalOf(node);
  const field = node.kind === Kind.OBJECT ? node.fields.find(({ name }) => name.value === member) : undefined;
  return field && readNode(field.value, rest, given);
}

/** The value of a variable, or its default. */
function variableOf(name: string, { operation, variables }: Given): unknown {
  if (Object.hasOwn(variables, name) && variables[name] !== undefined) return variables[name];
  const defaultValue = operation.variableDefinitions?.find(({ variable }) => variable.name.value === name)?.defaultValue;
  return defaultValue && plainOf(defaultValue);
}

function memberOf(value: unknown, members: readonly string[]): unknown {
  let found = value;
  for (const member of members) {
    if (typeof found !== "object" || found === null || !Object.hasOwn(found, member)) return undefined;
    found = (found as Variables)[member];
  }
  return found;
}

/** A literal: for a list, as many items; for an object, something that is there. */
function literalOf(node: ValueNode): unknown {
  if (node.kind === Kind.INT || node.kind === Kind.FLOAT) return Number(node.value);
  if (node.kind === Kind.NULL) return null;
  if (node.kind === Kind.LIST) return node.values;
  return "value" in node ? node.value : node;
}

/** A constant with its members, which a default may have. */
function plainOf(node: ValueNode): unknown {
  if (node.kind === Kind.OBJECT) return Object.fromEntries(node.fields.map(({ name, value }) => [name.value, plainOf(value)]));
  return literalOf(node);
}
