/**
 * The root of a subscription: one field, whatever the variables.
 *
 * The specification's rule collects root fields without
 * variables. It throws where `@skip` or `@include` uses one. It
 * passes a root without fields, on which execution fails.
 */
import {
  type ASTVisitor,
  type DirectiveNode,
  GraphQLError,
  getEnterLeaveForKind,
  Kind,
  type OperationDefinitionNode,
  type SelectionNode,
  type SelectionSetNode,
  SingleFieldSubscriptionsRule,
  type ValidationContext,
} from "graphql";

/** The specification's rule, for roots that it can collect. */
export function subscriptionRootRule(context: ValidationContext): ASTVisitor {
  const { enter: checkCount } = getEnterLeaveForKind(
    SingleFieldSubscriptionsRule(context),
    Kind.OPERATION_DEFINITION,
  );
  return {
    OperationDefinition(...visit) {
      const [operation] = visit;
      if (operation.operation !== "subscription") return;
      const fault = faultOf(context, operation);
      if (fault) context.reportError(new GraphQLError(fault, { nodes: operation }));
      else return checkCount?.(...visit);
    },
  };
}

function faultOf(
  context: ValidationContext,
  { selectionSet }: OperationDefinitionNode,
): string | null {
  const found = { fields: 0, undecided: false };
  readRoot(context, selectionSet, { found, seen: new Set() });
  if (found.undecided)
    return "At the root of a subscription, @skip and @include take true or false, and no variable.";
  return found.fields === 0 ? "The subscription selects nothing." : null;
}

interface RootScan {
  readonly found: { fields: number; undecided: boolean };
  /** Visited fragments; they may be recursive. */
  readonly seen: Set<string>;
}

function readRoot(
  context: ValidationContext,
  { selections }: SelectionSetNode,
  reading: RootScan,
): void {
  for (const selection of selections) {
    const selected = isSelected(selection);
    if (selected === null) reading.found.undecided = true;
    if (!selected) continue;
    if (selection.kind === Kind.FIELD) reading.found.fields++;
    else if (selection.kind === Kind.INLINE_FRAGMENT)
      readRoot(context, selection.selectionSet, reading);
    else readFragment(context, selection.name.value, reading);
  }
}

function readFragment(context: ValidationContext, name: string, reading: RootScan): void {
  if (reading.seen.has(name)) return;
  reading.seen.add(name);
  const fragment = context.getFragment(name);
  if (fragment) readRoot(context, fragment.selectionSet, reading);
}

/** Null where a condition is no literal true or false. */
function isSelected({ directives = [] }: SelectionNode): boolean | null {
  const conditions = directives
    .filter(({ name }) => name.value === "skip" || name.value === "include")
    .map(conditionValue);
  return conditions.includes(null) ? null : !conditions.includes(false);
}

function conditionValue({ name, arguments: given = [] }: DirectiveNode): boolean | null {
  const values = given.filter((argument) => argument.name.value === "if").map(({ value }) => value);
  const [condition] = values;
  if (values.length !== 1 || condition?.kind !== Kind.BOOLEAN) return null;
  return condition.value === (name.value === "include");
}
