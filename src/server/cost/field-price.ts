/**
 * The price of one field, by its declaration. A unit is about one
 * object read and sent.
 *
 * An object costs 1, a scalar nothing. A field of Query or
 * Subscription costs at least 1, a mutation 10. The extension
 * `complexity` of the field or its type overrides. A connection costs 1 for its page:
 * `pageInfo` is free, edges are counted, and `node` comes with
 * its edge.
 *
 * Every list declares its maximum length: by `listSize` of the
 * field or its type; by `sizedLists` of the field above; as a
 * connection by `first`. Work that the answer does not show is
 * declared as `work`.
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

export interface FieldPrice {
  /** Of the object, or of each object of a list. */
  readonly own: number;
  /** Charged beside it. */
  readonly work: readonly Work[];
  /** Length of the list; null for a single value, or sized above. */
  readonly size: ListLength | null;
  /** Lengths of lists in the object, by name. */
  readonly sizedLists: Readonly<Record<string, ListLength>>;
  /** Answers of a subscription at its start. */
  readonly repeats: ListLength | null;
  /** The bucket that counts each use, if any. */
  readonly operationClass: OperationClass | null;
}

/** The root type that the field is on, if any. */
export type RootKind = "query" | "mutation" | "subscription" | null;

const MUTATION_PRICE = 10;
/** The whole schema at once: a large answer, equal for all. */
const INTROSPECTION_PRICE = 100;
/** Scalars are cheap, not free. */
const SCALARS_PER_UNIT = 10;
const DEFAULT_PAGE: ListLength = { by: "first", most: PAGE_SIZE.max };

type AnyField = GraphQLField<unknown, unknown>;

/** @param parent its type; @param root set for root fields */
export function fieldPrice(field: AnyField, parent: GraphQLNamedType, root: RootKind): FieldPrice {
  const { extensions } = field;
  const declared = extensions.complexity ?? getNamedType(field.type).extensions.complexity;
  const size = isList(field) ? (declaredSize(field) ?? longestPage(field)) : null;
  const isOfObjects = isCompositeType(getNamedType(field.type));
  const work = (extensions.work ?? []) as readonly Work[];
  return {
    own: typeof declared === "number" ? declared : defaultPrice(field, parent, root),
    // Items of a list of scalars have no price of their own.
    work:
      size && !isOfObjects && size.most >= SCALARS_PER_UNIT
        ? [...work, { price: Math.floor(size.most / SCALARS_PER_UNIT) }]
        : work,
    size: isOfObjects ? size : null,
    sizedLists: sizedListsOf(field),
    repeats: root === "subscription" && !isList(field) ? repeatsOf(field) : null,
    operationClass: isOperationClass(extensions.operationClass) ? extensions.operationClass : null,
  };
}

/** Introspection is priced as a whole, without its fields. */
export const isIntrospection = ({ name }: AnyField): boolean =>
  name === "__schema" || name === "__type";

/** Throws where a list declares no maximum length. */
export function checkListSizes(schema: GraphQLSchema): void {
  const missing = undeclaredLists(schema);
  if (missing.length > 0)
    throw new Error(
      `These lists do not declare how long they can be (listSize): ${missing.join(", ")}`,
    );
}

/** As `Type.field`. */
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

function defaultPrice(field: AnyField, parent: GraphQLNamedType, root: RootKind): number {
  if (isIntrospection(field)) return INTROSPECTION_PRICE;
  if (root === "mutation") return MUTATION_PRICE;
  if (root !== null) return 1;
  const isEnvelope =
    (isConnectionType(parent) && field.name === "pageInfo") ||
    (isEdgeType(parent) && field.name === "node");
  return isCompositeType(getNamedType(field.type)) && !isEnvelope ? 1 : 0;
}

/**
 * An item of a page. Its edge is counted: the node is always
 * read.
 */
const isEdgeType = (type: GraphQLNamedType): boolean =>
  isObjectType(type) && "node" in type.getFields() && "cursor" in type.getFields();

/** The envelope of a page: it has edges. */
const isConnectionType = (type: GraphQLNamedType): boolean =>
  isObjectType(type) && "edges" in type.getFields();

const isList = ({ type }: { readonly type: GraphQLType }): boolean =>
  isListType(getNullableType(type));

const hasFirst = ({ args }: AnyField): boolean => args.some(({ name }) => name === DEFAULT_PAGE.by);

function declaredSize(field: AnyField): ListLength | null {
  const declared = field.extensions.listSize ?? getNamedType(field.type).extensions.listSize;
  return (declared as ListLength | undefined) ?? (hasFirst(field) ? DEFAULT_PAGE : null);
}

function sizedListsOf(field: AnyField): FieldPrice["sizedLists"] {
  if (field.extensions.sizedLists) return field.extensions.sizedLists as FieldPrice["sizedLists"];
  return isConnectionType(getNamedType(field.type)) && hasFirst(field)
    ? { edges: DEFAULT_PAGE }
    : {};
}

/**
 * For lists that {@link checkListSizes} rejects: the longest
 * page, or the ids given.
 */
const longestPage = (field: AnyField): ListLength => argumentIds(field) ?? { most: PAGE_SIZE.max };

/** A subscription to several things sends each at its start. */
const repeatsOf = (field: AnyField): ListLength | null => argumentIds(field);

function argumentIds({ args }: AnyField): ListLength | null {
  const ids = args.find(isList);
  return ids ? { by: ids.name, most: PAGE_SIZE.max } : null;
}
