/** Lengths and work that arguments ask for, by the variables. */
import type { FieldNode, GraphQLField } from "graphql";
import type { ListLength, Work } from "../../domain/price.js";
import { argumentReader, type Variables } from "./argument-value.js";

/** A field, where a document selects it. */
export interface SelectedField {
  readonly field: GraphQLField<unknown, unknown>;
  readonly node: FieldNode;
}

type Count = (variables: Variables) => number;

/**
 * The length of a list, at most its maximum: the field rejects
 * longer ones.
 */
export function lengthCount(
  asked: SelectedField,
  { by, most, times = 1, plus = 0 }: ListLength,
): Count {
  if (by === undefined) return () => most;
  const read = argumentOr(asked, by);
  return (variables) => {
    const count = countOf(read(variables));
    return count === null ? most : Math.min(most, times * count + plus);
  };
}

/** The price of all work of a field. */
export function workCount(asked: SelectedField, works: readonly Work[]): Count {
  const prices = works.map((work) => oneWork(asked, work));
  return (variables) => prices.reduce((sum, price) => sum + price(variables), 0);
}

function oneWork(
  asked: SelectedField,
  { by, price, most = Number.MAX_SAFE_INTEGER, per = 1 }: Work,
): Count {
  if (by === undefined) return () => price;
  const read = argumentOr(asked, by);
  return (variables) => {
    const value = read(variables);
    const count = countOf(value);
    if (count !== null) return price * Math.ceil(Math.min(count, most) / per);
    return isRequested(value) ? price : 0;
  };
}

/** An argument's value or default; null means the default too. */
function argumentOr(
  { field, node }: SelectedField,
  path: string,
): (variables: Variables) => unknown {
  const usual = field.args.find(({ name }) => name === path)?.defaultValue;
  const isOfMany = field.args.some(
    ({ name, type }) => name === path && String(type).startsWith("["),
  );
  const read = argumentReader(path, node);
  return (variables) => {
    const value = read(variables) ?? usual;
    // A single value stands for a list of one.
    return isOfMany && !Array.isArray(value) && value !== null && value !== undefined
      ? [value]
      : value;
  };
}

/** A number, or the length of a list; null for others. */
function countOf(value: unknown): number | null {
  if (Array.isArray(value)) return value.length;
  return typeof value === "number" && Number.isFinite(value)
    ? Math.max(0, Math.trunc(value))
    : null;
}

const isRequested = (value: unknown): boolean =>
  typeof value === "string" ? value.trim() !== "" : Boolean(value);
