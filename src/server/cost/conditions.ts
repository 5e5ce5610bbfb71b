/** What depends on a document and its conditions alone, found once. */
import {
  type DocumentNode,
  Kind,
  type OperationDefinitionNode,
  type VariableNode,
  visit,
} from "graphql";
import type { Variables } from "./argument-value.js";
import { isTrue } from "./cost-plan.js";

export interface ConditionedOperation {
  readonly document: DocumentNode;
  readonly operation: OperationDefinitionNode;
  readonly variables: Variables;
}

/**
 * Conditions make several results for a document; trying all
 * must not fill the memory.
 */
const MAX_RESULTS = 16;

/** @param find uses variables for conditions alone */
export function onceForConditions<T>(
  find: (operation: ConditionedOperation) => T,
): (operation: ConditionedOperation) => T {
  const known = new WeakMap<OperationDefinitionNode, Map<string, { readonly found: T }>>();
  return (conditioned) => {
    const { document, operation, variables } = conditioned;
    const results = known.get(operation) ?? new Map<string, { readonly found: T }>();
    known.set(operation, results);
    const name = conditionsOf(document)
      .map((variable) => (isTrue(variable, variables) ? "1" : "0"))
      .join("");
    let result = results.get(name);
    if (!result) {
      result = { found: find(conditioned) };
      if (results.size >= MAX_RESULTS) results.clear();
      results.set(name, result);
    }
    return result.found;
  };
}

/** Variables in conditions of a document. */
const conditions = new WeakMap<DocumentNode, readonly VariableNode[]>();

function conditionsOf(document: DocumentNode): readonly VariableNode[] {
  const found = conditions.get(document) ?? findConditions(document);
  conditions.set(document, found);
  return found;
}

function findConditions(document: DocumentNode): VariableNode[] {
  const found = new Map<string, VariableNode>();
  visit(document, {
    Directive: ({ arguments: given }) => {
      for (const { value } of given ?? [])
        if (value.kind === Kind.VARIABLE) found.set(value.name.value, value);
    },
  });
  return [...found.values()];
}
