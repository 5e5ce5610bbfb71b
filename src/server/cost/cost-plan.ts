/**
 * A document as a tree of prices, as execution collects its
 * fields: fragments are resolved and repetitions merged. So an
 * operation has one cost, however it is written.
 *
 * Sizes depend on variables and are filled in per request.
 * Conditions (`@include`, `@skip`) are part of the plan, because
 * they decide what is merged.
 */
import {
  type DirectiveNode,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLCompositeType,
  type GraphQLField,
  type GraphQLInterfaceType,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isCompositeType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  SchemaMetaFieldDef,
  type SelectionSetNode,
  TypeMetaFieldDef,
  TypeNameMetaFieldDef,
  type ValueNode,
} from "graphql";
import type { OperationClass } from "../../domain/limits.js";
import { own } from "../../domain/own.js";
import type { Variables } from "./argument-value.js";
import { lengthCount, workCount } from "./cost-count.js";
import { type FieldPrice, fieldPrice, isIntrospection, type RootKind } from "./field-price.js";

/** One field of the answer. */
export interface PlannedField {
  /** Its name in the answer. */
  readonly key: string;
  /** Its own price, once or for each item. */
  readonly own: number;
  /** Further cost, once; null for none. */
  readonly work: PlannedCount | null;
  /** Number of items; null for a single value. */
  readonly size: PlannedCount | null;
  /** Answers of a subscription at its start; null for one. */
  readonly repeats: PlannedCount | null;
  /** Fields below, for each possible type; null for a scalar. */
  readonly below: readonly (readonly PlannedField[])[] | null;
  /** Whether its cost depends on the length of a list. */
  readonly varies: boolean;
  readonly operationClass: OperationClass | null;
}

/** A number that variables may change. */
export type PlannedCount = (variables: Variables) => number;

/** The root fields of an operation. */
export type CostPlan = readonly PlannedField[];

/** More than any allowed operation can have. */
const MAX_PLANNED_FIELDS = 10_000;

/** The document has more fields than are counted. */
export class UncountableDocument extends Error {}

/**
 * Plans an operation of a valid document. Throws {@link
 * UncountableDocument}.
 */
export function planCost(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  variables: Variables,
): CostPlan {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions)
    if (definition.kind === Kind.FRAGMENT_DEFINITION)
      fragments.set(definition.name.value, definition);
  const root = schema.getRootType(operation.operation);
  if (!root) return [];
  return new CostPlanner(schema, fragments, variables).select(root, [operation.selectionSet], {
    root: operation.operation,
    sizes: {},
  });
}

interface PlanContext {
  readonly root: RootKind;
  /** Lengths of the lists that the field above sizes. */
  readonly sizes: Readonly<Record<string, PlannedCount>>;
}

class CostPlanner {
  private planned = 0;

  constructor(
    private readonly schema: GraphQLSchema,
    private readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>,
    private readonly variables: Variables,
  ) {}

  /** Fields of an object, merged by their name in the answer. */
  select(
    type: GraphQLObjectType,
    selections: readonly SelectionSetNode[],
    place: PlanContext,
  ): PlannedField[] {
    const collected = new Map<string, FieldNode[]>();
    const visited = new Set<string>();
    for (const selection of selections) this.collect(type, selection, collected, visited);
    return [...collected].flatMap(([key, nodes]) => this.plan(type, key, nodes, place));
  }

  /** CollectFields of the specification. */
  private collect(
    type: GraphQLObjectType,
    { selections }: SelectionSetNode,
    collected: Map<string, FieldNode[]>,
    visited: Set<string>,
  ): void {
    for (const selection of selections) {
      if (!this.isIncluded(selection.directives)) continue;
      if (selection.kind === Kind.FIELD) {
        const key = selection.alias?.value ?? selection.name.value;
        const nodes = collected.get(key);
        if (nodes) nodes.push(selection);
        else collected.set(key, [selection]);
        continue;
      }
      const fragment =
        selection.kind === Kind.INLINE_FRAGMENT
          ? selection
          : this.visit(selection.name.value, visited);
      const condition = fragment?.typeCondition?.name.value;
      if (fragment && (condition === undefined || this.applies(condition, type)))
        this.collect(type, fragment.selectionSet, collected, visited);
    }
  }

