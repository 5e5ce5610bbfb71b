/**
 * What one field costs, as its declaration says it: the only place that prices. A unit is about one
 * object read and sent.
 *
 * Objects cost 1 each, scalars nothing, a field of Query or Subscription at least 1, a mutation 10;
 * `complexity` among the extensions of a field says otherwise. A connection is an envelope: 1 for
 * its page, `pageInfo` is free, its edges are counted, and `node` comes with its edge. Every list
 * declares how long it can be: by `listSize` of the field or of its type, by `sizedLists` of the
 * field above, or as a connection by its `first`. What an answer does not show is declared as
 * `work`.
 */
import {
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLSchema,
  type GraphQLType,
  getNamedType,
  getNullableType,
  isCompositeType,
  isInterfaceType,
  isIntrospectionType,
  isListType,
  isObjectType,
} from "graphql";
import { isOperationClass, type OperationClass } from "../../domain/limits.js";
import { PAGE_SIZE } from "../../domain/page.js";
import type { ListLength, Work } from "../../domain/price.js";

/** The price of one field. */
export interface FieldPrice {
  /** For the object itself, or for each object of a list. */
  readonly own: number;
  /** What is charged beside it. */
  readonly work: readonly Work[];
  /** How long the list is; null for a single value, and for a list that the field above sizes. */
  readonly size: ListLength | null;
  /** How long lists are in the object that is answered, by their names. */
  readonly sizedLists: Readonly<Record<string, ListLength>>;
  /** How often a subscription answers at its start. */
  readonly repeats: ListLength | null;
  /** The bucket of operations that it is counted in, once for each time it is asked for. */
  readonly operationClass: OperationClass | null;
}

/** What kind of root a field stands on. */
export type RootKind = "query" | "mutation" | "subscription" | null;

const MUTATION_PRICE = 10;
/** The whole schema, however it is asked for: its answer is large, and the same for everybody. */
const INTROSPECTION_PRICE = 100;
/** Scalars are cheap, not free: so many in a list cost one unit. */
const SCALARS_PER_UNIT = 10;
const PAGE: ListLength = { by: "first", most: PAGE_SIZE.max };

type AnyField = GraphQLField<unknown, unknown>;

/** The price of a field. @param parent the type it stands in; @param root set for root fields */
export function priceOf(field: AnyField, parent: GraphQLNamedType, root: RootKind): FieldPrice {
  const { extensions } = field;
  const size = isList(field) ? (declaredSize(field) ?? longestPage(field)) : null;
  const isOfObjects = isCompositeType(getNamedType(field.type));
  const work = (extensions.work ?? []) as readonly Work[];
  return {
    own:
      typeof extensions.complexity === "number"
        ? extensions.complexity
        : usualPrice(field, parent, root),
    // The items of a list of scalars have no price of their own.
    work:
      size && !isOfObjects ? [...work, { price: Math.floor(size.most / SCALARS_PER_UNIT) }] : work,
    size: isOfObjects ? size : null,
    sizedLists: sizedListsOf(field),
    repeats: root === "subscription" && !isList(field) ? repeatsOf(field) : null,
    operationClass: isOperationClass(extensions.operationClass) ? extensions.operationClass : null,
  };
}

/** Introspection is priced as a whole, so what is below is not looked at. */
export const isIntrospection = ({ name }: AnyField): boolean =>
  name === "__schema" || name === "__type";

/**
 * Refuses a schema with a list that does not declare how long it can be: it could only be guessed.
 */
export function checkListSizes(schema: GraphQLSchema): void {
  const missing = undeclaredLists(schema);
  if (missing.length > 0)
    throw new Error(
      `These lists do not declare how long they can be (listSize): ${missing.join(", ")}`,
    );
}

/** The lists that declare no length, as `Type.field`. */
export function undeclaredLists(schema: GraphQLSchema): string[] {
  const fields = Object.values(schema.getTypeMap()).flatMap((type) =>
    (isObjectType(type) || isInterfaceType(type)) && !isIntrospectionType(type)
      ? Object.values(type.getFields()).map((field) => ({ type, field }))
      : [],
  );
  const isSized = (type: GraphQLNamedType, list: string): boolean => {
    const above = fields.filter(({ field }) => getNamedType(field.type) === type);
    return above.length > 0 && above.every(({ field }) => Object.hasOwn(sizedListsOf(field), list));
  };
  return fields
    .filter(
      ({ type, field }) => isList(field) && !declaredSize(field) && !isSized(type, field.name),
    )
    .map(({ type, field }) => `${type.name}.${field.name}`);
}

function usualPrice(field: AnyField, parent: GraphQLNamedType, root: RootKind): number {
  if (isIntrospection(field)) return INTROSPECTION_PRICE;
  if (root === "mutation") return MUTATION_PRICE;
  if (root !== null) return 1;
  const isEnvelope =
    (isConnectionType(parent) && field.name === "pageInfo") ||
    (isEdgeType(parent) && field.name === "node");
  return isCompositeType(getNamedType(field.type)) && !isEnvelope ? 1 : 0;
}

/**
 * Whether a type is an item of a page: the edge is counted, because its node is read whether it is
 * asked for or not.
 */
const isEdgeType = (type: GraphQLNamedType): boolean =>
  isObjectType(type) && "node" in type.getFields() && "cursor" in type.getFields();

/** Whether a type is the envelope of a page: it has edges. */
const isConnectionType = (type: GraphQLNamedType): boolean =>
  isObjectType(type) && "edges" in type.getFields();

const isList = ({ type }: { readonly type: GraphQLType }): boolean =>
  isListType(getNullableType(type));

const hasFirst = ({ args }: AnyField): boolean => args.some(({ name }) => name === PAGE.by);

function declaredSize(field: AnyField): ListLength | null {
  const declared = field.extensions.listSize ?? getNamedType(field.type).extensions.listSize;
  return (declared as ListLength | undefined) ?? (hasFirst(field) ? PAGE : null);
}

function sizedListsOf(field: AnyField): FieldPrice["sizedLists"] {
  if (field.extensions.sizedLists) return field.extensions.sizedLists as FieldPrice["sizedLists"];
  return isConnectionType(getNamedType(field.type)) && hasFirst(field) ? { edges: PAGE } : {};
}

/**
 * What {@link checkListSizes} refuses costs as much as the longest page, or as the ids that are
 * given.
 */
const longestPage = (field: AnyField): ListLength => idsOf(field) ?? { most: PAGE_SIZE.max };

/** A subscription to several things sends each of them at the start. */
const repeatsOf = (field: AnyField): ListLength | null => idsOf(field);

function idsOf({ args }: AnyField): ListLength | null {
  const ids = args.find(isList);
  return ids ? { by: ids.name, most: PAGE_SIZE.max } : null;
}
