/**
 * Checks input before execution: variables, coerced once for
 * pricing, and the bounds of arguments (schema/argument-rule.ts).
 *
 * A rejection has run nothing. Execution coerces again, with the
 * same errors.
 */
import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLArgument,
  GraphQLError,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLNamedType,
  type GraphQLSchema,
  getArgumentValues,
  getNamedType,
  getNullableType,
  getOperationAST,
  getVariableValues,
  isInputObjectType,
  isInterfaceType,
  isListType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from "graphql";
import type { ArgumentRule } from "../../domain/argument-rules.js";
import { BadUserInput } from "../../domain/errors.js";
import { own } from "../../domain/own.js";
import type { Variables } from "./argument-value.js";
import { onceForConditions } from "./conditions.js";
import { fieldOf, isIncluded } from "./cost-plan.js";

/** Input that execution would reject; nothing has run. */
export class InvalidInput extends Error {
  constructor(readonly errors: readonly GraphQLError[]) {
    super(errors[0]?.message);
  }
}

/** As execution does. */
const MAX_VARIABLE_ERRORS = 50;

/** As execution sees them. Throws InvalidInput with its errors. */
export function coerceVariables(
  schema: GraphQLSchema,
  { variableDefinitions = [] }: OperationDefinitionNode,
  given: Readonly<Record<string, unknown>> | null | undefined,
): Variables {
  const { coerced, errors } = getVariableValues(schema, variableDefinitions, given ?? {}, {
    maxErrors: MAX_VARIABLE_ERRORS,
  });
  if (errors) throw new InvalidInput(errors);
  return coerced;
}

/** Checks arguments by their declared bounds. Throws InvalidInput. */
export type CheckArguments = (operation: CheckedArgument, variables: Variables) => void;

interface CheckedArgument {
  readonly document: DocumentNode;
  readonly operationName: string | null | undefined;
}

export function createArgumentCheck(schema: GraphQLSchema): CheckArguments {
  const known = new WeakMap<FieldNode, GivenField>();
  const fieldsOf = onceForConditions(({ document, operation, variables }) =>
    new ArgumentWalk(schema, document, variables)
      .fieldsOf(operation)
      // Lists of all conditions share their members.
      .map((given) => {
        const shared = known.get(given.node) ?? given;
        known.set(given.node, shared);
        return shared;
      }),
  );
  return ({ document, operationName }, variables) => {
    const operation = getOperationAST(document, operationName);
    if (!operation) return;
    const fields = fieldsOf({ document, operation, variables });
    const errors = fields.flatMap(({ field, node }) => argumentErrors(field, node, variables));
    if (errors.length > 0) throw new InvalidInput(errors);
  };
}

/** A field with arguments. */
interface GivenField {
  readonly field: GraphQLField<unknown, unknown>;
  readonly node: FieldNode;
}

/** Visits each field that conditions keep, and each fragment once. */
class ArgumentWalk {
  private readonly given: GivenField[] = [];
  /** Fragments not visited yet. */
  private readonly fragments = new Map<string, FragmentDefinitionNode>();

  constructor(
    private readonly schema: GraphQLSchema,
    document: DocumentNode,
    private readonly variables: Variables,
  ) {
    for (const definition of document.definitions)
      if (definition.kind === Kind.FRAGMENT_DEFINITION)
        this.fragments.set(definition.name.value, definition);
  }

  /** Fields with arguments. */
  fieldsOf({ operation, selectionSet }: OperationDefinitionNode): readonly GivenField[] {
    const root = this.schema.getRootType(operation);
    if (root) this.visit(root, selectionSet);
    return this.given;
  }

  private visit(type: GraphQLNamedType | undefined, { selections }: SelectionSetNode): void {
    for (const selection of selections) {
      if (!isIncluded(selection.directives, this.variables)) continue;
      if (selection.kind === Kind.FIELD) this.field(type, selection);
      else if (selection.kind === Kind.INLINE_FRAGMENT)
        this.visit(
          selection.typeCondition ? this.schema.getType(selection.typeCondition.name.value) : type,
          selection.selectionSet,
        );
      else this.spread(selection.name.value);
    }
  }

  private spread(name: string): void {
    const fragment = this.fragments.get(name);
    this.fragments.delete(name);
    if (fragment)
      this.visit(this.schema.getType(fragment.typeCondition.name.value), fragment.selectionSet);
  }

  private field(type: GraphQLNamedType | undefined, node: FieldNode): void {
    const field =
      isObjectType(type) || isInterfaceType(type) ? fieldOf(type, node.name.value) : undefined;
    if (!field) return;
    if (node.arguments?.length) this.given.push({ field, node });
    if (node.selectionSet) this.visit(getNamedType(field.type), node.selectionSet);
  }
}

function argumentErrors(
  field: GraphQLField<unknown, unknown>,
  node: FieldNode,
  variables: Variables,
): GraphQLError[] {
  try {
    const values = getArgumentValues(field, node, variables);
    return field.args.flatMap((argument) =>
      valueErrors(argument, own(values, argument.name), [argument.name]).map((error) =>
        at(node, error),
      ),
    );
  } catch (error) {
    // A variable is absent or null where a value is required.
    if (error instanceof GraphQLError) return [error];
    throw error;
  }
}

const at = (nodes: FieldNode, originalError: BadUserInput): GraphQLError =>
  new GraphQLError(originalError.message, { nodes, originalError });

/** An argument, or a field of an input object. */
type Input = Pick<GraphQLArgument, "type" | "extensions">;

/** Null and absence mean the default, which is valid. */
function valueErrors(
  { type, extensions }: Input,
  value: unknown,
  path: readonly string[],
): BadUserInput[] {
  if (value === null || value === undefined) return [];
  const { rule } = extensions;
  const why = typeof rule === "function" ? (rule as ArgumentRule)(value) : null;
  return why === null
    ? nestedErrors(type, value, path)
    : [new BadUserInput(`${path.join(".")} ${why}`, path)];
}

function nestedErrors(
  type: GraphQLInputType,
  value: unknown,
  path: readonly string[],
): BadUserInput[] {
  const nullable = getNullableType(type);
  if (isListType(nullable) && Array.isArray(value))
    return value.flatMap((item) => nestedErrors(nullable.ofType, item, path));
  if (!isInputObjectType(nullable) || typeof value !== "object" || value === null) return [];
  const members = value as Readonly<Record<string, unknown>>;
  return Object.values(nullable.getFields()).flatMap((field) =>
    valueErrors(field, own(members, field.name), [...path, field.name]),
  );
}