  private visit(name: string, visited: Set<string>): FragmentDefinitionNode | undefined {
    if (visited.has(name)) return undefined;
    visited.add(name);
    return this.fragments.get(name);
  }

  private applies(condition: string, type: GraphQLObjectType): boolean {
    const conditional = this.schema.getType(condition);
    return (
      conditional === type ||
      (isAbstractType(conditional) && this.schema.isSubType(conditional, type))
    );
  }

  private plan(
    type: GraphQLObjectType,
    key: string,
    nodes: readonly FieldNode[],
    { root, sizes }: PlanContext,
  ): PlannedField[] {
    this.planned += 1;
    if (this.planned > MAX_PLANNED_FIELDS) throw new UncountableDocument();
    const [node] = nodes as [FieldNode];
    const field = fieldOf(type, node.name.value);
    if (!field) return [];
    const price = fieldPrice(field, type, root);
    const asked = { field, node };
    const size = own(sizes, field.name) ?? (price.size && lengthCount(asked, price.size));
    const below = this.below(field, nodes, price.sizedLists);
    const varies = (below ?? []).some((fields) => fields.some((inner) => inner.varies));
    const work = price.work.length > 0 ? workCount(asked, price.work) : null;
    const repeats = price.repeats && lengthCount(asked, price.repeats);
    return [
      {
        key,
        own: price.own,
        work,
        size,
        repeats,
        below,
        varies: varies || (size !== null && !isFree({ own: price.own, below })),
        operationClass: price.operationClass,
      },
    ];
  }

  private below(
    field: GraphQLField<unknown, unknown>,
    nodes: readonly FieldNode[],
    sizedLists: FieldPrice["sizedLists"],
  ): PlannedField["below"] {
    const named = getNamedType(field.type);
    if (!isCompositeType(named) || isIntrospection(field)) return null;
    const asked = { field, node: nodes[0] as FieldNode };
    const sizes = Object.fromEntries(
      Object.entries(sizedLists).map(([name, length]) => [name, lengthCount(asked, length)]),
    );
    const selections = nodes.flatMap(({ selectionSet }) => selectionSet ?? []);
    return this.possibleTypes(named).map((type) =>
      this.select(type, selections, { root: null, sizes }),
    );
  }

  private possibleTypes(type: GraphQLCompositeType): readonly GraphQLObjectType[] {
    return isObjectType(type) ? [type] : this.schema.getPossibleTypes(type);
  }

  private isIncluded(directives: readonly DirectiveNode[] | undefined): boolean {
    return isIncluded(directives, this.variables);
  }
}

/** Whether `@include` and `@skip` keep a selection. */
export function isIncluded(
  directives: readonly DirectiveNode[] | undefined,
  variables: Variables,
): boolean {
  return !directives?.some(({ name, arguments: given }) => {
    const wanted = name.value === "include" ? true : name.value === "skip" ? false : null;
    const condition = given?.[0]?.value;
    return wanted !== null && condition !== undefined && isTrue(condition, variables) !== wanted;
  });
}

/**
 * Whether a condition holds. A plan depends on nothing else
 * besides its document.
 */
export function isTrue(value: ValueNode, variables: Variables): boolean {
  if (value.kind === Kind.BOOLEAN) return value.value;
  return value.kind === Kind.VARIABLE && own(variables, value.name.value) === true;
}

/** A field of a type, meta fields included. */
export function fieldOf(
  type: GraphQLObjectType | GraphQLInterfaceType,
  name: string,
): GraphQLField<unknown, unknown> | undefined {
  if (name === TypeNameMetaFieldDef.name) return TypeNameMetaFieldDef;
  return (
    own(type.getFields(), name) ??
    [SchemaMetaFieldDef, TypeMetaFieldDef].find((meta) => meta.name === name)
  );
}

/** Whether an item of a list costs nothing, however long the list. */
const isFree = ({ own: price, below }: Pick<PlannedField, "own" | "below">): boolean =>
  price === 0 &&
  (below ?? []).every((fields) => fields.every((inner) => inner.work === null && isFree(inner)));
