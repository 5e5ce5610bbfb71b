/**
 * What one field costs, as its declaration says it: the only place that prices. A unit is about one object read and sent.
 *
 * Objects cost 1 each, scalars nothing, a field of Query or Subscription at least 1, a mutation 10; `complexity` in the options of a
 * field says otherwise. A connection costs 1 for its page and is an envelope apart from that: `edges` and `pageInfo` are free, its nodes
 * are counted. A list is as long as the argument that sizes it (`first`, or the ids it is asked for), else as long as is assumed:
 * 10, or what `listSize` among the extensions of the field says, in the words of the GraphQL cost directives specification.
 */
import {
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLNamedType,
  getNamedType,
  getNullableType,
  isCompositeType,
  isListType,
  isObjectType,
} from "graphql";
import { isOperationClass, type OperationClass } from "../domain/limits.js";

/** How long a list may be: what an argument says, or what is assumed without one. */
export interface ListSize {
  readonly argument: GraphQLArgument | null;
  readonly assumed: number;
}

/** The price of one field. */
export interface FieldPrice {
  /** For the object itself, or for each object of a list. */
  readonly own: number;
  /** What multiplies it; null for a single value. */
  readonly size: ListSize | null;
  /** Of a connection the size counts `edges`, not the envelope. */
  readonly isConnection: boolean;
  /** The bucket of operations that it is counted in, once for each time it is asked for. */
  readonly operationClass: OperationClass | null;
}

/** What kind of root a field stands on. */
export type RootKind = "query" | "mutation" | "subscription" | null;

const MUTATION_PRICE = 10;
/** The whole schema, however it is asked for: its answer is large, and the same for everybody. */
const INTROSPECTION_PRICE = 100;
const ASSUMED_SIZE = 10;
/** Arguments that say how long a list is to be. */
const SLICING_ARGUMENTS = ["first", "top", "days"];

type AnyField = GraphQLField<unknown, unknown>;

/** The price of a field. @param parent the type it stands in; @param root set for root fields */
export function priceOf(field: AnyField, parent: GraphQLNamedType, root: RootKind): FieldPrice {
  const { extensions } = field;
  const size = sizeOf(field, root);
  return {
    own: typeof extensions.complexity === "number" ? extensions.complexity : usualPrice(field, parent, root),
    size,
    isConnection: isConnectionType(getNamedType(field.type)),
    operationClass: isOperationClass(extensions.operationClass) ? extensions.operationClass : null,
  };
}

/** Introspection is priced as a whole, so what is below is not looked at. */
export const isIntrospection = ({ name }: AnyField): boolean => name === "__schema" || name === "__type";

function usualPrice(field: AnyField, parent: GraphQLNamedType, root: RootKind): number {
  if (isIntrospection(field)) return INTROSPECTION_PRICE;
  if (root === "mutation") return MUTATION_PRICE;
  if (root !== null) return 1;
  const isEnvelope = field.name === "edges" || field.name === "pageInfo";
  return isCompositeType(getNamedType(field.type)) && !(isEnvelope && isConnectionType(parent)) ? 1 : 0;
}

/** Whether a type is the envelope of a page: it has edges. */
const isConnectionType = (type: GraphQLNamedType): boolean => isObjectType(type) && "edges" in type.getFields();

const isList = ({ type }: Pick<AnyField | GraphQLArgument, "type">): boolean => isListType(getNullableType(type));

function sizeOf(field: AnyField, root: RootKind): ListSize | null {
  const named = getNamedType(field.type);
  if (!isCompositeType(named) || isIntrospection(field)) return null;
  const listSize = (field.extensions.listSize ?? {}) as { assumedSize?: number };
  const argument = field.args.find(({ name }) => SLICING_ARGUMENTS.includes(name)) ?? field.args.find(isList) ?? null;
  if (isConnectionType(named)) return { argument, assumed: ASSUMED_SIZE };
  if (isList(field)) return { argument, assumed: listSize.assumedSize ?? ASSUMED_SIZE };
  // A subscription to several things sends each of them at the start.
  return root === "subscription" && argument && isList(argument) ? { argument, assumed: 1 } : null;
}
