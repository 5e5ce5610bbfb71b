/**
 * Random operations over a schema, each written in several ways that mean the same, with an answer
 * of the lengths it asks for.
 */
import fc from "fast-check";
import {
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLNamedType,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isListType,
  isNonNullType,
  isObjectType,
} from "graphql";
import type { ListLength } from "../../../src/domain/price.js";

/** One field that is asked for. */
interface Asked {
  readonly name: string;
  /** Its name in the answer: fields of types that share a place must not differ under one name. */
  readonly key: string;
  readonly first: number | null;
  readonly ids: number | null;
  /** How long the list may be, by its declaration and the defaults of its arguments. */
  readonly longest: number;
  /** The selection for each type that may stand here. */
  readonly below: readonly { readonly type: string; readonly fields: readonly Asked[] }[] | null;
  readonly isAbstract: boolean;
  readonly isList: boolean;
}

const DEPTH = 6;

/** A random selection of the root of queries. @param without names of fields that are left out */
export function randomOperation(
  schema: GraphQLSchema,
  without: readonly string[] = [],
): fc.Arbitrary<readonly Asked[]> {
  return fc.infiniteStream(fc.nat(1_000)).map((numbers) => {
    const next = (below: number): number => Number(numbers.next().value) % below;
    return selectFrom(schema, schema.getQueryType() as GraphQLObjectType, {
      depth: DEPTH,
      next,
      sizes: {},
      without,
    });
  });
}

type Next = (below: number) => number;

interface Place {
  readonly depth: number;
  readonly next: Next;
  /** The lengths of lists that the field above sizes. */
  readonly sizes: Readonly<Record<string, number>>;
  readonly without: readonly string[];
}

function selectFrom(schema: GraphQLSchema, type: GraphQLObjectType, place: Place): Asked[] {
  const { depth, next, without } = place;
  const fields = Object.values(type.getFields()).filter(
    (field) =>
      !without.includes(field.name) && (depth > 1 || !isComposite(getNamedType(field.type))),
  );
  if (fields.length === 0) return [];
  const count = 1 + next(3);
  const chosen = new Set(Array.from({ length: count }, () => fields[next(fields.length)]!));
  return [...chosen].map((field) => ask(schema, field, place));
}

const isComposite = (type: GraphQLNamedType): boolean => isObjectType(type) || isAbstractType(type);

/** How long a list can be where a document does not ask for a length. */
export function longestOf(
  { args }: GraphQLField<unknown, unknown>,
  { by, most, times = 1, plus = 0 }: ListLength,
): number {
  const usual = args.find(({ name }) => name === by)?.defaultValue as number | undefined;
  return usual === undefined ? most : times * usual + plus;
}

/** What a field, or the type of its items, declares of its length. */
export const declaredLength = ({
  extensions,
  type,
}: GraphQLField<unknown, unknown>): ListLength | undefined =>
  (extensions.listSize ?? getNamedType(type).extensions.listSize) as ListLength | undefined;

export const sizedLists = ({
  extensions,
}: GraphQLField<unknown, unknown>): Readonly<Record<string, ListLength>> =>
  (extensions.sizedLists ?? {}) as Readonly<Record<string, ListLength>>;

function ask(
  schema: GraphQLSchema,
  field: GraphQLField<unknown, unknown>,
  { depth, next, sizes: given, without }: Place,
): Asked {
  const sizes = Object.fromEntries(
    Object.entries(sizedLists(field)).map(([name, length]) => [name, longestOf(field, length)]),
  );
  const named = getNamedType(field.type);
  const types = isObjectType(named)
    ? [named]
    : isAbstractType(named)
      ? [...schema.getPossibleTypes(named)]
      : [];
  const below = types
    .map((type) => {
      const fields = selectFrom(schema, type, { depth: depth - 1, next, sizes, without });
      const keyed = isAbstractType(named)
        ? fields.map((one) => ({ ...one, key: `${type.name}_${one.name}` }))
        : fields;
      return { type: type.name, fields: keyed };
    })
    .filter(({ fields }) => fields.length > 0);
  return {
    name: field.name,
    key: field.name,
    first: field.args.some(({ name }) => name === "first") ? 1 + next(5) : null,
    ids: field.args.some(({ name }) => name === "ids") ? 1 + next(5) : null,
    longest: given[field.name] ?? longestOf(field, declaredLength(field) ?? { most: 0 }),
    below: types.length > 0 ? below : null,
    isAbstract: isAbstractType(named),
    isList: isListType(isNonNullType(field.type) ? field.type.ofType : field.type),
  };
}

/**
 * Writes a selection. `wrap` is given each selection and may move it, or half of it, into
 * fragments.
 */
export function write(
  schema: GraphQLSchema,
  fields: readonly Asked[],
  wrap: Wrap = (text) => text,
): string {
  const writeFields = (type: string, asked: readonly Asked[]): string => {
    const texts = asked.map((field) => writeField(type, field));
    return texts.length === 0 ? "__typename" : wrap(texts.join(" "), type, texts);
  };
  const writeField = (
    type: string,
    { name, key, first, ids, below, isAbstract }: Asked,
  ): string => {
    const field = (schema.getType(type) as GraphQLObjectType).getFields()[name]!;
    const label = key === name ? name : `${key}: ${name}`;
    const given = field.args.flatMap((arg) => {
      if (arg.name === "first" && first !== null) return [`first: ${first}`];
      if (arg.name === "ids" && ids !== null)
        return [`ids: [${Array.from({ length: ids }, (_, at) => `"${at}"`).join(", ")}]`];
      return isNonNullType(arg.type) && arg.defaultValue === undefined
        ? [`${arg.name}: ${anyOf(arg.type)}`]
        : [];
    });
    const args = given.length > 0 ? `(${given.join(", ")})` : "";
    if (below === null) return `${label}${args}`;
    const selections = below.map((one) => {
      const text = writeFields(one.type, one.fields);
      return isAbstract ? `... on ${one.type} { ${text} }` : text;
    });
    return `${label}${args} { ${selections.join(" ") || "__typename"} }`;
  };
  return writeFields("Query", fields);
}

const anyOf = (type: GraphQLInputType): string =>
  isListType(isNonNullType(type) ? type.ofType : type) ? "[]" : '"any"';

/** Moves a text of fields of a type somewhere else. */
export type Wrap = (text: string, type: string, fields: readonly string[]) => string;

/** An answer in which each list is as long as `lengthOf` says, given how long it may be. */
export function answerOf(
  fields: readonly Asked[],
  lengthOf: (most: number) => number,
): Record<string, unknown> {
  const one = ({ below, first }: Asked): unknown => {
    if (below === null) return "scalar";
    // What several types may be is all of them here: the dearest counts, and it is among them.
    return Object.assign({}, ...below.map(({ fields: inner }) => ofEnvelope(inner, first)));
  };
  const ofEnvelope = (inner: readonly Asked[], first: number | null): Record<string, unknown> =>
    Object.fromEntries(
      inner.map((field) => [
        field.key,
        field.name === "edges" ? list(field, first ?? 10) : answerTo(field),
      ]),
    );
  const list = (field: Asked, most: number): unknown[] =>
    Array.from({ length: lengthOf(most) }, () => one(field));
  const answerTo = (field: Asked): unknown =>
    field.isList && field.below
      ? list(field, field.first ?? field.ids ?? field.longest)
      : one(field);
  return Object.fromEntries(fields.map((field) => [field.key, answerTo(field)]));
}
