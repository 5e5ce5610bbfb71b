/**
 * How a subscription may be shared: its scope and delivery, as
 * its fields declare them.
 *
 * The strictest field decides, over every type a selection can
 * reach. A field of an interface is as strict as the strictest
 * implementation. `@skip` and `@include` count as selected, so
 * the plan holds for all variables.
 */

import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  getOperationAST,
  isAbstractType,
  isInterfaceType,
  isObjectType,
  Kind,
  type SelectionSetNode,
} from "graphql";
import { own } from "../../domain/own.js";
import { type AnswerScope, type DeliveryClass, SCOPES } from "../../domain/scope.js";

export interface AnswerPlan {
  readonly scope: AnswerScope;
  /** Whether all that is read comes through the cache. */
  readonly cached: boolean;
  readonly delivery: DeliveryClass;
}

/** Plans an operation of a valid document. */
export type PlanAnswer = (
  document: DocumentNode,
  operationName: string | null | undefined,
) => AnswerPlan;

/** Plans each operation once. */
export function createAnswerPlanner(schema: GraphQLSchema): PlanAnswer {
  const known = new WeakMap<DocumentNode, Map<string, AnswerPlan>>();
  return (document, operationName) => {
    const plans = known.get(document) ?? new Map<string, AnswerPlan>();
    known.set(document, plans);
    const name = operationName ?? "";
    const plan = plans.get(name) ?? readPlan(schema, document, operationName);
    plans.set(name, plan);
    return plan;
  };
}

function readPlan(
  schema: GraphQLSchema,
  document: DocumentNode,
  operationName: string | null | undefined,
): AnswerPlan {
  const operation = getOperationAST(document, operationName);
  const root = operation && schema.getRootType(operation.operation);
  if (!operation || !root) return { scope: "VIEWER", cached: false, delivery: "LOG" };
  const reader = new PlanReader(schema, document);
  reader.visit(operation.selectionSet, root);
  return reader.plan(root);
}

class PlanReader {
  private strictest = 0;
  private cached = true;
  private readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  /** Types visited per selection: repeated spreads would multiply. */
  private readonly read = new Map<SelectionSetNode, Set<GraphQLNamedType>>();
  private readonly rootFields = new Set<string>();

  constructor(
    private readonly schema: GraphQLSchema,
    document: DocumentNode,
  ) {
    const fragments = document.definitions.filter(
      (definition) => definition.kind === Kind.FRAGMENT_DEFINITION,
    );
    this.fragments = new Map(fragments.map((fragment) => [fragment.name.value, fragment]));
  }

  plan(root: GraphQLNamedType): AnswerPlan {
    const fields = isObjectType(root)
      ? [...this.rootFields].map((name) => own(root.getFields(), name))
      : [];
    const snapshot =
      fields.length > 0 && fields.every((field) => field?.extensions.delivery === "SNAPSHOT");
    return {
      scope: SCOPES[this.strictest] ?? "VIEWER",
      cached: this.cached,
      delivery: snapshot ? "SNAPSHOT" : "LOG",
    };
  }

  visit(selectionSet: SelectionSetNode, type: GraphQLNamedType): void {
    const types = this.read.get(selectionSet) ?? new Set();
    if (types.has(type)) return;
    this.read.set(selectionSet, types.add(type));
    for (const selection of selectionSet.selections) {
      if (selection.kind === Kind.FIELD) this.field(selection, type);
      else if (selection.kind === Kind.INLINE_FRAGMENT)
        this.visit(selection.selectionSet, this.narrow(type, selection.typeCondition?.name.value));
      else this.spread(selection.name.value, type);
    }
  }

  private spread(name: string, type: GraphQLNamedType): void {
    const fragment = this.fragments.get(name);
    if (fragment)
      this.visit(fragment.selectionSet, this.narrow(type, fragment.typeCondition.name.value));
  }

  private field({ name: { value: name }, selectionSet }: FieldNode, type: GraphQLNamedType): void {
    if (name === "__typename") return;
    if (type === this.schema.getSubscriptionType()) this.rootFields.add(name);
    const definitions = this.definitions(name, type);
    if (definitions.length === 0) this.raise("VIEWER");
    for (const definition of definitions) {
      this.raise(scopeOf(definition));
      this.cached &&= definition.extensions.cached === true;
      if (selectionSet) this.visit(selectionSet, getNamedType(definition.type));
    }
  }

  /**
   * All definitions that may answer: the concrete type is not
   * known yet.
   */
  private definitions(name: string, type: GraphQLNamedType): GraphQLField<unknown, unknown>[] {
    const types = isAbstractType(type) ? [type, ...this.schema.getPossibleTypes(type)] : [type];
    return types.flatMap((each) =>
      isObjectType(each) || isInterfaceType(each) ? (own(each.getFields(), name) ?? []) : [],
    );
  }

  /** The type inside a fragment; an object type stays itself. */
  private narrow(type: GraphQLNamedType, condition: string | undefined): GraphQLNamedType {
    const named = condition === undefined ? undefined : this.schema.getType(condition);
    return !named || (isObjectType(type) && isAbstractType(named)) ? type : named;
  }

  private raise(scope: AnswerScope): void {
    this.strictest = Math.max(this.strictest, SCOPES.indexOf(scope));
  }
}

/** An unknown scope counts as none. */
function scopeOf({ extensions }: GraphQLField<unknown, unknown>): AnswerScope {
  return SCOPES.find((scope) => scope === extensions.scope) ?? "VIEWER";
}
